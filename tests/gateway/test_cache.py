"""Cached answers in memory, and one stream for equal requests at the same moment."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from backends import ChatRequest, Delta, Done, Event, Interrupted, Message, Picture, TokenLogprob, Tool, ToolCall, Usage
from backends.stopwatch import now
from gateway.cache.answers import Answers
from gateway.cache.entries import Entry, TimedEvent, decode, encode
from gateway.cache.keys import answer_key, is_cacheable
from gateway.cache.stores import OVERHEAD, MemoryStore
from tests.gateway.upstreams import DONE, USAGE, ScriptedUpstream, text_of, words

REQUEST = ChatRequest([Message("user", "Hello")], temperature=0)
EVENTS: list[Event] = [
    Delta("Let me see. ", "thought"),
    Delta("It "),
    Delta("rains \U0001f327."),
    ToolCall("1", "weather", {"city": "Köln"}),
    Done("tool_calls", Usage(5, 2, 1, 3)),
]


def entry(*events: Event, seconds: float = 0.0) -> Entry:
    return Entry("gpu", tuple(TimedEvent(number * seconds, event) for number, event in enumerate(events)))


def new_answers(**options: bool) -> Answers:
    return Answers(MemoryStore(1_000_000, 60), **options)


async def ask(answers: Answers, upstream: ScriptedUpstream, key: str | None = "k") -> tuple[str, list[Event], str]:
    """The source of the answer, its events, and its target."""
    if answer := await answers.find(key):
        return answer.source, [event async for event in answer.events], answer.target
    async with answers.open(key, lambda: upstream) as answer:
        return answer.source, [event async for event in answer.events], answer.target


# The key.


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [Message("user", "Hello ")]},
        {"messages": [Message("system", "Hello")]},
        {"messages": [Message("user", ("Hello", Picture(b"x")))]},
        {"max_tokens": 5},
        {"top_p": 0.5},
        {"stop": ("a",)},
        {"seed": 1},
        {"tools": (Tool("search"),)},
        {"schema": {"type": "object"}},
        {"logprobs": 0},
    ],
)
def test_whatever_changes_the_answer_changes_the_key(change: dict[str, object]) -> None:
    key = answer_key(REQUEST, target="gpu", owner="me")
    assert answer_key(replace(REQUEST, **change), target="gpu", owner="me") != key  # type: ignore[arg-type]


def test_owners_and_targets_have_their_own_keys() -> None:
    keys = {answer_key(REQUEST, target=target, owner=owner) for target in ("a", "b") for owner in ("c", "d")}
    assert len(keys) == 4


def test_what_changes_nothing_has_the_same_key() -> None:
    one, other = replace(REQUEST, stop=("a", "b")), replace(REQUEST, stop=("b", "a"), validate=False)
    assert answer_key(one, target="t", owner="o") == answer_key(other, target="t", owner="o")
    half = replace(REQUEST, messages=(Message("user", "\ud83d"),))
    assert answer_key(half, target="t", owner="o")


def test_only_temperature_0_is_cacheable() -> None:
    assert is_cacheable(REQUEST)
    assert not is_cacheable(replace(REQUEST, temperature=0.1))


# Entries.


def test_an_entry_survives_its_bytes() -> None:
    whole = entry(*EVENTS, seconds=0.25)
    assert decode(encode(whole)) == whole
    likely = entry(Delta("a"), Done("stop", None, (TokenLogprob("a", -0.5, (("b", -1.25),)),)))
    assert decode(encode(likely)) == likely
    assert whole.joined() == [EVENTS[0], Delta("It rains \U0001f327."), *EVENTS[3:]]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        encode(entry(*EVENTS)).replace(b'"format":2', b'"format":1'),
        encode(entry(*EVENTS)).replace(b'"a"', b'"z"'),
        encode(entry(Delta("a"))),
        json.dumps({"format": 2, "target": "x", "events": [[0, "done", "stop", [1]]]}).encode(),
        json.dumps({"format": 2, "target": "x", "events": 5}).encode(),
    ],
)
async def test_an_entry_that_is_damaged_or_of_another_version_is_ignored(data: bytes) -> None:
    store = MemoryStore(1_000_000, 60)
    await store.put("k", data)
    source, events, _ = await ask(Answers(store), ScriptedUpstream(*words("new")))
    assert (source, text_of(events)) == ("miss", "new")


# The store.


async def test_memory_is_bounded_and_the_oldest_use_goes_first() -> None:
    size = 1000 + OVERHEAD
    store = MemoryStore(3 * size, 60)
    for key in "abc":
        await store.put(key, b"x" * 1000)
    assert await store.get("a")
    await store.put("d", b"x" * 1000)
    assert [bool(await store.get(key)) for key in "abcd"] == [True, False, True, True]
    await store.put("d", b"y")
    assert store.size == 2 * size + 1 + OVERHEAD
    await store.put("huge", b"x" * 10_000)
    assert await store.get("huge") is None
    assert await store.get("a")


async def test_an_entry_ends_after_its_time() -> None:
    clock = [0.0]
    store = MemoryStore(10_000, 60, clock=lambda: clock[0])
    await store.put("k", b"x")
    clock[0] = 59.9
    assert await store.get("k")
    clock[0] = 60.0
    assert await store.get("k") is None
    assert store.size == 0


# Answers.


async def test_a_complete_answer_is_given_again() -> None:
    answers = new_answers()
    upstream = ScriptedUpstream(*EVENTS)
    assert await ask(answers, upstream) == ("miss", EVENTS, "gpu")
    assert upstream.closed
    again = ScriptedUpstream()
    assert await ask(answers, again) == ("hit", entry(*EVENTS).joined(), "gpu")
    assert not again.started


@pytest.mark.parametrize(
    "last", [Done("content_filter", None), Done(None, None), Interrupted("broken"), ValueError("a bug")]
)
async def test_only_complete_answers_are_kept(last: Event | Exception) -> None:
    answers = new_answers()
    try:
        await ask(answers, ScriptedUpstream(Delta("half"), last))
    except (Interrupted, ValueError) as error:
        assert error is last
    assert (await ask(answers, ScriptedUpstream(*words("new"))))[0] == "miss"


async def test_without_a_key_nothing_is_shared_or_kept() -> None:
    answers = new_answers()
    for _ in range(2):
        upstream = ScriptedUpstream(*words("a"))
        async with answers.open(None, lambda upstream=upstream: upstream) as answer:
            assert [event async for event in answer.events] == words("a")
            assert (answer.source, answer.target, answer.bill()) == ("none", "gpu", True)
        assert upstream.closed


async def test_without_a_store_equal_requests_still_share() -> None:
    answers, gate = Answers(None), asyncio.Event()
    upstream = ScriptedUpstream(gate, *words("a"))
    tasks = [asyncio.create_task(ask(answers, upstream)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert sorted(source for source, _, _ in await asyncio.gather(*tasks)) == ["miss", "shared", "shared"]
    assert (await ask(answers, ScriptedUpstream(*words("b"))))[0] == "miss"


async def test_a_hit_is_fast_and_can_have_its_old_pace() -> None:
    answers = new_answers()
    gates = [asyncio.Event() for _ in range(3)]
    script = [step for gate in gates for step in (Delta("a"), gate)]
    task = asyncio.create_task(ask(answers, ScriptedUpstream(*script, DONE)))
    for gate in gates:
        await asyncio.sleep(0.05)
        gate.set()
    await task
    seconds = []
    for _ in range(5):
        started = now()
        assert (await ask(answers, ScriptedUpstream()))[0] == "hit"
        seconds.append(now() - started)
    assert min(seconds) < 0.05
    answers._original_pace = True
    started = now()
    _, events, _ = await ask(answers, ScriptedUpstream())
    assert now() - started > 0.14
    assert events == [Delta("a")] * 3 + [DONE]


# Single flight.


async def start(
    answers: Answers, upstream: ScriptedUpstream, count: int
) -> list[asyncio.Task[tuple[str, list[Event], str]]]:
    """Begin equal requests, and let each of them join."""
    tasks = []
    for _ in range(count):
        tasks.append(asyncio.create_task(ask(answers, upstream)))
        await settle()
    return tasks


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_followers_get_the_whole_answer_also_if_they_come_late() -> None:
    answers, gate = new_answers(), asyncio.Event()
    tasks = await start(answers, ScriptedUpstream(Delta("a"), gate, Delta("b"), DONE), 3)
    gate.set()
    results = await asyncio.gather(*tasks)
    assert [source for source, _, _ in results] == ["miss", "shared", "shared"]
    assert all((events, target) == (words("a", "b"), "gpu") for _, events, target in results)


async def test_a_cancelled_leader_kills_no_follower() -> None:
    answers, gate = new_answers(), asyncio.Event()
    upstream = ScriptedUpstream(Delta("a"), gate, DONE)
    leader, follower = await start(answers, upstream, 2)
    leader.cancel()
    await settle()
    assert not upstream.closed
    gate.set()
    assert (await follower)[1] == words("a")
    assert (await ask(answers, ScriptedUpstream()))[0] == "hit"


async def test_the_stream_ends_with_its_last_reader() -> None:
    answers = new_answers()
    upstream = ScriptedUpstream(Delta("a"), asyncio.Event(), DONE)
    tasks = await start(answers, upstream, 2)
    tasks[0].cancel()
    await settle()
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert upstream.closed
    assert (await ask(answers, ScriptedUpstream(*words("new"))))[0] == "miss"


async def test_one_who_comes_while_the_last_leaves_gets_an_own_stream() -> None:
    answers = new_answers()
    (only,) = await start(answers, ScriptedUpstream(Delta("a"), asyncio.Event()), 1)
    only.cancel()
    await asyncio.sleep(0)  # it leaves, and its stream isn't closed yet
    source, events, _ = await ask(answers, ScriptedUpstream(*words("new")))
    assert (source, text_of(events)) == ("miss", "new")


async def test_an_error_reaches_all() -> None:
    answers, gate = new_answers(), asyncio.Event()
    tasks = await start(answers, ScriptedUpstream(Delta("a"), gate, Interrupted("broken")), 3)
    gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, Interrupted) for result in results)
    assert (await ask(answers, ScriptedUpstream(*words("new"))))[0] == "miss"


async def test_exactly_one_request_pays() -> None:
    """The first one at the end; the leader doesn't if it leaves earlier than the others; a hit never does."""
    answers, middle, end = new_answers(), asyncio.Event(), asyncio.Event()
    upstream = ScriptedUpstream(Delta("a"), middle, Delta("b"), end, DONE)
    paid: list[bool] = []

    async def one(last: str) -> None:
        if hit := await answers.find("k"):
            paid.append(hit.bill())
            return
        async with answers.open("k", lambda: upstream) as answer:
            async for event in answer.events:
                if event == Delta(last):
                    break
        paid.append(answer.bill())

    tasks = []
    for last in ("b", "", ""):
        tasks.append(asyncio.create_task(one(last)))
        await settle()
    middle.set()
    await tasks[0]
    assert paid == [False]
    end.set()
    await asyncio.gather(*tasks)
    await one("")  # a hit
    assert sorted(paid) == [False, False, False, True]
    assert not paid[-1]


