"""Uvicorn's HTTP protocol with limits for request heads and for connections that send none.

Uvicorn has a timeout for the time between two requests only. httptools collects a head without an end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ui.access.client_address import network
from ui.middleware.request_limits import RequestLimits, size_text

# The descriptors that a page uses besides its connections.
OTHER_DESCRIPTORS = 256
# A client that is still sending reads its answer only if the connection stays open for a while.
LINGER_SECONDS = 1.0
# Requests that wait on a connection for the answer to an earlier one. Browsers send none; each takes some kilobytes.
MAX_PIPELINED = 16


def limit_connections(limits: RequestLimits) -> None:
    """Make these limits uvicorn's default, for the servers that Gradio and Streamlit start."""
    HTTP_PROTOCOLS["auto"] = limited_connections(limits)  # type: ignore[assignment]  # a class works like its name


def limited_connections(limits: RequestLimits, protocol: type[asyncio.Protocol] = AutoHTTPProtocol) -> type[Any]:
    """Return a class for uvicorn's `http` setting, made from one of its protocols."""
    allow_descriptors(limits.connections + OTHER_DESCRIPTORS)
    return type("LimitedConnection", (ConnectionLimits, protocol), {"limits": limits})


class ConnectionLimits(asyncio.Protocol):
    """A part of uvicorn's protocols that closes a connection whose next head is too large or isn't complete in time.

    When all connections are taken, one of the address with the most is closed.
    """

    limits: RequestLimits
    # What uvicorn's protocols have.
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    connections: set[Any]
    cycle: Any
    client: tuple[str, int] | None
    _made = 0.0
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _refused = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._made = self.loop.time()
        self._start_timer()
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        cycle, body_complete = self.cycle, self.cycle is not None and not self.cycle.more_body
        super().data_received(data)
        if not self.waits_for_head:
            self._stop_timer()
            behind = self.cycle is cycle and body_complete  # the next head, behind a request that is being answered
            self._head_bytes = self._head_bytes + len(data) if behind else 0
            if self._head_bytes > self.limits.head_bytes or len(getattr(self, "pipeline", ())) > MAX_PIPELINED:
                self.transport.close()
            return
        self._head_bytes += len(data)
        if not self._timer:
            self._start_timer()
        if self._head_bytes > self.limits.head_bytes:
            limit = size_text(self.limits.head_bytes)
            self._refuse("431 Request Header Fields Too Large", f"The headers are too large: the limit is {limit}.\n")

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(error)

    @property
    def waits_for_head(self) -> bool:
        """Whether no request is in progress. A connection that became a WebSocket is in no set any more."""
        return self in self.connections and (self.cycle is None or self.cycle.response_complete)

    @property
    def deadline(self) -> float:
        """The time on the event loop's clock at which the connection is closed."""
        return self._timer.when() if self._timer else float("inf")

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.limits.head_seconds, self._end_wait)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _end_wait(self) -> None:
        self._timer = None
        if not self.waits_for_head:
            return
        if self._head_bytes:
            seconds = f"{self.limits.head_seconds:g}"
            self._refuse("408 Request Timeout", f"The headers must be complete within {seconds} seconds.\n")
        else:
            self.transport.close()

    def _make_room(self) -> None:
        """Close a connection of the address with the most: the one that waits longest, or else the newest."""
        connections = [(each, _address(each)) for each in self.connections if not each.transport.is_closing()]
        most, _ = Counter(address for _, address in connections).most_common(1)[0]
        candidates = [each for each, address in connections if address == most]
        limited = [each for each in candidates if isinstance(each, ConnectionLimits)]
        waiting = [each for each in limited if each.waits_for_head and each is not self]
        newest = max(limited, key=lambda each: each._made, default=candidates[0])  # or a WebSocket
        min(waiting, key=lambda each: each.deadline, default=newest).transport.close()

    def _refuse(self, status: str, message: str) -> None:
        if not self._refused and not self.transport.is_closing():
            self._refused = True
            self._stop_timer()
            head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            self.transport.write(f"{head}content-length: {len(message)}\r\n\r\n{message}".encode())
            self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _address(connection: Any) -> str:
    """Return the client's address: behind a proxy, the one that the last request, or the WebSocket, came from."""
    request = getattr(connection, "cycle", None) or connection
    client = (getattr(request, "scope", None) or {}).get("client") or connection.client
    return network(client[0]) if client else ""


def allow_descriptors(number: int) -> None:
    """Raise the soft limit for open files, which is often 1,024, as far as the hard limit permits."""
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
