"""How often a page is updated, what an update holds, and what Gradio makes of it."""

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
from chat_page import pacing
from chat_page.messages import question_message
from chat_page.reply import Reply
from rag.answering.turn import Turn
from rag.answering.types import Retrieval

QUESTION = question_message(Turn("Why?"))


class Clocks:
    """A clock, and the CPU seconds of a thread that is busy for a share of it."""

    def __init__(self) -> None:
        self.at, self.spent = 0.0, 0.0

    def pass_(self, seconds: float, busy: float) -> None:
        self.at += seconds
        self.spent += seconds * busy


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def pace(clocks: Clocks) -> pacing.Pace:
    return pacing.Pace(lambda: clocks.at, lambda: clocks.spent)


def test_updates_become_fewer_while_the_thread_is_busy_and_come_back(pace: pacing.Pace, clocks: Clocks) -> None:
    assert pace.seconds() == pacing.FASTEST
    for _ in range(8):
        clocks.pass_(0.3, busy=0.9)
        slow = pace.seconds()
    assert slow == pacing.SLOWEST
    for _ in range(8):
        clocks.pass_(0.3, busy=0.1)
        fast = pace.seconds()
    assert fast == pacing.FASTEST


def test_the_pace_settles_where_the_thread_has_its_share(pace: pacing.Pace, clocks: Clocks) -> None:
    seconds = pace.seconds()
    for _ in range(30):
        clocks.pass_(0.3, busy=0.035 / seconds)
        seconds = pace.seconds()
    assert 0.035 / seconds == pytest.approx(pacing.BUSY)


def test_a_moment_is_too_short_to_judge_by(pace: pacing.Pace, clocks: Clocks) -> None:
    pace.seconds()
    clocks.pass_(pacing.LOOK_SECONDS / 2, busy=1.0)
    assert pace.seconds() == pacing.FASTEST


def shown(updates: pacing.Updates, history: list[dict[str, Any]], text: str) -> list[Any]:
    return updates.next([*history, {"role": "assistant", "content": text}], "sources")[0]


async def test_gradio_sends_the_same_as_for_plain_messages_and_only_what_is_new() -> None:
    history = [{"role": "assistant", "content": "Before", "metadata": {"title": "Thoughts"}}, QUESTION]
    updates, chatbot = pacing.Updates(history), gr.Chatbot(render=False)
    first, second = shown(updates, history, "Because"), shown(updates, history, "Because of")
    expected = chatbot.postprocess([*history, {"role": "assistant", "content": "Because"}]).model_dump()
    message = ProcessGeneratingMessage(output={"data": [first]}, success=True)
    assert orjson.loads(orjson.dumps(message.model_dump()))["output"]["data"] == [
        [{**each, "metadata": orjson.loads(orjson.dumps(each["metadata"]))} for each in expected]
    ]
    walked = await async_move_files_to_cache(second, chatbot, postprocess=True)
    assert walked[:2] == first[:2]  # the very same objects: none was taken apart
    assert diff(first, walked) == [["append", [2, "content", 0, "text"], " of"]]


def test_an_output_that_is_not_given_stays_as_it_was() -> None:
    updates = pacing.Updates([QUESTION])
    assert updates.next([QUESTION], None, "")[1:] == (gr.skip(), "")
    assert updates.next([QUESTION], "two sources", None)[1:] == ("two sources", "")
    assert updates.next([QUESTION], None, None)[1:] == ("two sources", "")


def test_the_first_text_of_a_kind_is_shown_at_once() -> None:
    reply = Reply(Turn("Why?"))
    assert reply.starts_section(Retrieval(()))
    for kind in ("thought", "answer"):
        assert reply.starts_section(Delta("a", kind))
        reply.add(Delta("a", kind))
        assert not reply.starts_section(Delta("b", kind))


async def test_a_text_that_begins_does_not_wait() -> None:
    async def late() -> AsyncIterator[str]:
        yield "found"
        await asyncio.sleep(0.01)
        yield "first"
        await asyncio.Event().wait()

    stream = batches(late(), 3600, at_once=lambda item: item != "more", rest=True)
    async with asyncio.timeout(10), closing(stream):
        assert [await anext(stream), await anext(stream)] == [["found"], ["first"]]


async def test_a_stream_that_rests_loses_nothing_and_is_woken_once_a_batch() -> None:
    waiting: asyncio.Queue[int | None] = asyncio.Queue()
    woken = 0

    async def read() -> AsyncIterator[int]:
        nonlocal woken
        while True:
            if waiting.empty():
                woken += 1
            if (item := await waiting.get()) is None:
                return
            yield item

    async def send() -> None:
        for number in range(100):
            waiting.put_nowait(number)
            await asyncio.sleep(0.002)
        waiting.put_nowait(None)

    sending = asyncio.create_task(send())
    got = [batch async for batch in batches(read(), 0.02, rest=True)]
    await sending
    assert [number for batch in got for number in batch] == list(range(100))
    assert woken <= 2 * len(got) + 1


async def test_an_item_before_a_silence_is_not_held_back() -> None:
    silence = asyncio.Event()

    async def stops() -> AsyncIterator[int]:
        yield 1
        yield 2
        await silence.wait()

    stream = batches(stops(), 0.01, rest=True)
    async with asyncio.timeout(10), closing(stream):
        assert [await anext(stream), await anext(stream)] == [[1], [2]]


async def test_a_stream_that_always_has_more_is_shown_all_the_same() -> None:
    async def many() -> AsyncIterator[int]:
        while True:
            yield 1
            await asyncio.sleep(0)

    stream = batches(many(), 0.01, rest=True)
    async with asyncio.timeout(10), closing(stream):
        assert sum([len(await anext(stream)) for _ in range(4)]) > 4


async def test_a_resting_stream_can_be_closed_and_told_its_error() -> None:
    closed: list[bool] = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    stream = batches(endless(), 3600, rest=True)
    async with closing(stream):
        await anext(stream)
    assert closed == [True]

    async def fail() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise OSError("broken")

    got: list[int] = []
    with pytest.raises(OSError, match="broken"):
        async for batch in batches(fail(), 0.01, rest=True):
            got += batch
    assert got == [1, 2]


async def test_a_calm_page_has_its_queue() -> None:
    with gr.Blocks() as demo:
        gr.Chatbot()
    demo.queue(max_size=3)
    pacing.calm(demo)
    assert (demo._queue.max_size, demo._queue.sleep_when_free) == (3, 0.01)
    with pytest.raises(ImportError):
        import matplotlib  # noqa: F401  # no dependency of the page
