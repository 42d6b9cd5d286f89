"""Connections to public addresses only: a name is resolved once, and the address that was checked is connected."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpcore2

from backends.stopwatch import now

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # the last 32 bits are an IPv4 address
# Networks whose addresses have others in them, or that only some sites route.
_TUNNELS = [
    ipaddress.ip_network(network)
    for network in ("::/96", "::ffff:0:0:0/96", "2002::/16", "2001::/32", "64:ff9b:1::/48", "fec0::/10")
]


class NotPublic(Exception):
    """A name without an address, or with one that isn't on the public internet."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotPublic(host) from error
    return [str(place[0]) for *_, place in found]


@dataclass(frozen=True, slots=True)
class Edge:
    """What touches the network: how names become addresses, and how addresses are connected."""

    resolve: Callable[[str, int], list[str]] = resolve
    connect: Callable[..., httpcore2.NetworkStream] = httpcore2.SyncBackend().connect_tcp


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet, also when it stands inside of an IPv6 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if any(ip in network for network in _TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast


class PublicBackend(httpcore2.NetworkBackend):
    """Connects to public addresses, until a deadline.

    The HTTP library still uses the host's name for the `Host` header and the certificate.
    """

    def __init__(self, edge: Edge, deadline: float) -> None:
        self._edge, self._deadline = edge, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._edge.resolve(host.strip("[]"), port)
        # One that isn't public among public ones is an attack, or a mistake.
        if not addresses or not all(map(is_public, addresses)):
            raise NotPublic(host)
        error: Exception = NotPublic(host)
        for address in dict.fromkeys(addresses):
            try:
                return _TimedStream(self._edge.connect(address, port, _left(self._deadline)), self._deadline)
            except httpcore2.ConnectError as failure:
                error = failure
        raise error


class _TimedStream(httpcore2.NetworkStream):
    """A connection that ends at the deadline, however slowly the server sends."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    if (seconds := deadline - now()) <= 0:
        raise httpcore2.ReadTimeout("the deadline")
    return seconds
