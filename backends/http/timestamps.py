"""An HTTP transport whose sockets record when bytes leave and when they arrive."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2
import httpx2

from backends.errors import BackendError
from backends.http.network import DialFailed
from backends.http.receive_times import PausedConnection, take_socket, with_receive_times
from backends.http.sockets import TimestampStream

# A host with several addresses: the next one is tried beside the first after so long, like in the plain transport.
NEXT_ADDRESS_SECONDS = 0.25


class TimestampTransport(httpx2.AsyncHTTPTransport):
    """The httpx2 transport on sockets that record timestamps, or on sockets that `dial` returns."""

    def __init__(
        self, *, verify: ssl.SSLContext, limits: httpx2.Limits, dial: Callable[[], socket.socket] | None = None
    ) -> None:
        super().__init__(verify=verify, limits=limits)
        # httpx2 has no argument for a network backend; its pool has. A test checks that timestamps are recorded.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=DialBackend(dial) if dial else TimestampBackend(),
        )


class TimestampBackend(httpcore2.AsyncNetworkBackend):
    """Opens asyncio connections that record timestamps."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        stream = TimestampStream()
        local = (local_address, 0) if local_address else None
        try:
            async with asyncio.timeout(timeout):
                await self._open(stream, host, port, local)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        return stream

    async def _open(self, stream: TimestampStream, host: str, port: int, local: tuple[str, int] | None) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, asyncio.BaseEventLoop):  # uvloop has no such argument
            opened, _ = await loop.create_connection(
                PausedConnection, host, port, local_addr=local, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS
            )
            sock = with_receive_times(take_socket(opened))
            stream.use_times_of(sock)
            await loop.create_connection(lambda: stream, sock=sock)
        else:
            await loop.create_connection(lambda: stream, host, port, local_addr=local)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class DialBackend(TimestampBackend):
    """Uses the sockets that `dial` returns, for any address; `dial` may block and may raise a `BackendError`."""

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial

    async def _open(self, stream: TimestampStream, host: str, port: int, local: tuple[str, int] | None) -> None:
        loop = asyncio.get_running_loop()
        try:
            sock = await asyncio.to_thread(self._dial)
        except BackendError as error:
            raise DialFailed(error) from error
        sock.setblocking(False)
        connect = loop.create_unix_connection if sock.family == socket.AF_UNIX else loop.create_connection
        sock = with_receive_times(sock)
        stream.use_times_of(sock)
        await connect(lambda: stream, sock=sock)
