"""Sockets that stamp bytes when they leave and when they come, for whoever measures.

An event loop that serves many streams hands each its bytes one after another, and what it does for the one is
time that the next one waits. Here the stamp is taken when the loop has read the socket, before any stream's
turn: sixteen tokens that come together are stamped together.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

import httpcore2
import httpx2

from backends.errors import BackendError
from backends.http.network import DialFailed
from backends.stopwatch import now, read_at, wrote

# More than this waiting to be read, and the other side is made to wait.
HIGH_WATER = 1 << 20


class StampingTransport(httpx2.AsyncHTTPTransport):
    """The transport of httpx2 over sockets that stamp."""

    def __init__(
        self, *, verify: ssl.SSLContext, limits: httpx2.Limits, dial: Callable[[], socket.socket] | None = None
    ) -> None:
        super().__init__(verify=verify, limits=limits)
        # httpx2 has no argument for it, its pool has; a test sees that the stamps are there.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=DialledBackend(dial) if dial else StampingBackend(),
        )


class StampingBackend(httpcore2.AsyncNetworkBackend):
    """Opens sockets that stamp, on asyncio."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        stream = _Stream()
        local = (local_address, 0) if local_address else None
        try:
            async with asyncio.timeout(timeout):
                await self._open(stream, host, port, local)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        return stream

    async def _open(self, stream: _Stream, host: str, port: int, local: tuple[str, int] | None) -> None:
        await asyncio.get_running_loop().create_connection(lambda: stream, host, port, local_addr=local)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class DialledBackend(StampingBackend):
    """Every connection is a socket that `dial` gives, whatever the address; `dial` may block, and raise our errors."""

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial

    async def _open(self, stream: _Stream, host: str, port: int, local: tuple[str, int] | None) -> None:
        loop = asyncio.get_running_loop()
        try:
            dialled = await asyncio.to_thread(self._dial)
        except BackendError as error:
            raise DialFailed(error) from error
        dialled.setblocking(False)
        connect = loop.create_unix_connection if dialled.family == socket.AF_UNIX else loop.create_connection
        await connect(lambda: stream, sock=dialled)


class _Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One connection: what came waits with its stamp until it is read. asyncio sets TCP_NODELAY."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._came: deque[tuple[float, bytes]] = deque()
        self._waiting = 0
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # a TCP connection's, also where it is another loop's

    def data_received(self, data: bytes) -> None:
        self._came.append((now(), data))
        self._waiting += len(data)
        self._readable.set()
        if self._waiting > HIGH_WATER and self._transport:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._end(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._came and not self._ended:
            self._readable.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._readable.wait()
            except TimeoutError as error:
                raise httpcore2.ReadTimeout(str(error)) from error
        if not self._came:
            if self._error:
                raise httpcore2.ReadError(str(self._error)) from self._error
            return b""
        return self._take(max_bytes)

    def _take(self, max_bytes: int) -> bytes:
        stamp, data = self._came.popleft()
        if len(data) > max_bytes:
            self._came.appendleft((stamp, data[max_bytes:]))
            data = data[:max_bytes]
        self._waiting -= len(data)
        if self._waiting <= HIGH_WATER // 2 and self._transport and not self._ended:
            self._transport.resume_reading()
        read_at(stamp)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        if self._ended or self._transport is None:
            raise httpcore2.WriteError("The connection is closed.")
        self._transport.write(buffer)
        wrote()
        try:
            async with asyncio.timeout(timeout):
                await self._writable.wait()
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error

    async def aclose(self) -> None:
        if self._transport:
            self._transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        assert self._transport is not None  # noqa: S101  # it is connected
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                self._transport = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # an idle connection that can be read has been closed by the server
            return self._ended or bool(self._came) or self._can_be_read()
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info)) if self._transport else None

    def _can_be_read(self) -> bool:
        """Ask the system itself: the loop may not have had its turn since the server closed."""
        sock = self._transport.get_extra_info("socket") if self._transport else None
        if sock is None or sock.fileno() < 0:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(sock.fileno(), selectors.EVENT_READ)
            return bool(selector.select(0))

    def _end(self, error: Exception | None) -> None:
        self._ended = True
        self._error = self._error or error
        self._readable.set()
        self._writable.set()
