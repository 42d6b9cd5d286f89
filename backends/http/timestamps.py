"""An HTTP transport on connections of our own, which can record when bytes leave and when they arrive.

They also take less time for each chunk than those of httpx2, and send a request in one packet.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from asyncio.staggered import staggered_race
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

import httpcore2
import httpx2

from backends.errors import BackendError
from backends.http.network import DialFailed
from backends.http.new_connections import note_opened
from backends.http.pool import ConnectionPool
from backends.http.receive_times import with_receive_times
from backends.http.sockets import DirectStream

# A host with several addresses: the next one is tried beside the first after so long, as in httpx2's transport.
NEXT_ADDRESS_SECONDS = 0.25


class DirectTransport(httpx2.AsyncHTTPTransport):
    """The httpx2 transport on connections of our own, or on sockets that `dial` returns.

    With `receive_times` they know when bytes arrived at this machine, which takes a little longer for each read.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext,
        limits: httpx2.Limits,
        dial: Callable[[], socket.socket] | None = None,
        receive_times: bool = True,
    ) -> None:
        super().__init__(verify=verify, limits=limits)
        backend = DialBackend(dial, receive_times=receive_times) if dial else DirectBackend(receive_times=receive_times)
        # httpx2 has no argument for a network backend; its pool has. A test checks that timestamps are recorded.
        self._pool = ConnectionPool(
            max_idle=limits.max_keepalive_connections,
            ssl_context=verify,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=backend,
        )


class DirectBackend(httpcore2.AsyncNetworkBackend):
    """Opens asyncio connections; with `receive_times`, they know when bytes arrived at this machine."""

    def __init__(self, *, receive_times: bool = True) -> None:
        self._receive_times = receive_times

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        stream = DirectStream()
        local = (local_address, 0) if local_address else None
        try:
            async with asyncio.timeout(timeout):
                await self._open(stream, host, port, local)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        note_opened()
        return stream

    async def _open(self, stream: DirectStream, host: str, port: int, local: tuple[str, int] | None) -> None:
        loop = asyncio.get_running_loop()
        sock = await connect_to_first(await _addresses(host, port), local)
        if self._receive_times and isinstance(loop, asyncio.BaseEventLoop):  # uvloop reads without the socket
            sock = with_receive_times(sock)
            stream.use_times_of(sock)
        await loop.create_connection(lambda: stream, sock=sock)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class DialBackend(DirectBackend):
    """Uses the sockets that `dial` returns, for any address; `dial` may block and may raise a `BackendError`."""

    def __init__(self, dial: Callable[[], socket.socket], *, receive_times: bool = True) -> None:
        super().__init__(receive_times=receive_times)
        self._dial = dial

    async def _open(self, stream: DirectStream, host: str, port: int, local: tuple[str, int] | None) -> None:
        loop = asyncio.get_running_loop()
        try:
            sock = await asyncio.to_thread(self._dial)
        except BackendError as error:
            raise DialFailed(error) from error
        sock.setblocking(False)
        connect = loop.create_unix_connection if sock.family == socket.AF_UNIX else loop.create_connection
        if self._receive_times:
            sock = with_receive_times(sock)
            stream.use_times_of(sock)
        await connect(lambda: stream, sock=sock)


async def connect_to_first(addresses: Sequence[tuple[Any, Any]], local: tuple[str, int] | None) -> socket.socket:
    """Return a socket connected to the first of the addresses that answers; raises the `OSError` of the first one.

    An address is a family and what the system takes for it. The next one is tried when one fails or takes too long.
    A race that is cancelled closes what it has opened: that of asyncio's own `create_connection` doesn't.
    """
    opened: list[socket.socket] = []

    async def connect(family: int, address: Any) -> socket.socket:
        opened.append(sock := await _connect(family, address, local))
        return sock

    winner = None
    try:
        attempts = [partial(connect, family, address) for family, address in addresses]
        winner, _, errors = await staggered_race(attempts, NEXT_ADDRESS_SECONDS)
        if winner is None:
            raise next(error for error in errors if error)
        return cast(socket.socket, winner)
    finally:
        for sock in opened:
            if sock is not winner:
                sock.close()


async def _addresses(host: str, port: int) -> list[tuple[Any, Any]]:
    """Return the families and addresses of a host."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in infos]


async def _connect(family: int, address: Any, local: tuple[str, int] | None) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if local:
            sock.bind(local)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock
