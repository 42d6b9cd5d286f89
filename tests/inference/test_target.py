"""A target beside the server: what it does wrong, and what the caller is told of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from backends import Catalog, ChatRequest, Delta, Interrupted, Message
from backends.http import client as http
from tests.backends.wire_server import Reply, WireServer, serving
from tests.inference.servers import Server, answer_of, events, launched, question, until
from tests.inference.targets import (
    ANSWER,
    BEGUN,
    CHAT,
    END,
    LISTED,
    MODELS,
    SILENT,
    becomes,
    before,
    catalogue,
    client,
    event,
    sent,
)


async def asked(server: Server, **more: Any) -> Any:
    async with client(server) as caller:
        return await caller.post(CHAT, json=question(**more))


async def test_a_target_that_is_not_up_yet_is_waited_for(tmp_path: Path) -> None:
    async with serving() as found:
        port = int(found.url.rpartition(":")[2])
    with launched(tmp_path, **catalogue(tmp_path, f"http://127.0.0.1:{port}")) as server:
        await asyncio.to_thread(until, lambda: server.logged(message="waiting for the model"))
        assert server.get("/ready").status_code == 503
        assert server.get("/health").status_code == 200
        assert (await asked(server)).status_code == 503
        async with serving(port) as wire:
            wire.on(MODELS, LISTED)
            wire.on(CHAT, ANSWER)
            await asyncio.to_thread(server.wait_ready)
            assert (await asked(server)).json()["choices"][0]["message"]["content"] == "Hello you."
        await becomes(503, lambda: server.get("/ready").status_code)
        assert (await asked(server)).status_code == 503
        async with serving(port) as wire:
            wire.on(MODELS, LISTED)
            wire.on(CHAT, ANSWER)
            await asyncio.to_thread(server.wait_ready)
            assert (said := await asked(server)).status_code == 200, said.text
            assert server.metric("ready") == 1


async def test_a_target_that_closes_its_connections_unannounced_is_ready_at_once(
    wire: WireServer, tmp_path: Path
) -> None:
    wire.once = True
    wire.on(MODELS, LISTED)
    wire.on(CHAT, ANSWER)
    with launched(tmp_path, **catalogue(tmp_path, wire.url)) as server:
        await asyncio.to_thread(until, lambda: server.logged(message="ready") or server.logged(level="warning"))
        assert not server.logged(level="warning")
        assert (said := await asked(server)).status_code == 200, said.text


async def test_an_error_before_the_first_token_has_a_status_of_its_own(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path) as server:
        for given, retry, expected in (
            (429, "7", 503),
            (503, "7", 503),
            (401, None, 502),
            (403, None, 502),
            (400, None, 400),
            (422, None, 422),
            (500, None, 502),
        ):
            headers = {"retry-after": retry} if retry else {}
            wire.on(CHAT, Reply.json({"error": {"message": "no"}}, given, **headers))
            for stream in (False, True):
                answer = await asked(server, stream=stream)
                assert answer.status_code == expected, answer.text
                assert answer.headers.get("retry-after") == retry
                assert answer.json()["error"]["code"] == expected
                assert answer.headers["x-request-id"]
        assert server.metric("errors_total", kind="overloaded") == 4
        assert server.metric("errors_total", kind="rejected") == 10
        assert server.metric("requests_in_flight") == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_target_that_names_no_wait_gets_one(wire: WireServer, tmp_path: Path, status: int) -> None:
    async with before(wire, tmp_path) as server:
        wire.on(CHAT, Reply.json({"error": {"message": "no"}}, status))
        answer = await asked(server)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1


async def test_an_error_in_the_middle_becomes_an_event(wire: WireServer, tmp_path: Path) -> None:
    failed = sent({"error": {"message": "out of memory", "code": 500}})
    async with before(wire, tmp_path) as server:
        for reply in (Reply([event(content="Hello "), failed]), Reply([event(content="Hello ")], end="drop")):
            wire.on(CHAT, reply)
            answer = await asked(server, stream=True)
            assert answer.status_code == 200
            *chunks, last = events(answer.text)
            assert answer_of(chunks) == "Hello "
            assert last["error"]["code"] == 502
            assert (await asked(server)).status_code == 502
            backend = Catalog({"x": {"kind": "openai", "url": server.url}}, source="test").connect("x")
            stream = backend.stream(ChatRequest((Message("user", "Hi"),)))
            assert await anext(stream) == Delta("Hello ")
            with pytest.raises(Interrupted):
                await anext(stream)
        assert server.metric("errors_total", kind="interrupted") == 6
    await http.aclose()


async def test_a_long_silence_is_filled_and_ended(wire: WireServer, tmp_path: Path) -> None:
    limits = {"SPACEPORT_SILENCE_SECONDS": 0.2, "SPACEPORT_REQUEST_SECONDS": 1}
    async with before(wire, tmp_path, **limits) as server:
        wire.on(CHAT, SILENT)
        answer = await asked(server, stream=True)
        assert answer.status_code == 200
        assert answer.text.startswith(": still here\n\n: still here\n\n")
        [last] = events(answer.text)
        assert last["error"]["code"] == 504
        wire.on(CHAT, SILENT)
        assert (await asked(server)).status_code == 504
        wire.on(CHAT, BEGUN)
        *chunks, last = events((await asked(server, stream=True)).text)
        assert answer_of(chunks) == "Hello "
        assert "took longer than 1 s" in last["error"]["message"]
        await becomes(0.0, lambda: server.metric("requests_in_flight"))
        assert server.metric("errors_total", kind="timed_out") == 3


async def test_a_silence_in_the_middle_is_filled_too(wire: WireServer, tmp_path: Path) -> None:
    limits = {"SPACEPORT_SILENCE_SECONDS": 0.2, "SPACEPORT_REQUEST_SECONDS": 1}
    async with before(wire, tmp_path, **limits) as server:
        wire.on(CHAT, BEGUN)
        assert ": still here" in (await asked(server, stream=True)).text


async def test_a_time_out_before_the_first_event_has_its_status(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path, SPACEPORT_REQUEST_SECONDS=0.5) as server:
        wire.on(CHAT, SILENT)
        assert (await asked(server, stream=True)).status_code == 504


async def test_thoughts_arrive_apart_from_the_answer(wire: WireServer, tmp_path: Path) -> None:
    async with before(wire, tmp_path, SPACEPORT_MODEL_NAME="ours") as server:
        wire.on(CHAT, Reply([event(reasoning_content="Hm. "), event(content="Hello."), *END]))
        message = (await asked(server)).json()["choices"][0]["message"]
        assert (message["reasoning_content"], message["content"]) == ("Hm. ", "Hello.")
        *chunks, _ = events((await asked(server, stream=True, model="ours")).text)
        assert [chunk["choices"][0]["delta"] for chunk in chunks[1:3]] == [
            {"reasoning_content": "Hm. "},
            {"content": "Hello."},
        ]
        assert {chunk["model"] for chunk in chunks} == {"ours"}
        assert wire.requests(CHAT)[-1].json["model"] == "tiny"
        assert (await asked(server, model="tiny")).status_code == 404
