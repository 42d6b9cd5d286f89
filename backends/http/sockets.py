"""A connection that records the time of each read, before any stream handles the bytes.

An event loop that serves many streams passes each its bytes in turn, so the work for one stream delays the next.
Here the timestamp is the system's, of when the bytes arrived, or that of when the loop reads the socket: sixteen tokens
that arrive together get the same time.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections import deque
from typing import Any, cast

import httpcore2

from backends.http.receive_times import ReceiveTimeSocket
from backends.stopwatch import now, record_read, record_write

# The connection stops reading while more bytes than this wait in its buffer, so that the server slows down.
HIGH_WATER = 1 << 20
MOST_UNSENT = 64 * 1024  # bytes that wait for the rest of a request


class DirectStream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One connection; each chunk waits with its timestamp until httpcore reads it."""

    def __init__(self) -> None:
        self._socket: ReceiveTimeSocket | None = None
        self._last_read = 0.0
        self._transport: asyncio.Transport | None = None
        self._chunks: deque[tuple[float, bytes]] = deque()
        self._buffered_bytes = 0
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._waiting: asyncio.Future[None] | None = None  # a read, for bytes or the end
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = False
        self._error: Exception | None = None

    def use_times_of(self, sock: socket.socket) -> None:
        """Take the times of reads from the connection's socket, if it has some."""
        self._socket = sock if isinstance(sock, ReceiveTimeSocket) else None

    # Callbacks of the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # a TCP transport, whatever the loop calls its class
        send_at_once(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        self._chunks.append((self._read_moment(), data))
        self._buffered_bytes += len(data)
        self._wake()
        if self._buffered_bytes > HIGH_WATER and self._transport:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._close(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._close(exc)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # The interface that httpcore calls.

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._flush()
        if not self._chunks and not self._closed:
            await self._wait(timeout)
        if not self._chunks:
            if self._error:
                raise httpcore2.ReadError(str(self._error)) from self._error
            return b""
        return self._take(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send the bytes with those that follow until the next read: a head alone would wake the server for nothing."""
        if not buffer:
            return
        if self._closed or self._transport is None:
            raise httpcore2.WriteError("The connection is closed.")
        self._unsent.append(buffer)
        self._unsent_bytes += len(buffer)
        if self._unsent_bytes < MOST_UNSENT:
            return
        self._flush()
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
        if info == "is_readable":  # if an idle connection is readable, the server has closed it
            return self._closed or bool(self._chunks) or self._socket_is_readable()
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info)) if self._transport else None

    def _flush(self) -> None:
        """Send what waits to be sent."""
        if not self._unsent:
            return
        unsent, self._unsent, self._unsent_bytes = self._unsent, [], 0
        if self._transport and not self._closed:
            self._transport.writelines(unsent)
            record_write()

    async def _wait(self, seconds: float | None) -> None:
        """Wait for bytes or the end; `asyncio.timeout` would take a tenth of an event's time."""
        loop = asyncio.get_running_loop()
        self._waiting = waiting = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, _expire, waiting)
        try:
            await waiting
        finally:
            self._waiting = None
            if timer:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    def _read_moment(self) -> float:
        """Return when the bytes arrived, or now; never before the last ones."""
        received_at = self._socket.take_received_at() if self._socket else None
        self._last_read = max(self._last_read, now() if received_at is None else received_at)
        return self._last_read

    def _take(self, max_bytes: int) -> bytes:
        """Return at most `max_bytes` of the oldest chunk."""
        seconds, data = self._chunks.popleft()
        if len(data) > max_bytes:
            self._chunks.appendleft((seconds, data[max_bytes:]))
            data = data[:max_bytes]
        self._buffered_bytes -= len(data)
        if self._buffered_bytes <= HIGH_WATER // 2 and self._transport and not self._closed:
            self._transport.resume_reading()
        record_read(seconds)
        return data

    def _socket_is_readable(self) -> bool:
        """Ask the operating system: the loop may not have run since the server closed the connection."""
        sock = self._transport.get_extra_info("socket") if self._transport else None
        if sock is None or sock.fileno() < 0:
            return True
        return _is_readable(sock.fileno())

    def _close(self, error: Exception | None) -> None:
        self._closed = True
        self._error = self._error or error
        self._wake()
        self._writable.set()


def _expire(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_exception(httpcore2.ReadTimeout())


def _is_readable(descriptor: int) -> bool:
    """Return whether a socket has bytes to read, or has ended.

    The pool asks this of all idle connections whenever a response ends: 0.9 µs instead of the 12 of `selectors`.
    (2026-11-30.)
    """
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def send_at_once(sock: socket.socket) -> None:
    """Let a TCP connection send without waiting for the other side's acknowledgement, which can take 40 ms.

    asyncio does it only for sockets that name their protocol, which those of a `dial` function rarely do.
    """
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
