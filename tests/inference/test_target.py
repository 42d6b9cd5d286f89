"""Servers whose model is a remote target: failures of the target, and what the client gets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from backends import Catalog, ChatRequest, Delta, Interrupted, Message
from backends.http.connections import close_connections
from tests.backends.wire_server import Reply, WireServer, serving
from tests.helpers.servers import wait_until
from tests.inference.servers import Server, answer_of, events, launch_server, question
from tests.inference.targets import (
    ANSWER,
    CHAT,
    END,
    MODEL_LIST,
    MODELS,
    PARTIAL,
    SILENT,
    client,
    event,
    proxy,
    sse,
    target_environment,
    wait_for_value,
)


async def post_chat(server: Server, **more: Any) -> Any:
    async with client(server) as caller:
        return await caller.post(CHAT, json=question(**more))


async def test_server_waits_for_a_target_that_is_not_up_yet(tmp_path: Path) -> None:
    async with serving() as wire:
        port = int(wire.url.rpartition(":")[2])
    with launch_server(tmp_path, **target_environment(tmp_path, f"http://127.0.0.1:{port}")) as server:
        await asyncio.to_thread(wait_until, lambda: server.log_lines(message="waiting for the model"))
        assert server.get("/ready").status_code == 503
        assert server.get("/health").status_code == 200
        assert (await post_chat(server)).status_code == 503
        async with serving(port) as wire:
            wire.on(MODELS, MODEL_LIST)
            wire.on(CHAT, ANSWER)
            await asyncio.to_thread(server.wait_ready)
            assert (await post_chat(server)).json()["choices"][0]["message"]["content"] == "Hello you."
        await wait_for_value(503, lambda: server.get("/ready").status_code)
        assert (await post_chat(server)).status_code == 503
        async with serving(port) as wire:
            wire.on(MODELS, MODEL_LIST)
            wire.on(CHAT, ANSWER)
            await asyncio.to_thread(server.wait_ready)
            assert (answer := await post_chat(server)).status_code == 200, answer.text
            assert server.metric("ready") == 1


async def test_target_that_closes_connections_without_notice_is_ready_at_once(wire: WireServer, tmp_path: Path) -> None:
    wire.one_request_per_connection = True
    wire.on(MODELS, MODEL_LIST)
    wire.on(CHAT, ANSWER)
    with launch_server(tmp_path, **target_environment(tmp_path, wire.url)) as server:
        await asyncio.to_thread(
            wait_until, lambda: server.log_lines(message="ready") or server.log_lines(level="warning")
        )
        assert not server.log_lines(level="warning")
        assert (answer := await post_chat(server)).status_code == 200, answer.text


async def test_error_before_the_first_token_sets_the_status(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path) as server:
        for status, retry, expected in (
            (429, "7", 503),
            (503, "7", 503),
            (401, None, 502),
            (403, None, 502),
            (400, None, 400),
            (422, None, 422),
            (500, None, 502),
        ):
            headers = {"retry-after": retry} if retry else {}
            wire.on(CHAT, Reply.json({"error": {"message": "no"}}, status, **headers))
            for stream in (False, True):
                answer = await post_chat(server, stream=stream)
                assert answer.status_code == expected, answer.text
                assert answer.headers.get("retry-after") == retry
                assert answer.json()["error"]["code"] == expected
                assert answer.headers["x-request-id"]
        assert server.metric("errors_total", kind="overloaded") == 4
        assert server.metric("errors_total", kind="rejected") == 10
        assert server.metric("requests_in_flight") == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_busy_target_without_retry_after_gets_one(wire: WireServer, tmp_path: Path, status: int) -> None:
    async with proxy(wire, tmp_path) as server:
        wire.on(CHAT, Reply.json({"error": {"message": "no"}}, status))
        answer = await post_chat(server)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1


async def test_error_after_the_first_token_becomes_an_event(wire: WireServer, tmp_path: Path) -> None:
    failure = sse({"error": {"message": "out of memory", "code": 500}})
    async with proxy(wire, tmp_path) as server:
        for reply in (Reply([event(content="Hello "), failure]), Reply([event(content="Hello ")], end="drop")):
            wire.on(CHAT, reply)
            answer = await post_chat(server, stream=True)
            assert answer.status_code == 200
            *chunks, last = events(answer.text)
            assert answer_of(chunks) == "Hello "
            assert last["error"]["code"] == 502
            assert (await post_chat(server)).status_code == 502
            backend = Catalog({"x": {"kind": "openai", "url": server.url}}, source="test").connect("x")
            stream = backend.stream(ChatRequest((Message("user", "Hi"),)))
            assert await anext(stream) == Delta("Hello ")
            with pytest.raises(Interrupted):
                await anext(stream)
        assert server.metric("errors_total", kind="interrupted") == 6
    await close_connections()


async def test_long_silence_sends_comments_and_times_out(wire: WireServer, tmp_path: Path) -> None:
    limits = {"SPACEPORT_SILENCE_SECONDS": 0.2, "SPACEPORT_REQUEST_SECONDS": 1}
    async with proxy(wire, tmp_path, **limits) as server:
        wire.on(CHAT, SILENT)
        answer = await post_chat(server, stream=True)
        assert answer.status_code == 200
        assert answer.text.startswith(": still here\n\n: still here\n\n")
        [last] = events(answer.text)
        assert last["error"]["code"] == 504
        wire.on(CHAT, SILENT)
        assert (await post_chat(server)).status_code == 504
        wire.on(CHAT, PARTIAL)
        *chunks, last = events((await post_chat(server, stream=True)).text)
        assert answer_of(chunks) == "Hello "
        assert "took longer than 1 s" in last["error"]["message"]
        await wait_for_value(0.0, lambda: server.metric("requests_in_flight"))
        assert server.metric("errors_total", kind="timed_out") == 3


async def test_silence_after_the_first_token_sends_comments(wire: WireServer, tmp_path: Path) -> None:
    limits = {"SPACEPORT_SILENCE_SECONDS": 0.2, "SPACEPORT_REQUEST_SECONDS": 1}
    async with proxy(wire, tmp_path, **limits) as server:
        wire.on(CHAT, PARTIAL)
        assert ": still here" in (await post_chat(server, stream=True)).text


async def test_time_out_before_the_first_event_sets_the_status(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path, SPACEPORT_REQUEST_SECONDS=0.5) as server:
        wire.on(CHAT, SILENT)
        assert (await post_chat(server, stream=True)).status_code == 504


async def test_thoughts_are_separate_from_the_answer(wire: WireServer, tmp_path: Path) -> None:
    async with proxy(wire, tmp_path, SPACEPORT_MODEL_NAME="ours") as server:
        wire.on(CHAT, Reply([event(reasoning_content="Hm. "), event(content="Hello."), *END]))
        message = (await post_chat(server)).json()["choices"][0]["message"]
        assert (message["reasoning_content"], message["content"]) == ("Hm. ", "Hello.")
        *chunks, _ = events((await post_chat(server, stream=True, model="ours")).text)
        assert [chunk["choices"][0]["delta"] for chunk in chunks[1:3]] == [
            {"reasoning_content": "Hm. "},
            {"content": "Hello."},
        ]
        assert {chunk["model"] for chunk in chunks} == {"ours"}
        assert wire.requests(CHAT)[-1].json["model"] == "tiny"
        assert (await post_chat(server, model="tiny")).status_code == 404
