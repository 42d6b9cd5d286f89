"""Clients that leave: what they held is free within a second, and it is counted as what it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backends.wire_server import WireServer
from tests.inference.servers import Server, question
from tests.inference.targets import BEGUN, CHAT, SILENT, becomes, before, client

LEFT = {"dialect": "openai", "status": "499"}
STORY = question("Tell a very long story.", tokens=480)


async def sent(server: Server, body: object, path: str = CHAT) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request on a connection of its own."""
    content = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(content)) + content)
    await writer.drain()
    return reader, writer


async def flying(server: Server, count: int, queued: int = 0, seconds: float = 60) -> None:
    await becomes(
        (float(count), float(queued)),
        lambda: (server.metric("requests_in_flight"), server.metric("queue_length")),
        seconds,
    )


@pytest.fixture
async def silent(wire: WireServer, tmp_path: Path) -> AsyncIterator[tuple[Server, WireServer]]:
    """One slot before a target that takes requests and says nothing."""
    async with before(wire, tmp_path, SPACEPORT_PARALLEL=1, SPACEPORT_QUEUE=2) as server:
        wire.on(CHAT, SILENT)
        yield server, wire


@pytest.mark.parametrize("stream", [False, True])
async def test_leaving_the_real_model_in_the_middle_frees_its_slot(server: Server, stream: bool) -> None:
    counted, errors = server.metric("requests_total", **LEFT), server.metric("errors_total", kind="left")
    told = server.metric("inter_token_latency_seconds_count")
    connections = [await sent(server, {**STORY, "stream": stream}) for _ in range(2)]
    await flying(server, 2)
    if stream:
        for reader, _ in connections:
            await reader.readuntil(b"data: ")
    for _, writer in connections:
        writer.close()
    await flying(server, 0, seconds=1)
    await becomes(counted + 2, lambda: server.metric("requests_total", **LEFT))
    assert server.metric("errors_total", kind="left") == errors + 2
    assert server.metric("inter_token_latency_seconds_count") >= told
    async with asyncio.timeout(30), client(server) as caller:
        assert (await caller.post(CHAT, json=question(tokens=1))).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_leaving_before_the_first_token_frees_the_slot(silent: tuple[Server, WireServer], stream: bool) -> None:
    server, wire = silent
    _, writer = await sent(server, question(stream=stream))
    await flying(server, 1)
    await wire.hanging.wait()
    writer.close()
    await flying(server, 0, seconds=1)
    async with asyncio.timeout(10):
        await wire.client_left.wait()  # the target need not go on either
    assert server.metric("requests_total", **LEFT) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_leaving_in_the_queue_frees_the_place(silent: tuple[Server, WireServer], stream: bool) -> None:
    server, wire = silent
    _, first = await sent(server, question(stream=stream))
    await flying(server, 1)
    waiting = [await sent(server, question(stream=stream)) for _ in range(2)]
    await flying(server, 1, 2)
    reader, fourth = await sent(server, question(stream=stream))
    assert b" 429 " in await reader.readline()
    waiting[0][1].close()
    await flying(server, 1, 1, seconds=1)
    assert len(wire.requests(CHAT)) == 2  # one when it started; what waited was never passed on
    first.close()
    await flying(server, 1, 0, seconds=1)  # the next one's turn
    waiting[1][1].close()
    fourth.close()
    await flying(server, 0, 0, seconds=1)
    assert server.metric("requests_total", **LEFT) == 3
    assert server.metric("requests_total", dialect="openai", status="429") == 1


async def test_leaving_with_many_instances_frees_them_all(silent: tuple[Server, WireServer]) -> None:
    server, _ = silent
    _, writer = await sent(server, {"instances": ["a"] * 8}, "/predict")
    await flying(server, 1)
    writer.close()
    await flying(server, 0, 0, seconds=1)


async def test_an_error_of_one_instance_is_not_counted_as_clients_that_left(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path, SPACEPORT_REQUEST_SECONDS=1) as server, client(server) as caller:
        wire.on(CHAT, BEGUN)
        answer = await caller.post("/predict", json={"instances": ["a", "b", "c"]})
        assert answer.status_code == 504
        assert server.metric("requests_total", dialect="vertex", status="499") == 0


async def test_leaving_in_the_middle_of_a_body_is_no_fault_of_the_server(server: Server) -> None:
    before = len(server.logged(level="error"))
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf a body")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    await becomes(200, lambda: server.get("/ready").status_code)
    await asyncio.sleep(0.3)
    assert len(server.logged(level="error")) == before
