"""Uvicorn's HTTP protocol with limits for request heads and for connections that send none.

Uvicorn has a timeout for the time between two requests only. httptools collects a head without an end.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ui.edge.limits import EdgeLimits, size_text

# The descriptors that a page uses besides its connections.
OTHER_DESCRIPTORS = 256
# A client that is still sending reads its answer only if the connection stays open for a while.
LINGER_SECONDS = 1.0


def limit_connections(limits: EdgeLimits) -> None:
    """Make these limits uvicorn's default, for the servers that Gradio and Streamlit start."""
    HTTP_PROTOCOLS["auto"] = limited_connections(limits)  # type: ignore[assignment]  # a class works like its name


def limited_connections(limits: EdgeLimits, protocol: type[asyncio.Protocol] = AutoHTTPProtocol) -> type[Any]:
    """Return a class for uvicorn's `http` setting, made from one of its protocols."""
    allow_descriptors(limits.connections + OTHER_DESCRIPTORS)
    return type("LimitedConnection", (ConnectionLimits, protocol), {"limits": limits})


class ConnectionLimits(asyncio.Protocol):
    """A part of uvicorn's protocols that closes a connection whose next head is too large or isn't complete in time.

    When all connections are taken, a new one takes the place of the one that has waited longest for a request.
    """

    limits: EdgeLimits
    # What uvicorn's protocols have.
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    connections: set[Any]
    cycle: Any
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _refused = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._start_timer()
        if len(self.connections) > self.limits.connections:
            self._close_longest_waiting()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if not self.waits_for_head:
            self._stop_timer()
            self._head_bytes = 0
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

    def _close_longest_waiting(self) -> None:
        connections = (each for each in self.connections if isinstance(each, ConnectionLimits) and each is not self)
        waiting = [each for each in connections if each.waits_for_head and not each.transport.is_closing()]
        min(waiting, key=lambda each: each.deadline, default=self).transport.close()

    def _refuse(self, status: str, message: str) -> None:
        if not self._refused and not self.transport.is_closing():
            self._refused = True
            self._stop_timer()
            head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            self.transport.write(f"{head}content-length: {len(message)}\r\n\r\n{message}".encode())
            self.loop.call_later(LINGER_SECONDS, self.transport.close)


def allow_descriptors(number: int) -> None:
    """Raise the soft limit for open files, which is often 1,024, as far as the hard limit permits."""
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
