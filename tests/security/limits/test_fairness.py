"""The rule of admission alone: a flood of one address, with as many keys as it likes, keeps nobody out."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import Field, fields
from itertools import count

import pytest

from backends import NotConfigured
from tests.conftest import ROOT
from tests.helpers.servers import wait_until
from ui.access.client_address import network
from ui.admission.admission import Admission, in_time
from ui.admission.errors import Refused, TooSlow
from ui.admission.fair_queue import Caller, Entry, FairQueue
from ui.admission.lane import Lane
from ui.admission.rate_limit import RateLimit
from ui.admission.strings import Reason
from ui.admission.work_limits import Limits, Places

UNLIMITED = Places(0, 0, 0)
keys = count(1)


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def flood(queue: FairQueue, number: int, address: str = "flood") -> list[Entry]:
    """Join with a new key each time."""
    return [queue.join(Caller(address, f"key {next(keys)}"))[0] for _ in range(number)]


def test_new_keys_get_one_address_no_more_than_its_share() -> None:
    queue = FairQueue(Places(8, 3, 2), Places(20, 10, 4))
    entries = flood(queue, 340)
    assert [entry.running for entry in entries] == [True] * 3 + [False] * 337
    assert Counter(entry.refusal for entry in entries) == {None: 13, Reason.ADDRESS_BUSY: 327}
    assert queue.join(Caller("home", "newcomer"))[0].running


def test_a_visitor_has_a_share_of_the_address() -> None:
    queue = FairQueue(Places(8, 6, 2), UNLIMITED)
    greedy = [queue.join(Caller("office", "greedy"))[0] for _ in range(5)]
    assert [entry.running for entry in greedy] == [True, True, False, False, False]
    assert queue.join(Caller("office", "colleague"))[0].running


def test_the_places_of_an_address_are_counted_over_all_of_its_visitors() -> None:
    queue = FairQueue(Places(8, 3, 2), UNLIMITED)
    entries = flood(queue, 5)
    assert queue.running(Caller("flood", "key of somebody else")) == 3
    assert queue.running(Caller("home", "newcomer")) == 0
    for entry in entries:
        queue.leave(entry)
    assert queue.running(Caller("flood", "newcomer")) == 0


def test_a_few_addresses_with_long_work_leave_places_for_newcomers() -> None:
    queue = FairQueue(Places(32, 12, 3), Places(256, 32, 4))
    for address in "abc":
        flood(queue, 40, address)
    assert queue.in_flight == 25  # three quarters, and the first one of the last address
    newcomers = [queue.join(Caller(f"home {number}", f"newcomer {number}"))[0] for number in range(8)]
    assert [entry.running for entry in newcomers] == [True] * 7 + [False]


def test_who_has_least_in_flight_goes_next() -> None:
    queue = FairQueue(Places(3, 0, 0), UNLIMITED)
    running = flood(queue, 3)
    waiting = flood(queue, 5)
    late = queue.join(Caller("home", "late"))[0]
    assert queue.ahead(late) == 0
    assert queue.leave(running[0]) == [late]
    assert queue.leave(running[1]) == [waiting[0]]


def test_with_one_place_the_addresses_take_turns() -> None:
    queue = FairQueue(Places(1, 1, 1), UNLIMITED)
    entries = flood(queue, 4, "a") + flood(queue, 2, "b") + flood(queue, 1, "c")
    order = [current := entries[0]]
    while started := queue.leave(current):
        (current,) = started
        order.append(current)
    assert [entry.caller.address for entry in order] == ["a", "b", "c", "a", "b", "a", "a"]


def test_a_newcomer_takes_the_last_waiting_place_of_the_flood() -> None:
    queue = FairQueue(Places(1, 1, 1), Places(4, 0, 0))
    entries = flood(queue, 6)
    assert [entry.refusal for entry in entries[-2:]] == [None, Reason.FULL]
    newcomer, displaced = queue.join(Caller("home", "newcomer"))
    assert displaced is entries[4]
    assert displaced.refusal is Reason.FULL
    assert newcomer.refusal is None
    assert queue.leave(entries[0]) == [newcomer]


def test_nobody_is_displaced_for_an_address_that_has_as_many() -> None:
    queue = FairQueue(Places(1, 0, 0), Places(4, 0, 0))
    flood(queue, 1, "running"), flood(queue, 2, "a"), flood(queue, 2, "b")
    assert [entry.refusal for entry in flood(queue, 1, "a")] == [Reason.FULL]


def test_an_account_is_one_visitor_from_everywhere_with_every_key() -> None:
    queue = FairQueue(Places(9, 9, 2), UNLIMITED)
    entries = [queue.join(Caller(address, "account ada"))[0] for address in ("home", "office", "train")]
    assert [entry.running for entry in entries] == [True, True, False]


def test_a_place_is_given_up_once() -> None:
    queue = FairQueue(Places(1, 0, 0), UNLIMITED)
    first, second, third = flood(queue, 3)
    assert queue.leave(first) == [second]
    assert queue.leave(first) == []
    assert queue.leave(third) == []
    assert (queue.in_flight, queue.waiting) == (1, 0)


@pytest.mark.parametrize("seed", range(20))
def test_no_share_is_ever_exceeded_and_everybody_who_waits_is_served(seed: int) -> None:
    chance = random.Random(seed)
    places, waiting = Places(5, 3, 2), Places(12, 6, 3)
    queue, running, waiters = FairQueue(places, waiting), set[Entry](), set[Entry]()
    for _ in range(600):
        if running and chance.random() < 0.45:
            leaver = chance.choice(sorted(running | waiters, key=lambda entry: entry.arrival))
            running.discard(leaver), waiters.discard(leaver)
            started = queue.leave(leaver)
        else:
            address = chance.choice("aaaaaab")
            entry, displaced = queue.join(Caller(address, f"{address}{chance.randrange(9)}"))
            waiters |= {entry} if not entry.running and entry.refusal is None else set()
            waiters.discard(displaced) if displaced else None
            started = [entry] if entry.running else []
        running |= set(started)
        waiters -= running
        assert all(entry.running for entry in running)
        assert queue.in_flight == len(running) <= places.total
        assert queue.waiting == len(waiters) <= waiting.total
        for limit, part in ((places.address, "address"), (places.visitor, "visitor")):
            assert max(Counter(getattr(each.caller, part) for each in running).values(), default=0) <= limit
    while running:
        leaver = running.pop()
        started = queue.leave(leaver)
        running |= set(started)
        waiters -= running
    assert not waiters
    assert queue.waiting == queue.in_flight == 0


def test_many_visitors_take_bounded_memory() -> None:
    queue = FairQueue(Places(1, 0, 0), UNLIMITED)
    for number in range(12_000):
        queue.leave(queue.join(Caller(f"address {number}", f"visitor {number}"))[0])
    assert len(queue._last_start) <= 10_000
    assert len(queue._running) == 0


# Waiting.


def lane(clock: Clock | None = None, **limits: object) -> Lane:
    values = Limits(**{"answers": Places(1, 1, 1), **limits})  # type: ignore[arg-type]
    return Lane(values.answers, values, clock or Clock())


async def test_who_stops_waiting_leaves_no_trace() -> None:
    line = lane()
    first = line.join(Caller("a", "a"))
    waiting = asyncio.create_task(anext(aiter(line.join(Caller("b", "b")).wait())))
    assert await waiting == 0

    async def work() -> None:
        async with line.place(Caller("c", "c")):
            raise AssertionError("it must not start")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert line.queue.waiting == 1
    first.release()
    assert line.queue.in_flight == 1


async def test_a_place_that_becomes_free_is_taken_at_once() -> None:
    line, order = lane(), []

    async def work(name: str) -> None:
        async with line.place(Caller(name, name)):
            order.append(name)
            await asyncio.sleep(0)

    async with asyncio.timeout(60):
        await asyncio.gather(*map(work, "abcdef"))
    assert order == list("abcdef")
    assert line.queue.in_flight == 0


async def test_a_refusal_says_when_to_come_back() -> None:
    clock = Clock()
    line = lane(clock, waiting=Places(1, 1, 1), waiting_seconds=30)
    first = line.join(Caller("a", "a"))
    waiting = line.join(Caller("b", "b")).wait()
    assert await anext(waiting) == 0
    with pytest.raises(Refused, match="More people are using this page than it can serve") as caught:
        line.join(Caller("c", "c"))
    assert "Try again in 2 seconds." in str(caught.value)
    clock.seconds += 31
    with pytest.raises(Refused, match="No place became free in time"):
        await anext(waiting)
    first.release()


async def test_work_that_nobody_waits_for_any_more_keeps_its_place_until_it_ends() -> None:
    """Those who come, leave and come again would otherwise have a thread each."""
    admission, end, running = Admission(Limits(views=Places(1, 1, 1))), threading.Event(), Counter[str]()

    def work(name: str) -> None:
        running[name] += 1
        end.wait(60)

    tasks = [asyncio.create_task(admission.view(Caller("flood", "key"), work, "flood"))]
    await asyncio.to_thread(wait_until, lambda: running["flood"] == 1)
    for _ in range(3):
        await asyncio.sleep(0.02)
        tasks[-1].cancel()
        await asyncio.wait(tasks)
        tasks.append(asyncio.create_task(admission.view(Caller("flood", "key"), work, "flood")))
    honest = asyncio.create_task(admission.view(Caller("home", "home"), work, "home"))
    await asyncio.sleep(0.05)
    assert running == {"flood": 1}
    end.set()
    await honest
    await asyncio.wait(tasks)
    assert admission.views.queue.in_flight == 0


async def test_an_endless_answer_ends_and_its_connection_is_closed() -> None:
    closed = False

    async def endless() -> AsyncIterator[int]:
        nonlocal closed
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            closed = True

    with pytest.raises(TooSlow, match=r"longer than 0\.05 seconds"):
        async for _ in in_time(endless(), 0.05):
            pass
    assert closed


# Questions in a minute.


def test_a_new_key_is_no_new_allowance_for_an_address() -> None:
    clock = Clock()
    admission = Admission(Limits(questions_per_minute=2, address_questions_per_minute=5), clock)
    for number in range(5):
        admission.take_question(Caller("office", f"key {number}"))
    with pytest.raises(Refused, match=r"5 questions per minute from one network\. Try again in 60 seconds"):
        admission.take_question(Caller("office", "a new key"))
    admission.take_question(Caller("home", "key"))
    clock.seconds += 60
    admission.take_question(Caller("office", "a new key"))


def test_a_refused_question_is_not_counted() -> None:
    clock = Clock()
    admission = Admission(Limits(questions_per_minute=1, address_questions_per_minute=2), clock)
    ada, grace = Caller("office", "ada"), Caller("office", "grace")
    admission.take_question(ada)
    for _ in range(50):
        with pytest.raises(Refused, match="up to 1 of a visitor's questions"):
            admission.take_question(ada)
    admission.take_question(grace)


def test_questions_are_counted_over_any_minute() -> None:
    clock = Clock()
    limit = RateLimit(2, now=clock)
    assert limit.take("a") == 0
    clock.seconds += 40
    assert limit.take("a") == 0
    clock.seconds += 5
    assert limit.take("a") == pytest.approx(15)
    clock.seconds += 15
    assert limit.take("a") == 0  # the first one is a minute old, and refused ones don't count
    assert limit.take("a") == pytest.approx(40)


def test_threads_are_counted_together() -> None:
    limit, refused = RateLimit(10, now=Clock()), []

    def ask() -> None:
        refused.extend(wait for _ in range(5) if (wait := limit.take("a")))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 30


def test_0_means_no_limit() -> None:
    limit = RateLimit(0, now=Clock())
    assert not any(limit.take("a") for _ in range(1000))
    assert all(entry.running for entry in flood(FairQueue(UNLIMITED, UNLIMITED), 1000))


def test_invented_names_take_bounded_memory() -> None:
    limit = RateLimit(1, now=Clock(), capacity=50)
    for number in range(500):
        limit.record(str(number))
    assert limit.wait("499") > 0
    assert limit.wait("0") == 0


# Addresses and settings.


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_counted_as_the_network_of_one_customer(host: str, counted: str) -> None:
    assert network(host) == counted


def test_the_environment_sets_the_limits() -> None:
    limits = Limits.from_environment({"SPACEPORT_ANSWERS": " 8, 2,1", "SPACEPORT_ANSWER_SECONDS": "9"})
    assert (limits.answers, limits.answer_seconds, limits.views) == (Places(8, 2, 1), 9, Limits().views)


@pytest.mark.parametrize("value", ["8", "8,2", "8,2,1,0", "8,2,x", "8,-2,1", "8,2.5,1"])
def test_wrong_places_are_an_error_with_their_name(value: str) -> None:
    with pytest.raises(NotConfigured, match=r"SPACEPORT_ANSWERS is .*three whole numbers") as caught:
        Limits.from_environment({"SPACEPORT_ANSWERS": value})
    assert caught.value.remedy == "Set it to numbers such as 32,12,3, or unset it."


@pytest.mark.parametrize("limit", fields(Limits), ids=lambda limit: limit.name)
def test_every_limit_is_documented(limit: Field[object]) -> None:
    pages = [(ROOT / "docs" / name).read_text() for name in ("chat.md", "compare.md")]
    rows = [line for page in pages for line in page.splitlines() if f"| `{limit.metadata['variable']}` |" in line]
    assert [row.split("|")[3:5] for row in rows] == [[f" {limit.default} ", f" {limit.metadata['defends']} "]]
