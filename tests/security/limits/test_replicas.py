"""Limits that replicas of a page share through a real Redis, also while it is full, away or started again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from backends import NotConfigured
from backends.serving.redis.slots import HOLD_SECONDS
from backends.stopwatch import now
from chat_page.program_api import ProgramApi
from tests.helpers.redis_server import RedisServer, serving_redis
from tests.helpers.servers import wait_until
from ui.admission.admission import Admission
from ui.admission.errors import Refused
from ui.admission.fair_queue import Caller
from ui.admission.page_redis import PageRedis, SharedPlace
from ui.admission.strings import Reason
from ui.admission.work_limits import Limits, Places

ADA, GRACE = Caller("office", "key " + "a" * 43), Caller("office", "key " + "g" * 43)
LIMITS = Limits(
    questions_per_minute=4, address_questions_per_minute=6, answers=Places(4, 2, 1), measurements=Places(1, 1, 1),
    waiting_seconds=1,
)  # fmt: skip
SECONDS = 5.0  # a busy machine must not look like a slow Redis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with serving_redis(tmp_path) as server:
        yield server


@pytest.fixture
def two(server: RedisServer) -> Iterator[list[Admission]]:
    """The admissions of two replicas."""
    with ExitStack() as stack:
        yield [Admission(LIMITS, page_redis=stack.enter_context(closing(replica(server)))) for _ in range(2)]


def replica(server: RedisServer) -> PageRedis:
    return PageRedis(server.url, "chat", seconds=SECONDS, renew_seconds=0.1)


def asked(admission: Admission, caller: Caller, questions: int) -> int:
    """Return how many of the questions are let through."""
    count = 0
    for _ in range(questions):
        try:
            admission.take_question(caller)
        except Refused:
            return count
        count += 1
    return count


def redis_of(admission: Admission) -> PageRedis:
    assert admission._page_redis
    return admission._page_redis


def test_questions_are_counted_over_all_replicas(two: list[Admission], server: RedisServer) -> None:
    one, other = two
    assert (asked(one, ADA, 3), asked(other, ADA, 3)) == (3, 1)
    with pytest.raises(Refused, match="up to 4 of a visitor's questions") as caught:
        other.take_question(ADA)
    assert 1 <= caught.value.retry_after <= 120
    assert (asked(other, GRACE, 4), asked(one, GRACE, 4)) == (2, 0)  # of the network's six
    with pytest.raises(Refused) as caught:
        one.take_question(GRACE)
    assert caught.value.reason is Reason.TOO_MANY_FROM_ADDRESS
    keys = b" ".join(server.client.keys())
    assert keys
    assert b"aaa" not in keys and b"office" not in keys  # a visitor's name has a private key


async def test_a_program_that_waits_for_redis_stops_no_other(two: list[Admission], server: RedisServer) -> None:
    one, other = two
    assert asked(other, ADA, 4) == 4
    nothing: Any = None
    api = ProgramApi(one, nothing, [], connect=lambda target: nothing, options=lambda target, turn, options: options)
    for call in (api.search(ADA, "Why?", {}, 1), api.ask(ADA, "Why?", {}, "t")):
        began = now()
        server.pause()
        asking = asyncio.ensure_future(call)
        await asyncio.sleep(0.05)
        assert now() - began < SECONDS / 2
        server.resume()
        with pytest.raises(Refused):
            await asking


async def test_places_are_given_out_over_all_replicas(two: list[Admission]) -> None:
    one, other = two
    place = await one.answers.enter(ADA)
    with pytest.raises(Refused) as caught:
        await other.answers.enter(ADA)
    assert caught.value.reason is Reason.WAITED
    more = await other.answers.enter(GRACE)
    with pytest.raises(Refused):
        await one.answers.enter(Caller("office", "third"))  # its address has two
    waiting = asyncio.ensure_future(other.answers.enter(ADA))
    await asyncio.sleep(0.1)
    place.release()
    (await waiting).release()
    more.release()
    measuring = await one.measurements.enter(ADA)
    with pytest.raises(Refused):
        await other.measurements.enter(Caller("home", "somebody"))
    measuring.release()


async def test_who_leaves_while_waiting_holds_no_place(two: list[Admission]) -> None:
    one, other = two
    place = await one.answers.enter(ADA)
    waiting = [asyncio.ensure_future(other.answers.enter(ADA)) for _ in range(3)]
    await asyncio.sleep(0.05)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    place.release()
    (await other.answers.enter(ADA)).release()
    await asyncio.to_thread(wait_until, lambda: not redis_of(other).held)


async def test_a_place_that_was_refused_is_not_renewed(two: list[Admission], server: RedisServer) -> None:
    place = await two[0].answers.enter(ADA)
    page_redis, places = redis_of(two[1]), two[1].answers._shared
    assert places
    refused = SharedPlace(page_redis, places, ADA)

    async def take_while_places_are_renewed() -> bool:
        is_taken, _ = await asyncio.gather(refused._take(), refused.renew())
        return is_taken

    assert not await asyncio.wrap_future(page_redis.submit(take_while_places_are_renewed()))
    (places_in_all,) = server.client.keys("*answers}:all")
    assert server.client.zcard(places_in_all) == 1
    place.release()


async def test_the_places_of_a_killed_replica_are_free_again(server: RedisServer) -> None:
    with closing(replica(server)) as living, closing(replica(server)) as killed:
        lanes = [Admission(LIMITS, page_redis=each).answers for each in (living, killed)]
        held = await lanes[1].enter(ADA)
        keys = server.client.keys("*answers}*")

        def age() -> None:
            """Let the time pass for which a slot is held."""
            for key in keys:
                server.client.zincrby(key, -1000 * HOLD_SECONDS, server.client.zrange(key, 0, 0)[0])

        def is_held() -> bool:
            ((_, until),) = server.client.zrange(keys[0], 0, 0, withscores=True)
            return until > time.time() * 1000 + 1

        assert len(keys) == 3 and is_held()
        age()
        wait_until(is_held)  # it is renewed
        with pytest.raises(Refused):
            await lanes[0].enter(ADA)
        killed.held.clear()  # as if it were no longer there
        age()
        (await lanes[0].enter(ADA)).release()
        held.release()


async def test_without_redis_each_replica_limits_by_itself_and_says_so(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.stop()
    with closing(replica(server)) as first, closing(replica(server)) as second:
        one, other = (Admission(LIMITS, page_redis=each) for each in (first, second))
        wait_until(lambda: caplog.messages.count("the page's limits use this process' memory") == 2)
        assert [await asyncio.to_thread(asked, each, ADA, 9) for each in (one, other)] == [4, 4]
        places = [await each.answers.enter(ADA) for each in (one, other)]
        server.start()
        wait_until(lambda: caplog.messages.count("the page's limits are shared again") == 2)
        wait_until(lambda: server.client.zcard("{spaceport:page:chat:answers}:all") == 2)  # taken meanwhile, by both
        places[0].release()
        with pytest.raises(Refused):
            await one.answers.enter(ADA)  # the other replica's answer runs
        server.fill()
        assert await asyncio.to_thread(asked, one, GRACE, 9) == 2
        (await one.answers.enter(ADA)).release()
        assert first.redis.failure == "Redis is full."
        places[1].release()


def test_the_variable_names_redis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert PageRedis.from_environment("chat", {}) is None
    (tmp_path / "url").write_text("redis://127.0.0.1:1\n")
    page_redis = PageRedis.from_environment("chat", {"SPACEPORT_REDIS_URL_FILE": str(tmp_path / "url")})
    assert page_redis and page_redis.redis.address == "redis://127.0.0.1:1"
    page_redis.close()
    with pytest.raises(NotConfigured, match="an address of Redis"):
        PageRedis.from_environment("chat", {"SPACEPORT_REDIS_URL": "127.0.0.1"})
