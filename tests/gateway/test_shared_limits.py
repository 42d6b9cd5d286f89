"""Limits that gateways share through a real Redis, also while it is full, slow, started again or away."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from backends import NotConfigured
from backends.serving.redis.connection import SharedRedis
from backends.serving.redis.windows import RedisCounter
from gateway.limits.quota import LimitReached, Limits, Quota
from tests.conftest import ROOT
from tests.gateway.test_limits import allowed
from tests.helpers.redis_server import RedisServer, serving_redis

SECONDS = 5.0  # a busy machine must not look like a slow Redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@asynccontextmanager
async def gateway(server: RedisServer, seconds: float = SECONDS) -> AsyncIterator[tuple[SharedRedis, Limits]]:
    """The limits of one gateway."""
    redis = SharedRedis(server.url, seconds=seconds, probe_seconds=0.05)
    try:
        yield redis, Limits(RedisCounter(redis))
    finally:
        await redis.aclose()


async def until_up(redis: SharedRedis) -> None:
    async with asyncio.timeout(30):
        while not redis.is_up:  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.01)


async def test_two_gateways_share_a_limit(server: RedisServer) -> None:
    async with gateway(server) as (_, one), gateway(server) as (_, other):
        first = await allowed(one, "shared", Quota(requests=100), 60)
        second = await allowed(other, "shared", Quota(requests=100), 60)
        assert (first, second) == (60, 40)
        with pytest.raises(LimitReached) as caught:
            await other.reserve("shared", Quota(requests=100), 1)
        assert 1 <= (caught.value.retry_after or 0) <= 61


async def test_settled_tokens_are_free_for_the_other_gateway(server: RedisServer) -> None:
    quota = Quota(tokens=1000)
    async with gateway(server) as (_, one), gateway(server) as (_, other):
        reservation = await one.reserve("settled", quota, 900)
        assert not await allowed(other, "settled", quota, 1, tokens=200)
        await reservation.settle(300)
        assert await allowed(other, "settled", quota, 9, tokens=100) == 7
        more = await one.reserve("more", quota, 100)
        await more.settle(950)
        assert await allowed(other, "more", quota, 9, tokens=10) == 5


async def test_a_correction_goes_to_the_window_in_which_the_tokens_were_taken(server: RedisServer) -> None:
    async with gateway(server) as (redis, _):
        counter = RedisCounter(redis)
        await counter.take("old", 1000, 800)
        current = "spaceport:limits:{minute/old/1000/1/minute}"
        server.client.pexpire(current, 50_000)  # as if its window had ended 10 s ago
        await counter.correct("old", 1000, -300, age=20)
        window = await counter.window("old", 1000)
        assert (window.previous, window.current) == (500, 0)
        assert window.previous_seconds == pytest.approx(50, abs=1)
        await counter.correct("old", 1000, -300, age=200)  # of a window that no longer counts
        await counter.correct("old", 1000, -9999, age=0)  # never below nothing
        window = await counter.window("old", 1000)
        assert (window.previous, window.current) == (500, 0)
        await counter.correct("unknown", 1000, -5, age=0)
        assert (await counter.window("unknown", 1000)).current == 0


# A gateway on a machine whose clock is wrong: takes what it can of a key, and prints how much that was.
OTHER_CLOCK = """
import asyncio, json, sys, time
shift, real = float(sys.argv[2]), time.time
time.time = lambda: real() + shift
from gateway.limits.quota import LimitReached, Limits, Quota
from backends.serving.redis.windows import RedisCounter
from backends.serving.redis.connection import SharedRedis

async def main():
    redis = SharedRedis(sys.argv[1], seconds=5)
    limits, count = Limits(RedisCounter(redis)), 0
    for _ in range(int(sys.argv[3])):
        try:
            await limits.reserve("clocks", Quota(requests=100), 1)
            count += 1
        except LimitReached:
            pass
    await redis.aclose()
    print(json.dumps(count))

asyncio.run(main())
"""


def test_gateways_with_clocks_30_s_apart_share_a_limit(server: RedisServer) -> None:
    counts = []
    for shift, requests in ((30, 60), (0, 60)):
        command = [sys.executable, "-c", OTHER_CLOCK, server.url, str(shift), str(requests)]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        counts.append(json.loads(process.stdout))
    assert counts == [60, 40]


async def test_while_redis_is_away_each_gateway_limits_by_itself(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    quota = Quota(requests=50)
    async with gateway(server) as (redis, one), gateway(server) as (other_redis, other):
        assert await allowed(one, "away", quota, 30) == 30
        server.stop()
        assert await allowed(one, "away", quota, 30) == 20  # this gateway's own count goes on
        assert redis.failure == "Redis failed (ConnectionError)."
        assert await allowed(other, "away", quota, 60) == 50
        server.start()
        await asyncio.gather(until_up(redis), until_up(other_redis))
        # Redis has forgotten all, each gateway hasn't.
        assert await allowed(one, "away", quota, 30) == 0
        assert await allowed(one, "back", quota, 30) == 30
        assert await allowed(other, "back", quota, 30) == 20
    lines = [record.message for record in caplog.records if "limits and cache" in record.message]
    assert lines.count("limits and cache use this process' memory") == 2  # once for each gateway
    assert lines.count("limits and cache are shared again") == 2


async def test_redis_stops_in_the_middle_of_many_requests(server: RedisServer) -> None:
    quota = Quota(requests=400)
    async with gateway(server) as (redis, limits):
        work = asyncio.create_task(allowed(limits, "middle", quota, 1000))
        await asyncio.sleep(0.05)
        server.stop()
        assert await work == 400  # none is lost, and none is let through twice
        server.start()
        await until_up(redis)


async def test_a_full_redis_is_left_out_until_it_has_room(server: RedisServer) -> None:
    async with gateway(server) as (redis, limits):
        server.fill()
        try:
            assert await allowed(limits, "full", Quota(requests=10), 30) == 10
            assert redis.failure == "Redis is full."
            await asyncio.sleep(0.2)
            assert not redis.is_up
        finally:
            server.empty()
        await until_up(redis)


async def test_a_slow_redis_delays_one_request_by_its_time_out(server: RedisServer) -> None:
    loop = asyncio.get_running_loop()
    async with gateway(server, seconds=0.2) as (redis, limits):
        await limits.reserve("slow", Quota(10, 1000), 1)
        server.pause()
        try:
            started = loop.time()
            reservation = await limits.reserve("slow", Quota(10, 1000), 1)
            assert loop.time() - started < 2
            seconds = []
            for _ in range(3):
                started = loop.time()
                await limits.reserve("slow", Quota(10, 1000), 1)
                seconds.append(loop.time() - started)
            await reservation.settle(0)
            assert min(seconds) < 0.15  # nobody waits any more
            assert redis.failure == "Redis didn't answer in time."
        finally:
            server.resume()
        await until_up(redis)


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(NotConfigured, match="SPACEPORT_REDIS_URL"):
        SharedRedis("http://user:secret@host")
