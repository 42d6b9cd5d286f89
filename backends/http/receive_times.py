"""Sockets that know when bytes arrived at this machine, however late the program reads them.

Linux notes the time of each packet if it's asked to. A program that serves hundreds of streams reads a socket many
milliseconds later; with the packet's time, that delay isn't taken for the server's.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from typing import Any

from backends.stopwatch import moment_of

# From linux/asm-generic/socket.h: `socket` has no name for it. The message holds seconds and nanoseconds.
SO_TIMESTAMPNS = 35
TIME = struct.Struct("@ll")
ANCILLARY_BYTES = socket.CMSG_SPACE(TIME.size) if hasattr(socket, "CMSG_SPACE") else 0


class ReceiveTimeSocket(socket.socket):
    """A socket whose reads note when the last of their bytes arrived; `received_at` is None if that is unknown."""

    received_at: float | None = None

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        data, ancillary, _, _ = self.recvmsg(bufsize, ANCILLARY_BYTES, flags)
        self._note(ancillary)
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer)
        count, ancillary, _, _ = self.recvmsg_into([view[:nbytes] if nbytes else view], ANCILLARY_BYTES, flags)
        self._note(ancillary)
        return count

    def take_received_at(self) -> float | None:
        """Return when the last bytes arrived, once."""
        moment, self.received_at = self.received_at, None
        return moment

    def _note(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) == TIME.size:
                seconds, nanoseconds = TIME.unpack(data)
                self.received_at = moment_of(seconds + nanoseconds / 1e9)


def with_receive_times(sock: socket.socket) -> socket.socket:
    """Return the same connection as a socket with receive times; the given one, if the system doesn't have them."""
    if sys.platform != "linux" or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return sock
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        return ReceiveTimeSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
    return sock
