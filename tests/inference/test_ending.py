"""The end: what was begun is finished, what comes late is sent elsewhere, and nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.backends.wire_server import WireServer
from tests.inference.servers import Server, events, launched, model_file, question, until
from tests.inference.targets import BEGUN, CHAT, ENDLESS, SILENT, becomes, before, client, started


async def begun(server: Server, count: int = 1) -> None:
    await becomes(float(count), lambda: server.metric("requests_in_flight"))


async def test_what_was_begun_is_finished(tmp_path: Path) -> None:
    model_file()
    async with started(tmp_path, SPACEPORT_PARALLEL=2) as server, client(server) as caller:
        body = question("Tell a long story.", tokens=60)
        streams = [asyncio.create_task(caller.post(CHAT, json={**body, "stream": True})) for _ in range(3)]
        whole = asyncio.create_task(caller.post(CHAT, json=body))
        await becomes(2.0, lambda: server.metric("queue_length"))
        server.signal()
        await becomes(503, lambda: server.get("/ready").status_code)
        assert server.get("/ready").json() == {"status": "draining"}
        assert server.get("/health").status_code == 200
        late = await caller.post(CHAT, json=body)
        assert late.status_code == 503
        assert int(late.headers["retry-after"]) >= 1
        for answer in await asyncio.gather(*streams):
            *chunks, done = events(answer.text)
            assert done == "[DONE]"
            assert chunks[-1]["choices"][0]["finish_reason"] in ("length", "stop")
        assert (await whole).json()["usage"]["completion_tokens"] > 0
    assert server.logged(message="ended")
    assert not server.logged(level="warning")  # such as that the grace was over


async def test_what_takes_longer_than_the_grace_is_told_so(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path, SPACEPORT_DRAIN_SECONDS=1) as server, client(server) as caller:
        wire.on(CHAT, ENDLESS)
        stream = asyncio.create_task(caller.post(CHAT, json=question(stream=True)))
        await becomes(2, lambda: len(wire.requests(CHAT)))  # one was asked at the start
        wire.on(CHAT, SILENT)
        silent = asyncio.create_task(caller.post(CHAT, json=question(stream=True)))
        whole = asyncio.create_task(caller.post(CHAT, json=question()))
        several = asyncio.create_task(caller.post("/predict", json={"instances": ["a", "b"]}))
        await begun(server, 5)
        server.signal()
        *chunks, last = events((await stream).text)
        assert chunks
        assert "shutting down" in last["error"]["message"]
        for answer in await asyncio.gather(silent, whole, several):
            assert answer.status_code == 503
            assert "shutting down" in answer.json()["error"]["message"]
            assert int(answer.headers["retry-after"]) >= 1
        assert await asyncio.to_thread(server.end) == 0
    assert server.logged(message="the grace is over")


async def test_a_second_signal_ends_it_at_once(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path) as server, client(server) as caller:
        wire.on(CHAT, BEGUN)
        stream = asyncio.create_task(caller.post(CHAT, json=question(stream=True)))
        await begun(server)
        server.signal()
        await becomes(503, lambda: server.get("/ready").status_code)
        server.signal()
        assert await asyncio.to_thread(server.end) == 0
        assert not server.logged(message="the grace is over")
        await asyncio.gather(stream, return_exceptions=True)


async def test_an_idle_connection_does_not_hold_it(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path) as server:
        idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(5)]
        for _, writer in idle[:3]:
            writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf a body")
            await writer.drain()
        server.signal()
        assert await asyncio.to_thread(server.end, 20) == 0
        for _, writer in idle:
            writer.close()


async def test_an_interrupt_is_as_good_as_a_termination(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path) as server:
        server.signal(signal.SIGINT)
        assert await asyncio.to_thread(server.end) == 0


def test_the_engine_goes_with_its_server_and_the_server_with_its_engine(tmp_path: Path) -> None:
    model_file()
    with launched(tmp_path / "first") as server:
        server.wait_ready()
        assert len(server.children()) == 1
        server.signal(signal.SIGKILL)
        server.end()
        until(lambda: not server.processes(), 10)
    with launched(tmp_path / "second", SPACEPORT_PORT=server.port) as again:
        again.wait_ready()
        assert again.post(CHAT, question(tokens=1)).status_code == 200
        [engine] = again.children()
        os.kill(engine, signal.SIGKILL)
        assert again.end(30) == 1
        assert "engine's process has ended" in again.logged(level="error")[-1]["message"]
