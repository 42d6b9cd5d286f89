"""Clients that disconnect: the server frees their slots and counts them as disconnects, not as answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backends.wire_server import WireServer
from tests.inference.servers import Server, question
from tests.inference.targets import CHAT, PARTIAL, SILENT, client, proxy, wait_for_value

LEFT = {"dialect": "openai", "status": "499"}
STORY = question("Tell a very long story.", tokens=480)


async def open_request(
    server: Server, body: object, path: str = CHAT
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request on a new connection."""
    content = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(content)) + content)
    await writer.drain()
    return reader, writer


async def wait_for_load(server: Server, count: int, queued: int = 0) -> None:
    await wait_for_value(
        (float(count), float(queued)),
        lambda: (server.metric("requests_in_flight"), server.metric("queue_length")),
    )


@pytest.fixture
async def silent(wire: WireServer, tmp_path: Path) -> AsyncIterator[tuple[Server, WireServer]]:
    """A server with one slot, whose target accepts requests and never answers."""
    async with proxy(wire, tmp_path, SPACEPORT_PARALLEL=1, SPACEPORT_QUEUE=2) as server:
        wire.on(CHAT, SILENT)
        yield server, wire


@pytest.mark.parametrize("stream", [False, True])
async def test_disconnect_during_an_answer_of_the_real_model_frees_its_slot(server: Server, stream: bool) -> None:
    requests, errors = server.metric("requests_total", **LEFT), server.metric("errors_total", kind="left")
    latencies = server.metric("inter_token_latency_seconds_count")
    connections = [await open_request(server, {**STORY, "stream": stream}) for _ in range(2)]
    await wait_for_load(server, 2)
    if stream:
        for reader, _ in connections:
            await reader.readuntil(b"data: ")
    for _, writer in connections:
        writer.close()
    await wait_for_load(server, 0)
    await wait_for_value(requests + 2, lambda: server.metric("requests_total", **LEFT))
    assert server.metric("errors_total", kind="left") == errors + 2
    assert server.metric("inter_token_latency_seconds_count") >= latencies
    async with client(server) as caller:
        assert (await caller.post(CHAT, json=question(tokens=1))).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_disconnect_before_the_first_token_frees_the_slot(
    silent: tuple[Server, WireServer], stream: bool
) -> None:
    server, wire = silent
    _, writer = await open_request(server, question(stream=stream))
    await wait_for_load(server, 1)
    await wire.hang_started.wait()
    writer.close()
    await wait_for_load(server, 0)
    async with asyncio.timeout(10):
        await wire.client_left.wait()  # the target is disconnected too
    assert server.metric("requests_total", **LEFT) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_disconnect_in_the_queue_frees_the_place(silent: tuple[Server, WireServer], stream: bool) -> None:
    server, wire = silent
    _, first = await open_request(server, question(stream=stream))
    await wait_for_load(server, 1)
    queued = [await open_request(server, question(stream=stream)) for _ in range(2)]
    await wait_for_load(server, 1, 2)
    reader, fourth = await open_request(server, question(stream=stream))
    assert b" 429 " in await reader.readline()
    queued[0][1].close()
    await wait_for_load(server, 1, 1)
    assert len(wire.requests(CHAT)) == 2  # one at startup; queued requests never reached the target
    first.close()
    await wait_for_load(server, 1, 0)  # the next request gets the slot
    queued[1][1].close()
    fourth.close()
    await wait_for_load(server, 0, 0)
    assert server.metric("requests_total", **LEFT) == 3
    assert server.metric("requests_total", dialect="openai", status="429") == 1


async def test_disconnect_with_many_instances_frees_all_slots(silent: tuple[Server, WireServer]) -> None:
    server, _ = silent
    _, writer = await open_request(server, {"instances": ["a"] * 8}, "/predict")
    await wait_for_load(server, 1)
    writer.close()
    await wait_for_load(server, 0, 0)


async def test_error_of_one_instance_is_not_counted_as_disconnects(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path, SPACEPORT_REQUEST_SECONDS=1) as server, client(server) as caller:
        wire.on(CHAT, PARTIAL)
        answer = await caller.post("/predict", json={"instances": ["a", "b", "c"]})
        assert answer.status_code == 504
        assert server.metric("requests_total", dialect="vertex", status="499") == 0


async def test_disconnect_during_a_body_logs_no_error(server: Server) -> None:
    before = len(server.log_lines(level="error"))
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf a body")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    await wait_for_value(200, lambda: server.get("/ready").status_code)
    await asyncio.sleep(0.3)
    assert len(server.log_lines(level="error")) == before
