"""The sockets that a server listens on, and why it can't have one, in words."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from backends.errors import NotConfigured

BACKLOG = 2048
_TAKEN, _FORBIDDEN = (errno.EADDRINUSE,), (errno.EACCES, errno.EPERM)
_MISSING = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # ::1 of localhost, on a machine without IPv6


def listen(host: str, port: int, *, setting: str) -> list[socket.socket]:
    """Listen at each address of a host; `::` takes IPv4 as well. `setting` names what changes the port."""
    opened: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in _addresses(host, port):
            try:
                opened.append(_listener(family, address))
            except OSError as error:
                if error.errno not in _MISSING:
                    raise
                missing = error
        if missing and not opened:
            raise missing
    except (OSError, UnicodeError) as error:
        for sock in opened:
            sock.close()
        raise _listening_error(host, port, error, setting) from error
    return opened


def check_port(host: str, port: int, *, setting: str) -> None:
    """Raise `NotConfigured` if no server could listen on this port."""
    for sock in listen(host, port, setting=setting):
        sock.close()


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, Any]]:
    infos = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in infos))


def _listener(family: socket.AddressFamily, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        _bind(sock, address)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(sock: socket.socket, address: Any) -> None:
    if os.name == "posix":  # elsewhere, two servers could listen on one port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address[0] != "::")
    sock.bind(address)


def _listening_error(host: str, port: int, error: OSError | UnicodeError, setting: str) -> NotConfigured:
    number = getattr(error, "errno", None)
    if number in _TAKEN:
        message = f"Port {port} is already in use."
        return NotConfigured(message, f"Stop the program that listens on it, or set {setting} to another port.")
    if number in _FORBIDDEN:
        message = f"This user may not listen on port {port}."
        return NotConfigured(message, f"Set {setting} to a port from 1024 on.")
    reason = getattr(error, "strerror", None) or error
    message = f"{host} isn't an address of this machine ({reason})."
    return NotConfigured(message, "Listen on 127.0.0.1, 0.0.0.0 or ::.")
