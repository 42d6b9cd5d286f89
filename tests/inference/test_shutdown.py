"""Shutdown: running answers finish, new requests get a 503, and no process is left."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from inference.answers.running_answers import RunningAnswers
from inference.http.answer_streams import GeneratedResponse
from inference.server import Server as UvicornServer
from inference.settings import ServerSettings
from tests.backends.wire_server import WireServer
from tests.helpers.servers import wait_until
from tests.inference.servers import Server, events, launch_server, model_file, question
from tests.inference.targets import CHAT, ENDLESS, PARTIAL, SILENT, client, proxy, start_server, wait_for_value


async def wait_in_flight(server: Server, count: int = 1) -> None:
    await wait_for_value(float(count), lambda: server.metric("requests_in_flight"))


async def test_running_answers_finish(tmp_path: Path) -> None:
    model_file()
    async with start_server(tmp_path, SPACEPORT_PARALLEL=2) as server, client(server) as caller:
        body = question("Tell a long story.", tokens=60)
        streams = [asyncio.create_task(caller.post(CHAT, json={**body, "stream": True})) for _ in range(3)]
        complete = asyncio.create_task(caller.post(CHAT, json=body))
        await wait_for_value(2.0, lambda: server.metric("queue_length"))
        server.signal()
        await wait_for_value(503, lambda: server.get("/ready").status_code)
        assert server.get("/ready").json() == {"status": "draining"}
        assert server.get("/health").status_code == 200
        late = await caller.post(CHAT, json=body)
        assert late.status_code == 503
        assert int(late.headers["retry-after"]) >= 1
        for answer in await asyncio.gather(*streams):
            *chunks, done = events(answer.text)
            assert done == "[DONE]"
            assert chunks[-1]["choices"][0]["finish_reason"] in ("length", "stop")
        assert (await complete).json()["usage"]["completion_tokens"] > 0
    assert server.log_lines(message="ended")
    assert not server.log_lines(level="warning")  # such as an expired drain period


async def test_answers_that_outlast_the_drain_period_end_with_an_error(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path, SPACEPORT_DRAIN_SECONDS=1) as server, client(server) as caller:
        wire.on(CHAT, ENDLESS)
        stream = asyncio.create_task(caller.post(CHAT, json=question(stream=True)))
        await wait_for_value(2, lambda: len(wire.requests(CHAT)))  # including the one at startup
        wire.on(CHAT, SILENT)
        silent = asyncio.create_task(caller.post(CHAT, json=question(stream=True)))
        complete = asyncio.create_task(caller.post(CHAT, json=question()))
        several = asyncio.create_task(caller.post("/predict", json={"instances": ["a", "b"]}))
        await wait_in_flight(server, 5)
        server.signal()
        *chunks, last = events((await stream).text)
        assert chunks
        assert "shutting down" in last["error"]["message"]
        for answer in await asyncio.gather(silent, complete, several):
            assert answer.status_code == 503
            assert "shutting down" in answer.json()["error"]["message"]
            assert int(answer.headers["retry-after"]) >= 1
        assert await asyncio.to_thread(server.wait) == 0
    assert server.log_lines(message="the drain period is over")


async def test_the_last_bytes_for_a_slow_client_end_with_the_drain_period_and_no_traceback() -> None:
    class Blocked(GeneratedResponse):
        async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})

    async def never(*_: object) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    host: Any = SimpleNamespace(answers=RunningAnswers())
    answer = asyncio.create_task(Blocked(host)({"type": "http"}, never, never))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await host.answers.drain(0)
    await answer  # uvicorn would log what it raises


async def test_second_signal_stops_the_server_at_once(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path) as server, client(server) as caller:
        wire.on(CHAT, PARTIAL)
        stream = asyncio.create_task(caller.post(CHAT, json=question(stream=True)))
        await wait_in_flight(server)
        server.signal()
        await wait_for_value(503, lambda: server.get("/ready").status_code)
        server.signal()
        assert await asyncio.to_thread(server.wait) == 0
        assert not server.log_lines(message="the drain period is over")
        await asyncio.gather(stream, return_exceptions=True)


async def test_idle_connections_do_not_delay_the_exit(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path) as server:
        idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(5)]
        for _, writer in idle[:3]:
            writer.write(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf a body")
            await writer.drain()
        server.signal()
        assert await asyncio.to_thread(server.wait, 20) == 0
        for _, writer in idle:
            writer.close()


async def test_sigint_works_like_sigterm(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path) as server:
        server.signal(signal.SIGINT)
        assert await asyncio.to_thread(server.wait) == 0


def test_server_and_engine_exit_together(tmp_path: Path) -> None:
    model_file()
    with launch_server(tmp_path / "first") as server:
        server.wait_ready()
        assert len(server.children()) == 1
        server.signal(signal.SIGKILL)
        server.wait()
        wait_until(lambda: not server.processes())
    with launch_server(tmp_path / "second", SPACEPORT_PORT=server.port) as again:
        again.wait_ready()
        assert again.post(CHAT, question(tokens=1)).status_code == 200
        [engine] = again.children()
        os.kill(engine, signal.SIGKILL)
        assert again.wait(30) == 1
        assert "engine's process has ended" in again.log_lines(level="error")[-1]["message"]


async def test_a_drain_that_fails_still_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        loaded = True

        async def run(self) -> None: ...

        async def drain(self) -> None:
            raise OSError("no disk")

    server = UvicornServer(Broken(), FastAPI(), ServerSettings())
    await server._drain()
    assert server.should_exit
    assert "the drain failed" in caplog.messages