async def test_one_who_leaves_an_answer_that_is_complete_pays_what_it_costs() -> None:
    answers = new_answers()
    async with answers.open("k", lambda: ScriptedUpstream(*words("a"), asyncio.Event())) as answer:
        assert await anext(answer.events) == Delta("a")
        await settle()
    assert answer.bill()
    assert answer.usage == USAGE


async def test_the_last_one_who_leaves_pays() -> None:
    answers = new_answers()
    async with answers.open("k", lambda: ScriptedUpstream(Delta("a"), asyncio.Event())) as answer:
        assert await anext(answer.events) == Delta("a")
    assert answer.bill()
    assert not answer.bill()


async def test_exactly_one_of_two_pays_if_the_upstream_takes_its_time_after_the_end() -> None:
    """Readers have the last event before the connection of the target is free."""
    answers, tail = new_answers(), asyncio.Event()
    upstream = ScriptedUpstream(*words("a"), tail)
    paid: list[bool] = []

    async def one() -> None:
        async with answers.open("k", lambda: upstream) as answer:
            async for event in answer.events:
                if event == DONE:
                    paid.append(answer.bill())

    tasks = [asyncio.create_task(one()) for _ in range(2)]
    await settle()
    tail.set()
    await asyncio.gather(*tasks)
    assert sorted(paid) == [False, True]
