"""Interval and content of the updates of a streamed answer, and how Gradio sends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr
import orjson
import pytest
from gradio.processing_utils import async_move_files_to_cache
from gradio.server_messages import ProcessGeneratingMessage
from gradio.utils import diff

from backends import Delta
from backends.streams import batches, closing
from chat_page.answers import pacing
from chat_page.answers.reply import Reply
from chat_page.rendering.messages import question_message
from rag.answering.turn import Turn
from rag.answering.types import Retrieval

QUESTION = question_message(Turn("Why?"))


class Clocks:
    """A clock, and the CPU seconds of a thread under a given load."""

    def __init__(self) -> None:
        self.seconds, self.cpu_seconds = 0.0, 0.0

    def advance(self, seconds: float, load: float) -> None:
        self.seconds += seconds
        self.cpu_seconds += seconds * load


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def pace(clocks: Clocks) -> pacing.Pace:
    return pacing.Pace(lambda: clocks.seconds, lambda: clocks.cpu_seconds)


def test_the_interval_grows_while_the_thread_is_busy_and_shrinks_again(pace: pacing.Pace, clocks: Clocks) -> None:
    assert pace.seconds() == pacing.MIN_INTERVAL
    for _ in range(8):
        clocks.advance(0.3, load=0.9)
        slow = pace.seconds()
    assert slow == pacing.MAX_INTERVAL
    for _ in range(8):
        clocks.advance(0.3, load=0.1)
        fast = pace.seconds()
    assert fast == pacing.MIN_INTERVAL


def test_the_interval_converges_to_the_target_load(pace: pacing.Pace, clocks: Clocks) -> None:
    interval = pace.seconds()
    for _ in range(30):
        clocks.advance(0.3, load=0.021 / interval)
        interval = pace.seconds()
    assert 0.021 / interval == pytest.approx(pacing.TARGET_LOAD)


def test_answers_of_one_address_share_the_updates_of_one_on_a_busy_page(pace: pacing.Pace, clocks: Clocks) -> None:
    assert pace.seconds(answers=12) == pacing.MIN_INTERVAL  # the thread has time
    for _ in range(12):
        clocks.advance(0.3, load=0.9)
        intervals = [pace.seconds(answers) for answers in (1, 4, 12)]
    assert intervals == [pacing.MAX_INTERVAL, 4 * pacing.MAX_INTERVAL, pacing.MAX_SHARED_INTERVAL]


def test_a_long_conversation_has_fewer_updates(pace: pacing.Pace) -> None:
    intervals = [pace.seconds(characters=characters) for characters in (0, 20_000, 40_000, 60_000, 600_000)]
    assert intervals == pytest.approx([0.05, 0.05, 0.1, 0.15, 0.15])


def test_the_load_is_not_measured_over_a_moment(pace: pacing.Pace, clocks: Clocks) -> None:
    pace.seconds()
    clocks.advance(pacing.SAMPLE_SECONDS / 2, load=1.0)
    assert pace.seconds() == pacing.MIN_INTERVAL


def next_conversation(updates: pacing.Updates, history: list[dict[str, Any]], text: str) -> list[Any]:
    return updates.next([*history, {"role": "assistant", "content": text}], "sources")[0]


async def test_gradio_sends_the_same_as_for_plain_messages_and_only_the_changes() -> None:
    history = [{"role": "assistant", "content": "Before", "metadata": {"title": "Thoughts"}}, QUESTION]
    updates, chatbot = pacing.Updates(history), gr.Chatbot(render=False)
    first = next_conversation(updates, history, "Because")
    second = next_conversation(updates, history, "Because of")
    expected = chatbot.postprocess([*history, {"role": "assistant", "content": "Because"}]).model_dump()
    message = ProcessGeneratingMessage(output={"data": [first]}, success=True)
    assert orjson.loads(orjson.dumps(message.model_dump()))["output"]["data"] == [
        [{**fields, "metadata": orjson.loads(orjson.dumps(fields["metadata"]))} for fields in expected]
    ]
    processed = await async_move_files_to_cache(second, chatbot, postprocess=True)
    assert processed[:2] == first[:2]  # the same objects: Gradio didn't walk through them
    assert diff(first, processed) == [["append", [2, "content", 0, "text"], " of"]]


def test_an_output_without_a_new_value_repeats_the_last_one() -> None:
    updates = pacing.Updates([QUESTION])
    assert updates.next([QUESTION], None, "")[1:] == (gr.skip(), "")
    assert updates.next([QUESTION], "two sources", None)[1:] == ("two sources", "")
    assert updates.next([QUESTION], None, None)[1:] == ("two sources", "")


def test_the_first_text_of_a_kind_is_sent_at_once() -> None:
    reply = Reply(Turn("Why?"))
    assert reply.starts_section(Retrieval(()))
    for kind in ("thought", "answer"):
        assert reply.starts_section(Delta("a", kind))
        reply.add(Delta("a", kind))
        assert not reply.starts_section(Delta("b", kind))


async def test_the_start_of_a_text_does_not_wait() -> None:
    async def late() -> AsyncIterator[str]:
        yield "retrieval"
        await asyncio.sleep(0.01)
        yield "first"
        await asyncio.Event().wait()

    stream = batches(late(), 3600, at_once=lambda item: item != "more", pause_between_batches=True)
    async with asyncio.timeout(10), closing(stream):
        assert [await anext(stream), await anext(stream)] == [["retrieval"], ["first"]]


async def test_a_stream_that_rests_loses_nothing_and_wakes_once_per_batch() -> None:
    source: asyncio.Queue[int | None] = asyncio.Queue()
    wakeups = 0

    async def read() -> AsyncIterator[int]:
        nonlocal wakeups
        while True:
            if source.empty():
                wakeups += 1
            if (item := await source.get()) is None:
                return
            yield item

    async def send() -> None:
        for number in range(100):
            source.put_nowait(number)
            await asyncio.sleep(0.002)
        source.put_nowait(None)

    sending = asyncio.create_task(send())
    received = [batch async for batch in batches(read(), 0.02, pause_between_batches=True)]
    await sending
    assert [number for batch in received for number in batch] == list(range(100))
    assert wakeups <= 2 * len(received) + 1


async def test_an_item_before_a_pause_is_not_held_back() -> None:
    pause = asyncio.Event()

    async def stops() -> AsyncIterator[int]:
        yield 1
        yield 2
        await pause.wait()

    stream = batches(stops(), 0.01, pause_between_batches=True)
    async with asyncio.timeout(10), closing(stream):
        assert [await anext(stream), await anext(stream)] == [[1], [2]]


async def test_a_stream_that_always_has_more_is_sent_in_batches() -> None:
    async def many() -> AsyncIterator[int]:
        while True:
            yield 1
            await asyncio.sleep(0)

    stream = batches(many(), 0.01, pause_between_batches=True)
    async with asyncio.timeout(10), closing(stream):
        assert sum([len(await anext(stream)) for _ in range(4)]) > 4


async def test_a_resting_stream_can_be_closed_and_raises_its_error() -> None:
    closed: list[bool] = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    stream = batches(endless(), 3600, pause_between_batches=True)
    async with closing(stream):
        await anext(stream)
    assert closed == [True]

    async def fail() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise OSError("broken")

    received: list[int] = []
    with pytest.raises(OSError, match="broken"):
        async for batch in batches(fail(), 0.01, pause_between_batches=True):
            received += batch
    assert received == [1, 2]
