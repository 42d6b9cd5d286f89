"""Clients that keep the server waiting, silent or slow, lose their connection, and others are served."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from inference.http.request_body import LARGE_BODIES
from tests.backends.wire_server import WireServer
from tests.helpers.servers import wait_until
from tests.inference.servers import Server, question
from tests.inference.targets import ANSWER, CHAT, ENDLESS, PARTIAL, SILENT, client, proxy, wait_for_value

HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n"


def post(**more: object) -> bytes:
    body = json.dumps(question(**more)).encode()  # type: ignore[arg-type]
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.fixture
async def impatient(wire: WireServer, tmp_path: Path) -> AsyncIterator[Server]:
    """A server with one slot that waits two seconds for its clients."""
    async with proxy(wire, tmp_path, SPACEPORT_PARALLEL=1, SPACEPORT_CLIENT_SECONDS=2) as server:
        yield server


@contextmanager
def connected(server: Server, receive_buffer: int = 0) -> Iterator[socket.socket]:
    with closing(socket.socket()) as connection:
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", server.port))
        yield connection


async def test_a_reader_that_reads_nothing_loses_its_slot(impatient: Server, wire: WireServer) -> None:
    wire.on(CHAT, ENDLESS)
    with connected(impatient, 4096) as connection:
        connection.sendall(post(stream=True))
        await wait_for_value(1.0, lambda: impatient.metric("requests_in_flight"))
        async with asyncio.timeout(30):
            await wire.client_left.wait()  # the model stops too
        await wait_for_value(0.0, lambda: impatient.metric("requests_in_flight"))
    assert impatient.metric("requests_total", dialect="sagemaker", status="499") == 1
    assert impatient.metric("time_to_first_token_seconds_count") == 1  # what there was of the answer is counted
    assert impatient.metric("inter_token_latency_seconds_count") > 10
    wire.on(CHAT, ANSWER)
    async with client(impatient) as caller:
        assert (await caller.post(CHAT, json=question())).status_code == 200


async def test_a_reader_that_reads_slowly_gets_its_answer(impatient: Server, wire: WireServer) -> None:
    wire.on(CHAT, ENDLESS)
    with connected(impatient) as connection:
        connection.sendall(post(stream=True))
        for _ in range(30):  # for three times as long as a reader may read nothing
            await asyncio.sleep(0.2)
            assert await asyncio.to_thread(connection.recv, 20_000)
        assert impatient.metric("requests_in_flight") == 1


async def test_an_answer_that_ends_unread_is_given_up(impatient: Server, wire: WireServer) -> None:
    """Also when the server has nothing more to send and closes the connection."""
    before = impatient.metrics()["process_open_fds"]
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(connected(impatient, 4096))
            connection.sendall((HEALTH.replace(b"health", b"metrics") + b"\r\n") * 600)  # megabytes of answers
            connection.sendall(HEALTH.replace(b"health", b"metrics") + b"Connection: close\r\n\r\n")
        await asyncio.to_thread(wait_until, lambda: impatient.metrics()["process_open_fds"] <= before)


# What a client sends at first, and then again and again.
UNFINISHED = {
    "silent": (b"", b""),
    "half a head": (b"GET /hea", b""),
    "one header at a time": (HEALTH, b"X: y\r\n"),
    "blank lines": (b"", b"\r\n"),
    "a second head": (HEALTH + b"\r\n" + HEALTH, b"X: y\r\n"),
    "blank lines in between": (HEALTH + b"\r\n", b"\r\n"),
}


async def test_a_connection_without_a_whole_head_is_closed(impatient: Server) -> None:
    def is_closed(first: bytes, repeated: bytes) -> bool:
        with connected(impatient) as connection, suppress(ConnectionError):
            connection.settimeout(0.2)
            connection.sendall(first)
            for _ in range(100):
                with suppress(TimeoutError):
                    if not connection.recv(65536):
                        return True
                connection.sendall(repeated)
            return False
        return True

    closed = await asyncio.gather(*(asyncio.to_thread(is_closed, *sent) for sent in UNFINISHED.values()))
    assert dict(zip(UNFINISHED, closed, strict=True)) == dict.fromkeys(UNFINISHED, True)


async def test_waiting_for_a_model_is_not_waiting_for_the_client(impatient: Server, wire: WireServer) -> None:
    wire.on(CHAT, PARTIAL)
    with connected(impatient) as connection:
        connection.sendall(post(stream=True))
        await asyncio.sleep(4)
        assert impatient.metric("requests_in_flight") == 1
        assert b"Hello" in await asyncio.to_thread(connection.recv, 65536)


async def test_pipelined_requests_stop_when_their_client_leaves(impatient: Server, wire: WireServer) -> None:
    wire.on(CHAT, SILENT)
    with connected(impatient) as connection:
        connection.sendall(post() * 3)
        await wait_for_value(1.0, lambda: impatient.metric("requests_in_flight"))
        await wire.hang_started.wait()
    await wait_for_value(0.0, lambda: impatient.metric("requests_in_flight"))


async def test_health_answers_among_silent_connections(wire: WireServer, tmp_path: Path) -> None:
    """With 200 descriptors, 400 connections that never send a request, and an answer in progress."""
    async with proxy(wire, tmp_path, descriptors=200) as server:
        wire.on(CHAT, ENDLESS)
        with connected(server) as running, ExitStack() as stack:
            running.sendall(post(stream=True))
            assert b" 200 OK" in await asyncio.to_thread(running.recv, 65536)
            for number in range(400):
                connection = stack.enter_context(connected(server))
                connection.sendall((b"", b"GET /", HEAD + b"Content-Length: 9\r\n\r\n", HEALTH + b"\r\n")[number % 4])
            for path in ("/health", "/ready", "/metrics"):
                assert (await asyncio.to_thread(server.get, path, timeout=10)).status_code == 200
            assert server.metrics()["process_open_fds"] < 200
            assert b"word" in await asyncio.to_thread(running.recv, 65536)
            assert server.metric("requests_in_flight") == 1


async def test_slow_large_bodies_leave_room_for_other_requests(wire: WireServer, tmp_path: Path) -> None:
    large = json.dumps(question("x" * 300_000)).encode()
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(large)
    async with proxy(wire, tmp_path) as server, client(server) as caller:
        with ExitStack() as stack:
            slow = [stack.enter_context(connected(server)) for _ in range(LARGE_BODIES + 1)]
            for connection in slow:
                await asyncio.to_thread(connection.sendall, head + large[:-1])
            assert (await caller.post(CHAT, json=question())).status_code == 200
            for connection in slow[:-1]:
                connection.close()
            slow[-1].sendall(large[-1:])
            assert b" 200 OK" in await asyncio.to_thread(slow[-1].recv, 65536)
