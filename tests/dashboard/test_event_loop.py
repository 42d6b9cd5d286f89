"""The event loop thread: closing an iterator stops the server, and streams run at the same time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backends import BackendError, Catalog
from backends.http.connections import close_connections
from dashboard_pages import conversation
from dashboard_pages.conversation import Parameters, PlaygroundTurn
from tests.dashboard.conftest import catalog_of
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import wait_until
from ui.process.event_loop import EventLoopThread

StartReply = Callable[[str], tuple[PlaygroundTurn, AsyncIterator[object]]]


@pytest.fixture
def loop() -> Iterator[EventLoopThread]:
    thread = EventLoopThread()
    yield thread
    thread.run(close_connections())
    thread.close()


@pytest.fixture
def start_reply(scripted: ScriptedModel, tmp_path: Path) -> StartReply:
    catalog = Catalog.load(catalog_of(tmp_path, scripted.url))

    def start(question: str) -> tuple[PlaygroundTurn, AsyncIterator[object]]:
        turn = conversation.new_turn(question, Parameters(), catalog, "scripted")
        return turn, conversation.stream_reply([], turn, catalog.connect("scripted"))

    return start


def test_closing_the_iterator_stops_the_server(
    loop: EventLoopThread, scripted: ScriptedModel, start_reply: StartReply
) -> None:
    turn, updates = start_reply("for ever")
    with closing(loop.iterate(updates)) as iterator:
        for _ in iterator:
            if turn.reply.answer:
                break
    assert turn.reply.state == "stopped"
    wait_until(lambda: "for ever" in scripted.disconnected)


def test_an_update_arrives_before_any_text(loop: EventLoopThread, start_reply: StartReply) -> None:
    """Otherwise a visitor who leaves while the model is silent isn't noticed."""
    turn, updates = start_reply("think, then answer for ever")
    with closing(loop.iterate(updates)) as iterator:
        states = {(bool(turn.reply.thought), bool(turn.reply.answer)) for _, _ in zip(range(8), iterator, strict=False)}
    assert (True, False) in states


def test_two_streams_at_once(loop: EventLoopThread, scripted: ScriptedModel, start_reply: StartReply) -> None:
    (endless, updates), (turn, other_updates) = start_reply("for ever"), start_reply("words")
    with closing(loop.iterate(updates)) as first, closing(loop.iterate(other_updates)) as second:
        next(first)
        for _ in second:
            next(first)
        assert turn.reply.state == "done"
        while not endless.reply.answer:
            next(first)
    assert endless.reply.state == "stopped"
    wait_until(lambda: "for ever" in scripted.disconnected)


def test_an_error_is_raised_from_the_iterator(loop: EventLoopThread) -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise BackendError("It broke.", "Repair it.")

    iterator = loop.iterate(broken())
    assert next(iterator) == 1
    with pytest.raises(BackendError, match="It broke"):
        next(iterator)


def test_the_iterator_ends_with_the_stream(loop: EventLoopThread) -> None:
    async def three() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    assert list(loop.iterate(three())) == [0, 1, 2]
