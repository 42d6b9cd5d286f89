"""An answer goes on while its page is away, and every page that follows it gets all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from backends.streams import closing
from chat_page.conversations.running_answer import PageUpdate, RunningAnswer


class Script:
    """The updates of an answer: the test writes them."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[PageUpdate | Exception | None] = asyncio.Queue()
        self.present = True
        self.ended = False
        self.answer = RunningAnswer(
            "turn", self.updates(), on_end=self.end, has_left=lambda: not self.present, absence_seconds=0.01
        )

    async def updates(self) -> AsyncIterator[PageUpdate]:
        while (update := await self.queue.get()) is not None:
            if isinstance(update, Exception):
                raise update
            yield update

    def end(self) -> None:
        self.ended = True

    def write(self, text: str, sources: str | None = None) -> None:
        self.queue.put_nowait(PageUpdate([{"role": "assistant", "content": text}], sources))


async def first(script: Script, session: str) -> PageUpdate:
    updates = script.answer.follow(session)
    async with closing(updates):
        return await anext(updates)


async def test_a_page_that_comes_back_gets_the_whole_answer() -> None:
    script = Script()
    script.write("One", "<ul>")
    assert (await first(script, "page")).reply[0]["content"] == "One"
    script.write("One two")
    await asyncio.sleep(0.05)  # longer than the absence: the visitor has another page
    again = await first(script, "reloaded")
    assert (again.reply[0]["content"], again.sources) == ("One two", "<ul>")
    script.write("One two three")
    script.queue.put_nowait(None)
    updates = [update async for update in script.answer.follow("reloaded")]
    assert updates[-1].reply[0]["content"] == "One two three"
    assert [update.sources for update in updates][1:] in ([], [None])
    assert script.answer.ended


async def test_an_answer_of_a_visitor_who_left_is_stopped() -> None:
    script = Script()
    script.write("One")
    script.present = False
    await first(script, "page")
    async with asyncio.timeout(60):
        while not script.ended:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.01)


async def test_a_page_follows_an_answer_once() -> None:
    """What a page started before its connection was lost may still be there."""
    script = Script()
    script.write("One")
    lost = script.answer.follow("page")
    await anext(lost)
    await first(script, "page")
    waiting = asyncio.create_task(anext(lost, None))
    script.write("One two")
    assert await asyncio.wait_for(waiting, 60) in (None, PageUpdate([{"role": "assistant", "content": "One two"}]))
    await script.answer.stop()
    assert script.ended


async def test_a_failure_reaches_the_pages_that_follow() -> None:
    script = Script()
    script.write("One")
    script.queue.put_nowait(RuntimeError("A bug."))
    with pytest.raises(RuntimeError, match="A bug"):
        async for _ in script.answer.follow("page"):
            pass
    await script.answer.stop()
