"""How a server is reached that needs its own certificates, a proxy or a socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import httpcore2

from backends.errors import BackendError


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """How a server is reached that is not simply called: with other certificates, a proxy, or a `dial` of its own.

    `dial` may block: it gives a socket that leads to the server, a new one for each connection.
    """

    tls: ssl.SSLContext | None = None
    proxy: str | None = None
    dial: Callable[[], socket.socket] | None = None


class DialFailed(httpcore2.ConnectError):
    """A network's `dial` gave no socket, and `reason` is why; the HTTP library would lose it as a cause."""

    def __init__(self, reason: BackendError) -> None:
        super().__init__(str(reason))
        self.reason = reason
