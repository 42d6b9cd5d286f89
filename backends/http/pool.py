"""A pool of connections that takes the same time for a request however many of them are open.

httpcore2's own goes through all its connections when a request begins and when it ends: with 256 streams, that took
more than half of a request's time. (2026-11-30.)
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, cast

import httpcore2


class ConnectionPool(httpcore2.AsyncConnectionPool):
    """Any number of connections of HTTP/1.1, each for one request at a time; `max_idle` of them wait for the next."""

    def __init__(self, *, max_idle: int | None, **options: Any) -> None:
        super().__init__(max_connections=None, **options)
        self._max_idle = max_idle
        self._idle: list[httpcore2.AsyncConnectionInterface] = []  # the one that has waited longest comes first
        self._active: set[httpcore2.AsyncConnectionInterface] = set()

    @property
    def connections(self) -> list[httpcore2.AsyncConnectionInterface]:
        """All open connections."""
        return [*self._idle, *self._active]

    async def handle_async_request(self, request: httpcore2.Request) -> httpcore2.Response:
        """Send the request on the connection to its server that was used last, or on a new one."""
        if request.url.scheme not in (b"http", b"https"):
            raise httpcore2.UnsupportedProtocol(f"No server has the protocol {request.url.scheme.decode()!r}.")
        connection = await self._take(request.url.origin)
        self._active.add(connection)
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await self._close(connection)
            raise
        body = _Body(self, connection, cast(AsyncIterable[bytes], response.stream))
        return httpcore2.Response(
            response.status, headers=response.headers, content=body, extensions=response.extensions
        )

    async def release(self, connection: httpcore2.AsyncConnectionInterface) -> None:
        """Keep a connection for the next request, unless it is closed or in the middle of a response."""
        if connection not in self._active or not connection.is_idle():
            await self._close(connection)
            return
        self._active.remove(connection)
        self._idle.append(connection)
        while self._idle and (self._is_full() or self._idle[0].has_expired()):
            await self._idle.pop(0).aclose()

    async def aclose(self) -> None:
        """Close all connections, also those in use."""
        connections, self._idle, self._active = self.connections, [], set()
        for connection in connections:
            await connection.aclose()

    async def _take(self, origin: httpcore2.Origin) -> httpcore2.AsyncConnectionInterface:
        while connection := next((each for each in reversed(self._idle) if each.can_handle_request(origin)), None):
            self._idle.remove(connection)
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return self.create_connection(origin)

    async def _close(self, connection: httpcore2.AsyncConnectionInterface) -> None:
        self._active.discard(connection)
        await connection.aclose()

    def _is_full(self) -> bool:
        return self._max_idle is not None and len(self._idle) > self._max_idle


class _Body:
    """The body of a response; closing it ends the use of its connection."""

    def __init__(
        self, pool: ConnectionPool, connection: httpcore2.AsyncConnectionInterface, stream: AsyncIterable[bytes]
    ) -> None:
        self._pool, self._connection, self._stream = pool, connection, stream
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await cast(Any, self._stream).aclose()
        finally:
            await self._pool.release(self._connection)
