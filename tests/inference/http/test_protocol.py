"""How the bytes of a response are written: its head with the beginning of its body, and never late."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from inference.http.protocol import GuardedProtocol, protocol

REQUEST = b"%s / HTTP/1.1\r\nHost: x\r\n%s\r\n"
START = {"type": "http.response.start", "status": 200, "headers": []}


class Wire(asyncio.Transport):
    """A connection that keeps each write, and None for its end."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__({"socket": sock})
        self.writes: list[bytes | None] = []

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def writelines(self, parts: Iterable[Any]) -> None:
        data = [*parts]
        assert all(data)  # asyncio tries to send an empty part forever
        self.writes.append(b"".join(data))

    def close(self) -> None:
        self.writes.append(None)

    def is_closing(self) -> bool:
        return None in self.writes

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """Do nothing: the test decides when bytes arrive."""

    resume_reading = pause_reading


@contextmanager
def connection(app: Any) -> Iterator[tuple[GuardedProtocol, Wire]]:
    """A connection of the server with `app`."""
    config = uvicorn.Config(app, http=protocol(client_seconds=5, max_connections=10), log_config=None)
    config.load()
    server = config.http_protocol_class(config=config, server_state=ServerState(), app_state={})  # type: ignore[operator]
    one, other = socket.socketpair()
    with one, other:
        wire = Wire(one)
        server.connection_made(wire)
        yield server, wire
        server.connection_lost(None)


def answering(*bodies: bytes, wait: Callable[[], Any] = lambda: asyncio.sleep(0)) -> Any:
    """An app that reads the request, and sends a head and pieces; `wait` comes before each piece but the first."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(START)
        for number, body in enumerate(bodies):
            if number:
                await wait()
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies) - 1})

    return app


async def rounds() -> None:
    """Let everything happen that is ready."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_head_leaves_with_the_first_piece_of_its_body() -> None:
    with connection(answering(b"first", b"second")) as (server, wire):
        server.data_received(REQUEST % (b"POST", b""))
        await rounds()
        head, second = wire.writes
        assert head is not None
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert head.endswith(b"\r\n\r\n5\r\nfirst\r\n")
        assert second == b"6\r\nsecond\r\n0\r\n\r\n"


async def test_a_head_does_not_wait_for_a_body_that_comes_later() -> None:
    arrived = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await arrived.wait()
        await send({"type": "http.response.body", "body": b"late"})

    with connection(app) as (server, wire):
        server.data_received(REQUEST % (b"POST", b""))
        await rounds()
        assert [write is not None and write.endswith(b"chunked\r\n\r\n") for write in wire.writes] == [True]
        arrived.set()
        await rounds()
        assert wire.writes[1:] == [b"4\r\nlate\r\n0\r\n\r\n"]


async def test_a_response_of_a_head_alone_is_sent_before_the_connection_closes() -> None:
    with connection(answering(b"")) as (server, wire):
        server.data_received(REQUEST % (b"HEAD", b"Connection: close\r\n"))
        await rounds()
        head, end = wire.writes
        assert head is not None
        assert head.endswith(b"\r\n\r\n")
        assert end is None


async def test_a_client_that_waits_to_send_its_body_is_told_to_at_once() -> None:
    with connection(answering(b"thanks")) as (server, wire):
        server.data_received(REQUEST % (b"POST", b"Content-Length: 2\r\nExpect: 100-continue\r\n"))
        await rounds()
        assert wire.writes == [b"HTTP/1.1 100 Continue\r\n\r\n"]
        server.data_received(b"ok")
        await rounds()
        assert wire.writes[1] is not None
        assert wire.writes[1].endswith(b"6\r\nthanks\r\n0\r\n\r\n")


async def test_two_requests_at_once_get_their_answers_in_order() -> None:
    with connection(answering(b"one", b"two")) as (server, wire):
        server.data_received(REQUEST % (b"GET", b"") * 2)
        await rounds()
        await rounds()
        answer = b"".join(write or b"" for write in wire.writes)
        assert answer.count(b"HTTP/1.1 200 OK") == 2
        assert answer.count(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n") == 2
        assert len(wire.writes) == 4


@pytest.mark.parametrize("number", [0, socket.IPPROTO_TCP])
async def test_small_packets_do_not_wait_for_an_acknowledgement(number: int) -> None:
    """asyncio leaves the option out for sockets made without the protocol's number, as those of uvicorn's workers."""
    config = uvicorn.Config(answering(b""), http=protocol(client_seconds=5, max_connections=10), log_config=None)
    config.load()
    made: list[GuardedProtocol] = []

    def factory() -> GuardedProtocol:
        made.append(config.http_protocol_class(config=config, server_state=ServerState(), app_state={}))  # type: ignore[operator, arg-type]
        return made[0]

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, number)
    listener.bind(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(factory, sock=listener)
    async with server:
        _, writer = await asyncio.open_connection(*listener.getsockname())
        async with asyncio.timeout(10):
            while not made:  # noqa: ASYNC110  # nothing tells it
                await asyncio.sleep(0.01)
        accepted = made[0].transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
