"""Limits, cache and routing in the way of requests through a gateway, with the real clients and a real Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.backends.wire_server import Reply, WireServer, serving
from tests.gateway.servers import COST, EMBEDDINGS, VECTORS, Running, gateway, until, write_catalog
from tests.helpers.redis_server import RedisServer, serving_redis
from tests.inference.servers import answer_of, events, launch_server, question
from tests.inference.targets import ANSWER, CHAT, ENDLESS, event

ROUTES = """
[route]
kind = "gateway.routing"
targets = ["spare", "paid"]
failures = 2
pause_seconds = 3

[test]
kind = "gateway.routing"
choose = "weights"
targets = ["paid", "spare"]
weights = [50, 50]

[busy]
kind = "gateway.routing"
choose = "least_busy"
targets = ["paid", "spare"]

[cheap]
kind = "gateway.routing"
choose = "cheapest"
targets = ["spare", "paid"]

[first]
kind = "fallback"
targets = ["away", "spare", "paid"]
"""
SLOW = Reply([event(content="Hello ")], end="hang")
FAILURE = Reply.json({"error": {"message": "broken"}}, 500)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def spare() -> AsyncIterator[WireServer]:
    """The model server of a second target."""
    async with serving() as server:
        server.on(CHAT, ANSWER)
        yield server


def routes(spare: WireServer, **more: float) -> str:
    """Entries of the catalogue: a second target and routes."""
    entry = {"kind": "openai", "url": spare.url, "model": "tiny", "price": "tokens:10/20", **more}
    return "\n".join(["[spare]", *(f"{name} = {json.dumps(value)}" for name, value in entry.items()), ROUTES])


async def ask(running: Running, key: str, model: str = "paid", **more: Any) -> tuple[str, str]:
    """The target that answers, and the source of the answer."""
    answer = await running.chat(key, model, **more)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-spaceport-target"], answer.headers["x-spaceport-cache"]


# Limits.


async def test_a_key_has_its_requests_a_minute(wire: WireServer, tmp_path: Path) -> None:
    from openai import AsyncOpenAI, RateLimitError  # a second in each test process that collects this module

    async with gateway(wire, tmp_path) as running:
        key, other = await running.add_key(requests_per_minute=3), await running.add_key("bob")
        answers = await asyncio.gather(*(running.chat(key) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 7
        assert (await running.chat(other)).status_code == 200
        async with AsyncOpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0) as client:
            with pytest.raises(RateLimitError, match="3 requests a minute") as caught:
                await client.chat.completions.create(model="paid", **question())
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 120
        rows = await running.rows(12)
        metrics = (await running.client.get("/metrics")).text
    assert [row["outcome"] for row in rows].count("refused") == 8
    assert {row["error"] for row in rows if row["outcome"] == "refused"} == {"limit_reached"}
    assert 'spaceport_limit_refusals_total{kind="requests"} 8.0' in metrics


async def test_tokens_are_settled_by_what_the_server_counted(wire: WireServer, tmp_path: Path) -> None:
    """Each request reserves about 105 tokens and uses 7."""
    async with gateway(wire, tmp_path) as running:
        key = await running.add_key(tokens_per_minute=130)
        for _ in range(3):
            assert (await running.chat(key, tokens=100)).status_code == 200
        both = await asyncio.gather(running.chat(key, tokens=100), running.chat(key, tokens=100))
        assert sorted(answer.status_code for answer in both) == [200, 429]
        too_many = await running.chat(key, tokens=1000)
        assert too_many.status_code == 400
        assert "smaller max_tokens" in too_many.text


async def test_two_gateways_share_limits_and_answers(wire: WireServer, redis: RedisServer, tmp_path: Path) -> None:
    options = {"redis_url": redis.url, "redis_seconds": 5.0, "cache_mb": 1.0}
    options |= {"database_url": f"sqlite:///{tmp_path}/shared.sqlite"}
    async with gateway(wire, tmp_path / "1", **options) as one, gateway(wire, tmp_path / "2", **options) as other:
        key = await one.add_key(requests_per_minute=6)
        await until(lambda: len(other.gateway.parts.keys) == 1)
        assert await ask(one, key) == ("paid", "miss")
        assert await ask(other, key) == ("paid", "hit")
        answers = await asyncio.gather(*(running.chat(key) for running in (one, other) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200] * 4 + [429] * 6
        assert len(wire.requests(CHAT)) == 1
        assert "redis_up 1.0" in (await one.client.get("/metrics")).text
        redis.stop()
        try:
            assert [(await running.chat(key)).status_code for running in (one, other)] == [200, 200]
            ready = await one.client.get("/ready")
            assert ready.status_code == 200
            assert ready.json()["limits"].startswith("of this gateway alone: Redis failed")
            assert "redis_up 0.0" in (await one.client.get("/metrics")).text
        finally:
            redis.start()
        async with asyncio.timeout(30):
            while one.gateway.redis_failure:  # noqa: ASYNC110 - the state of another process
                await asyncio.sleep(0.05)
        assert (await one.client.get("/ready")).json() == {"status": "ready"}


# A gateway on a machine whose clock is half a minute ahead.
AHEAD = """
import runpy, time
real = time.time
time.time = lambda: real() + 30
runpy.run_module("gateway", run_name="__main__", alter_sys=True)
"""


async def test_a_gateway_whose_clock_is_30_s_ahead_shares_limits_and_budgets(
    wire: WireServer, redis: RedisServer, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/shared.sqlite"
    (tmp_path / "ahead.py").write_text(AHEAD)
    settings = {"SPACEPORT_DATABASE_URL": database, "SPACEPORT_REDIS_URL": redis.url, "SPACEPORT_REDIS_SECONDS": 5}
    settings |= {"SPACEPORT_CATALOG": str(write_catalog(tmp_path, wire.url)), "SPACEPORT_DATA": str(tmp_path / "2")}
    options: dict[str, Any] = {"redis_url": redis.url, "redis_seconds": 5.0, "database_url": database}
    async with gateway(wire, tmp_path / "1", **options) as one, AsyncExitStack() as stack:
        key = await one.add_key(requests_per_minute=6, usd=1)
        other = stack.enter_context(launch_server(tmp_path, module="ahead", SPACEPORT_CACHE_MB=0, **settings))
        await asyncio.to_thread(other.wait_ready)

        async def ask_other() -> int:
            headers, body = {"authorization": f"Bearer {key}"}, {"model": "paid", **question()}
            return (await one.client.post(other.url + CHAT, json=body, headers=headers)).status_code

        first = [await ask_other() for _ in range(3)]
        second = [(await one.chat(key)).status_code for _ in range(4)]
        assert [*first, *second, await ask_other()] == [*[200] * 6, 429, 429]
        rows = await one.rows(8)
        (known,) = one.store.read_keys()
        spent = one.gateway.parts.budgets.spent
        await until(lambda: spent(known.id, f"{rows[0]['started_at']:%Y-%m}") == 6 * COST)
    ahead = [row["started_at"] for row in rows if row["gateway"] != one.gateway.parts.id]
    assert min(ahead) > max(row["started_at"] for row in rows if row["gateway"] == one.gateway.parts.id)


# The cache.


async def test_equal_requests_are_answered_once_and_paid_once(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, cache_mb=1.0) as running:
        wire.on(CHAT, Reply(ANSWER.parts, go=(go := asyncio.Event())))
        key, other = await running.add_key(usd=1), await running.add_key("bob")
        asked = [asyncio.create_task(ask(running, key)) for _ in range(4)]
        await until(lambda: [each.readers for each in running.gateway.parts.answers._flights.values()] == [4])
        go.set()
        sources = [source for _, source in await asyncio.gather(*asked)]
        assert sorted(sources) == ["miss", "shared", "shared", "shared"]
        assert await ask(running, key) == ("paid", "hit")
        assert (await ask(running, other))[1] == "miss"  # owners share nothing
        assert (await ask(running, key, temperature=0.5))[1] == "none"
        headers = {"authorization": f"Bearer {key}", "cache-control": "no-store"}
        fresh = await running.client.post(CHAT, json={"model": "paid", **question()}, headers=headers)
        assert fresh.headers["x-spaceport-cache"] == "none"
        rows = await running.rows(8)
        metrics = (await running.client.get("/metrics")).text
        assert not running.gateway.parts.budgets.reserved
    assert len(wire.requests(CHAT)) == 4
    assert sorted(row["cost"] for row in rows) == [0] * 4 + [COST] * 4
    assert sorted(row["cache"] for row in rows) == sorted(["miss"] * 2 + ["shared"] * 3 + ["hit"] + ["none"] * 2)
    assert {(row["input_tokens"], row["output_tokens"], row["target"]) for row in rows} == {(5, 2, "paid")}
    assert 'spaceport_answers_total{source="shared"} 3.0' in metrics
    assert 'spaceport_answers_total{source="hit"} 1.0' in metrics


async def test_a_stored_answer_has_every_format(wire: WireServer, tmp_path: Path) -> None:
    from openai import AsyncOpenAI

    async with gateway(wire, tmp_path, cache_mb=1.0) as running:
        key = await running.add_key()
        await ask(running, key)
        headers = {"authorization": f"Bearer {key}"}
        body = {"model": "paid", **question(), "stream": True, "stream_options": {"include_usage": True}}
        stream = await running.client.post(CHAT, json=body, headers=headers)
        assert stream.headers["x-spaceport-cache"] == "hit"
        assert answer_of(events(stream.text)) == "Hello you."
        assert events(stream.text)[-2]["usage"]["total_tokens"] == 7
        async with AsyncOpenAI(base_url=f"{running.url}/v1", api_key=key) as client:
            reply = await client.responses.with_raw_response.create(
                model="paid", input="Name a colour.", max_output_tokens=8, temperature=0
            )
        assert reply.headers["x-spaceport-cache"] == "hit"
    assert len(wire.requests(CHAT)) == 1


async def test_a_client_that_leaves_takes_nothing_from_the_others(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, cache_mb=1.0) as running:
        key = await running.add_key()
        wire.on(CHAT, ENDLESS)
        headers = {"authorization": f"Bearer {key}"}
        body = {"model": "paid", **question(), "stream": True}
        async with AsyncExitStack() as stack:
            leader = stack.enter_async_context(running.client.stream("POST", CHAT, json=body, headers=headers))
            await (first := await leader).aiter_lines().__anext__()
            async with running.client.stream("POST", CHAT, json=body, headers=headers) as follower:
                assert (first.headers["x-spaceport-cache"], follower.headers["x-spaceport-cache"]) == ("miss", "shared")
                lines = follower.aiter_lines()
                await anext(lines)
                await first.aclose()
                await running.rows(1)  # the leader's
                for _ in range(100):
                    await anext(lines)
                assert not wire.client_left.is_set()
            async with asyncio.timeout(10):
                await wire.client_left.wait()
        rows = await running.rows(2)
    assert len(wire.requests(CHAT)) == 1
    assert [(row["outcome"], row["cost"] == 0) for row in rows] == [("cancelled", True), ("cancelled", False)]


# Routes.


async def test_a_route_leaves_out_what_fails_and_tries_it_again(
    wire: WireServer, spare: WireServer, tmp_path: Path
) -> None:
    async with gateway(wire, tmp_path, routes(spare)) as running:
        key = await running.add_key(usd=1)
        assert await ask(running, key, "route") == ("spare", "none")
        spare.on(CHAT, FAILURE)
        for _ in range(4):
            assert (await ask(running, key, "route"))[0] == "paid"
        assert len(spare.requests(CHAT)) == 3  # one that worked, two that failed; then it is left out
        assert 'target_left_out{target="spare"} 1.0' in (await running.client.get("/metrics")).text
        card = (await running.client.get("/v1/models/spare", headers={"x-api-key": key})).json()
        assert (card["state"], card["usd_per_hour"]) == ("left_out", None)
        assert "routes leave it out" in card["reason"]
        spare.on(CHAT, ANSWER)
        await asyncio.sleep(3.05)
        assert (await ask(running, key, "route"))[0] == "spare"
        rows = await running.rows(6)
    assert [row["target"] for row in rows] == ["spare", *["paid"] * 4, "spare"]
    assert [row["cost"] for row in rows] == [10 * COST, *[COST] * 4, 10 * COST]


async def test_users_stay_with_their_target_and_share_no_answers_across(
    wire: WireServer, spare: WireServer, tmp_path: Path
) -> None:
    async with gateway(wire, tmp_path, routes(spare), cache_mb=1.0) as running:
        key = await running.add_key()
        users = [f"user{number}" for number in range(12)]
        first = [await ask(running, key, "test", user=user) for user in users]
        again = [await ask(running, key, "test", user=user) for user in users]
        assert {target for target, _ in first} == {"paid", "spare"}
        assert [target for target, _ in first] == [target for target, _ in again]
        assert [source for _, source in first].count("miss") == 2
        assert {source for _, source in again} == {"hit"}


async def test_the_other_choices_reach_their_targets(wire: WireServer, spare: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, routes(spare)) as running:
        key = await running.add_key()
        assert (await ask(running, key, "cheap"))[0] == "paid"
        assert (await ask(running, key, "first"))[0] == "spare"
        wire.on(CHAT, SLOW)
        slow = asyncio.create_task(running.chat(key, "paid"))
        await until(
            lambda: (
                running.gateway.parts.router.states.view(running.gateway.parts.router.routes["busy"], "paid").in_flight
            )
        )
        assert [(await ask(running, key, "busy"))[0] for _ in range(3)] == ["spare"] * 3
        slow.cancel()
        listed = await running.client.get("/v1/models", headers={"x-api-key": key})
        assert {"route", "test", "busy"} <= {model["id"] for model in listed.json()["data"]}
        limited = await running.add_key("bob", targets=("route",))
        assert (await ask(running, limited, "route"))[0] == "spare"
        assert (await running.chat(limited, "spare")).status_code == 403


async def test_an_attempt_that_may_have_worked_is_paid_too(wire: WireServer, spare: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, routes(spare, read_timeout=0.3)) as running:
        key = await running.add_key(usd=1)
        spare.on(CHAT, Reply(end="hang"))
        assert (await ask(running, key, "route"))[0] == "paid"
        wire.on(CHAT, FAILURE)
        assert (await running.chat(key, "route")).status_code == 502
        rows = await running.rows(2)
        assert not running.gateway.parts.budgets.reserved
    timed_out = (len("Name a colour.") + 16) * 10_000  # at the spare target's price
    assert [(row["target"], row["cost"], row["is_bound"]) for row in rows] == [
        ("paid", timed_out + COST, True),
        ("paid", timed_out, True),
    ]
    assert [row["output_tokens"] for row in rows] == [2, None]


async def test_embeddings_have_routes_too(wire: WireServer, spare: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, routes(spare)) as running:
        key = await running.add_key(usd=1, targets=("route", "first"))
        spare.on(EMBEDDINGS, VECTORS)
        headers = {"authorization": f"Bearer {key}"}

        async def embed(model: str) -> tuple[int, str]:
            answer = await running.client.post(EMBEDDINGS, json={"model": model, "input": "Hi"}, headers=headers)
            assert answer.status_code != 200 or answer.json()["model"] == model
            return answer.status_code, answer.headers.get("x-spaceport-target", "")

        assert [await embed(name) for name in ("route", "first")] == [(200, "spare")] * 2
        spare.on(EMBEDDINGS, FAILURE)
        assert [await embed(name) for name in ("route", "first", "route")] == [(200, "paid")] * 3
        assert len(spare.requests(EMBEDDINGS)) == 4  # the route leaves it out after two failures
        wire.on(EMBEDDINGS, FAILURE)
        assert await embed("first") == (502, "")
        rows = await running.rows(6)
    assert [(row["target"], row["cost"], row["input_tokens"]) for row in rows[:3]] == [
        *[("spare", 30_000, 3)] * 2,
        ("paid", 3_000, 3),
    ]
    assert (rows[5]["outcome"], rows[5]["cost"]) == ("error", 0)


async def test_if_every_target_fails_the_error_names_them(wire: WireServer, spare: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, routes(spare)) as running:
        key = await running.add_key()
        wire.on(CHAT, FAILURE)
        spare.on(CHAT, FAILURE)
        for _ in range(4):  # also when all are left out
            answer = await running.chat(key, "route")
            assert answer.status_code == 502
            assert all(name in answer.json()["error"]["message"] for name in ("spare", "paid"))
        (row, *_) = await running.rows(4)
    assert (row["outcome"], row["cost"]) == ("error", 0)


async def test_a_redis_that_is_away_from_the_start_is_told_before_the_first_request(
    wire: WireServer, tmp_path: Path
) -> None:
    async with gateway(wire, tmp_path, redis_url="redis://127.0.0.1:1") as running:
        ready = (await running.client.get("/ready")).json()
    assert ready["limits"].startswith("of this gateway alone: Redis failed")
