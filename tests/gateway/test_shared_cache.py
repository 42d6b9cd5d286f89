"""Cached answers in a real Redis, also while it is full or away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from backends.serving.redis.connection import SharedRedis
from backends.stopwatch import cpu_clock
from gateway.cache.answers import Answers
from gateway.cache.stores import PREFIX, MemoryStore, RedisStore
from tests.gateway.servers import until
from tests.gateway.test_cache import EVENTS, ask, entry
from tests.gateway.upstreams import ScriptedUpstream, words
from tests.helpers.redis_server import RedisServer, serving_redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[SharedRedis]:
    server.client.flushall()
    redis = SharedRedis(server.url, seconds=5, probe_seconds=0.05)
    yield redis
    await redis.aclose()


def new_answers(redis: SharedRedis, seconds: float = 60) -> Answers:
    return Answers(RedisStore(redis, MemoryStore(1_000_000, seconds), seconds))


async def stored(answers: Answers) -> None:
    """Wait until the store has what was answered."""
    await until(lambda: not answers._flights)


async def test_another_gateway_gives_the_stored_answer_until_its_time_is_over(
    server: RedisServer, redis: SharedRedis
) -> None:
    first = new_answers(redis)
    assert (await ask(first, ScriptedUpstream(*EVENTS)))[0] == "miss"
    await stored(first)
    assert await ask(new_answers(redis), ScriptedUpstream()) == ("hit", entry(*EVENTS).joined(), "gpu")
    assert 50_000 < server.client.pttl(f"{PREFIX}k") <= 60_000
    server.client.delete(f"{PREFIX}k")
    assert (await ask(new_answers(redis), ScriptedUpstream(*words("new"))))[0] == "miss"


@pytest.mark.parametrize("data", [b'{"format":0}', b"garbage", b""])
async def test_an_entry_of_another_version_is_ignored(server: RedisServer, redis: SharedRedis, data: bytes) -> None:
    server.client.set(f"{PREFIX}k", data)
    answers = new_answers(redis)
    assert (await ask(answers, ScriptedUpstream(*words("new"))))[0] == "miss"
    await stored(answers)
    assert (await ask(answers, ScriptedUpstream()))[0] == "hit"


async def test_a_full_redis_costs_no_answer_and_memory_takes_over(server: RedisServer, redis: SharedRedis) -> None:
    answers = new_answers(redis)
    server.fill()
    try:
        assert (await ask(answers, ScriptedUpstream(*words("a"))))[0] == "miss"
        await stored(answers)
        assert (await ask(answers, ScriptedUpstream()))[0] == "hit"
        assert redis.failure == "Redis is full."
    finally:
        server.empty()


async def test_a_hit_takes_less_than_2_ms_of_a_processor(redis: SharedRedis) -> None:
    answers = new_answers(redis)
    await ask(answers, ScriptedUpstream(*words(*(f"word{number} " for number in range(500)))))
    await stored(answers)
    seconds = []
    for _ in range(50):
        started = cpu_clock()
        assert (await ask(answers, ScriptedUpstream()))[0] == "hit"
        seconds.append(cpu_clock() - started)
        await asyncio.sleep(0)
    assert min(seconds) < 0.002
