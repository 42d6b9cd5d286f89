"""Network settings of a server that needs its own certificates, a proxy or a socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import httpcore2

from backends.errors import BackendError


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Certificates, a proxy or a `dial` function for a server that can't be reached directly.

    `dial` may block. It returns a socket connected to the server, a new one for each connection.
    """

    tls: ssl.SSLContext | None = None
    proxy: str | None = None
    dial: Callable[[], socket.socket] | None = None


class DialFailed(httpcore2.ConnectError):
    """A network's `dial` raised `reason`; the HTTP library would lose the reason if it were only the cause."""

    def __init__(self, reason: BackendError) -> None:
        super().__init__(str(reason))
        self.reason = reason
