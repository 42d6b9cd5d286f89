"""Requests through a gateway: every format, what keys may do, and what the ledger has of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.backends.wire_server import Reply, WireServer
from tests.gateway.servers import COST, Running, gateway, until
from tests.inference.servers import answer_of, events, question
from tests.inference.targets import ANSWER, CHAT, PARTIAL, SILENT, event, sse

SECRET = "Tell nobody about the zebra."


async def test_the_sdks_get_answers_and_the_ledger_gets_no_text(wire: WireServer, tmp_path: Path) -> None:
    from anthropic import AsyncAnthropic  # two seconds, with openai, in each test process that collects this module
    from openai import AsyncOpenAI

    async with gateway(wire, tmp_path) as running:
        key = await running.add_key()
        async with AsyncOpenAI(base_url=f"{running.url}/v1", api_key=key) as client:
            models = {model.id: model.state async for model in client.models.list()}
            assert models == {**dict.fromkeys(("paid", "other", "vectors"), "configured"), "away": "unavailable"}
            assert (await client.models.retrieve("paid")).usd_per_million_tokens == {"input": 1.0, "output": 2.0}
            messages = [{"role": "user", "content": SECRET}]
            whole = await client.chat.completions.create(model="paid", messages=messages)
            assert (whole.model, whole.choices[0].message.content) == ("paid", "Hello you.")
            stream = await client.chat.completions.create(model="paid", messages=messages, stream=True)
            assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hello you."
            assert (await client.responses.create(model="paid", input=SECRET)).output_text == "Hello you."
            vectors = await client.embeddings.create(model="paid", input=SECRET, encoding_format="float")
            assert vectors.data[0].embedding == [0.5, 0.25]
        async with AsyncAnthropic(base_url=running.url, api_key=key) as client:
            message = await client.messages.create(model="other", messages=messages, max_tokens=9)
            assert message.content[0].text == "Hello you."
        rows = await running.rows(5)
    assert [row["dialect"] for row in rows] == ["openai", "openai", "responses", "embeddings", "messages"]
    assert [row["cost"] for row in rows] == [COST, COST, COST, 3_000, None]
    assert {(row["owner"], row["outcome"], row["status"], row["error"]) for row in rows} == {("alice", "ok", 200, "")}
    assert [(row["input_tokens"], row["output_tokens"]) for row in rows] == [(5, 2)] * 3 + [(3, 0), (5, 2)]
    assert all(0 < row["first_token_seconds"] <= row["seconds"] for row in rows if row["dialect"] != "embeddings")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    for text in (b"zebra", b"Hello", key.encode()):
        assert text not in stored


async def test_what_a_key_may_not_do_is_refused_and_written_down(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path) as running:
        key = await running.add_key(targets=("paid",))
        answers = [
            await running.chat("sk-spaceport-wrong"),
            await running.chat(key, "other"),
            await running.chat(key, "payd"),
            await running.chat(key, ""),
            await running.chat(key, temperature=9),
            await running.client.post(CHAT, content=b"{", headers={"authorization": f"Bearer {key}"}),
        ]
        assert [answer.status_code for answer in answers] == [401, 403, 404, 400, 400, 400]
        assert "Did you mean paid?" in answers[2].json()["error"]["message"]
        listed = await running.client.get("/v1/models", headers={"x-api-key": key})
        assert [model["id"] for model in listed.json()["data"]] == ["paid"]
        assert (await running.client.get("/v1/models/other", headers={"x-api-key": key})).status_code == 403
        assert (await running.client.get("/v1/models")).status_code == 401
        everything = await running.add_key("bob")
        assert "NO_SUCH_VARIABLE is not set" in (await running.chat(everything, "away")).text
        assert "The target vectors doesn't chat." in (await running.chat(everything, "vectors")).text
        rows = await running.rows(7)
    assert [row["status"] for row in rows] == [403, 404, 400, 400, 400, 500, 404]  # a stranger has no row
    assert {(row["outcome"], row["cost"], row["input_tokens"]) for row in rows} == {("refused", 0, None)}
    assert [row["target"] for row in rows] == ["", "", "", "", "", "away", "vectors"]
    assert not wire.requests(CHAT)


@pytest.mark.parametrize("path", [CHAT, "/v1/messages", "/v1/responses"])
async def test_a_key_that_is_revoked_ends_its_streams(wire: WireServer, tmp_path: Path, path: str) -> None:
    async with gateway(wire, tmp_path) as running:
        key, other = await running.add_key(), await running.add_key("bob")
        wire.on(CHAT, PARTIAL)
        body = {"model": "paid", "input": "Hi", "stream": True, **question()}
        headers = {"authorization": f"Bearer {key}"}
        silent = asyncio.create_task(running.chat(key))
        unharmed = asyncio.create_task(running.chat(other))
        async with running.client.stream("POST", path, json=body, headers=headers) as answer:
            await until(lambda: len(running.gateway.parts.running) == 3 and len(wire.requests(CHAT)) == 3)
            started = asyncio.get_running_loop().time()
            await asyncio.to_thread(revoke, running, "alice")
            text = (await answer.aread()).decode()
            assert asyncio.get_running_loop().time() - started < 1
        assert "The API key is revoked." in events(text)[-1]["error"]["message"]
        assert (await silent).status_code == 401
        assert (await running.chat(key)).status_code == 401
        rows = await running.rows(2)
        assert {(row["outcome"], row["error"], row["status"]) for row in rows} == {("error", "unauthorized", 401)}
        assert all(row["cost"] > 0 and row["is_bound"] for row in rows)
        assert not unharmed.done()
        unharmed.cancel()


def revoke(running: Running, owner: str) -> None:
    (key_id,) = [key.id for key in running.store.read_keys() if key.owner == owner]
    running.store.revoke_key(key_id, running.store.read_keys()[0].created_at)


async def test_an_answer_without_counted_tokens_costs_at_most_its_bytes(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path) as running:
        key = await running.add_key(usd=1)
        (key_id,) = running.gateway.parts.keys._by_id
        wire.on(CHAT, PARTIAL)  # "Hello " and then nothing
        headers = {"authorization": f"Bearer {key}"}
        body = {"model": "paid", **question("Hi.", 400), "stream": True}
        async with running.client.stream("POST", CHAT, json=body, headers=headers) as answer:
            async for line in answer.aiter_lines():
                if "Hello" in line:
                    assert running.gateway.parts.budgets.reserved[key_id] == (3 + 16) * 1000 + 400 * 2000
                    break
        (row,) = await running.rows(1)
        assert (row["outcome"], row["error"], row["status"]) == ("cancelled", "left", 499)
        assert (row["cost"], row["is_bound"]) == ((3 + 16) * 1000 + 6 * 4 * 2000, True)
        assert not running.gateway.parts.budgets.reserved
        wire.on(CHAT, Reply([event(content="Hello ")], end="drop"), Reply.json({"error": {"message": "busy"}}, 429))
        assert [(await running.chat(key)).status_code for _ in range(2)] == [502, 503]
        cut, busy = (await running.rows(3))[1:]
        assert (cut["outcome"], cut["error"], cut["is_bound"]) == ("error", "interrupted", True)
        assert (busy["outcome"], busy["error"], busy["cost"]) == ("error", "overloaded", 0)
        wire.on(CHAT, Reply(ANSWER.parts[:-2]))  # complete, without counts
        assert (await running.chat(key, tokens=7)).status_code == 200
        row = (await running.rows(4))[3]
        assert (row["outcome"], row["is_bound"], row["cost"]) == (
            "ok",
            True,
            (len("Name a colour.") + 16) * 1000 + 7 * 2000,
        )


FILTERED = [
    sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter"}]}),
    sse({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}),
    b"data: [DONE]\n\n",
]


@pytest.mark.parametrize("before", [[], [event(content="Hello ")]])
async def test_what_a_filter_withholds_costs_what_the_server_counted(
    wire: WireServer, tmp_path: Path, before: list[bytes]
) -> None:
    async with gateway(wire, tmp_path) as running:
        key = await running.add_key(usd=1)
        wire.on(CHAT, Reply([*before, *FILTERED]), Reply([*before, FILTERED[0], FILTERED[2]]))
        for _ in range(2):
            assert "filter" in (await running.chat(key)).json()["error"]["message"]
        counted, uncounted = await running.rows(2)
    assert (counted["cost"], counted["is_bound"], counted["output_tokens"]) == (COST, False, 2)
    assert (uncounted["cost"] > COST, uncounted["is_bound"], uncounted["output_tokens"]) == (True, True, None)


async def test_running_answers_finish_before_the_end(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, drain_seconds=60) as running:
        key = await running.add_key()
        wire.on(CHAT, Reply(ANSWER.parts, go=(go := asyncio.Event())))
        answer = asyncio.create_task(running.chat(key, stream=True))
        await until(lambda: wire.requests(CHAT))
        drain = asyncio.create_task(running.gateway.drain())
        await until(lambda: running.gateway.phase.value == "draining")
        assert (await running.client.get("/ready")).status_code == 503
        assert (await running.chat(key)).status_code == 503
        go.set()
        assert answer_of(events((await answer).text)) == "Hello you."
        await drain
        assert (await running.rows(1))[0]["outcome"] == "ok"


@pytest.mark.parametrize("reply", [SILENT, PARTIAL])
async def test_an_answer_that_the_end_of_the_gateway_cuts_is_paid(
    wire: WireServer, tmp_path: Path, reply: Reply
) -> None:
    async with gateway(wire, tmp_path, drain_seconds=0) as running:
        key = await running.add_key(usd=1)
        wire.on(CHAT, reply)
        answer = asyncio.create_task(running.chat(key))
        await until(lambda: wire.requests(CHAT))
        await running.gateway.drain()
        assert "shutting down" in (await answer).text
        (row,) = await running.rows(1)
    assert (row["error"], row["is_bound"], row["cost"] > 0) == ("shutting_down", True, True)


async def test_an_answer_that_ends_early_may_have_had_tool_calls_or_thoughts_that_nobody_saw(
    wire: WireServer, tmp_path: Path
) -> None:
    entry = {"kind": "openai", "url": wire.url, "model": "tiny", "price": "tokens:1/2", "hides_thoughts": True}
    lines = "\n".join(["[thinker]", *(f"{name} = {json.dumps(value)}" for name, value in entry.items())])
    async with gateway(wire, tmp_path, lines, request_seconds=2) as running:
        key = await running.add_key(usd=1)
        wire.on(CHAT, PARTIAL)
        tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
        await asyncio.gather(
            running.chat(key, tokens=400),
            running.chat(key, "thinker", tokens=400),
            running.chat(key, tokens=400, tools=tools),
        )
        rows = sorted(await running.rows(3), key=lambda row: int(row["cost"]))
    prompt = (len("Name a colour.") + 16) * 1000
    assert [row["cost"] for row in rows[:2]] == [prompt + 6 * 4 * 2000, prompt + 400 * 2000]
    assert rows[2]["cost"] > prompt + 400 * 2000
    assert all(row["is_bound"] for row in rows)


async def test_requests_in_progress_fill_no_more_memory_than_they_may(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, parallel=1, requests_mb=0.25) as running:
        key = await running.add_key()
        wire.on(CHAT, Reply(ANSWER.parts, go=(go := asyncio.Event())), ANSWER)
        text = "a" * 100_000
        asked = [asyncio.create_task(running.chat(key, text=text)) for _ in range(4)]
        await until(lambda: sum(each.done() for each in asked) >= 2)
        go.set()
        answers = await asyncio.gather(*asked)
        assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429]
        refusal = next(answer for answer in answers if answer.status_code == 429)
        assert "memory" in refusal.json()["error"]["message"]
        assert int(refusal.headers["retry-after"]) > 0
        assert (await running.chat(key, text=text)).status_code == 200
        assert (await running.chat(key, text="a" * 300_000)).status_code == 200  # alone
        rows = await running.rows(6)
        assert running.gateway.parts.request_bytes == 0
    assert [row["outcome"] for row in rows].count("refused") == 2


async def test_a_silent_target_is_no_reason_to_wait_for_ever(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, request_seconds=0.3) as running:
        key = await running.add_key()
        wire.on(CHAT, SILENT)
        assert (await running.chat(key)).status_code == 504
        (row,) = await running.rows(1)
        assert (row["outcome"], row["error"], row["is_bound"]) == ("error", "timed_out", True)
        metrics = (await running.client.get("/metrics")).text
        assert 'spaceport_target_requests_total{outcome="error",target="paid"} 1.0' in metrics
        assert "alice" not in metrics
        assert json.loads((await running.client.get("/health")).text) == {"status": "alive"}
