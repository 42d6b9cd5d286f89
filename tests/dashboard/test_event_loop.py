"""The way from Streamlit's scripts to the async backends: who leaves closes the stream, nobody waits for others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import conversation
import pytest
from conversation import Parameters
from event_loop import Loop

from backends import BackendError, Catalog
from backends.http.connections import close_connections
from tests.dashboard.conftest import catalog_of
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import wait_until

Asked = Callable[[str], tuple[conversation.Turn, AsyncIterator[object]]]


@pytest.fixture
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.result(close_connections())
    running.close()


@pytest.fixture
def asked(scripted: ScriptedModel, tmp_path: Path) -> Asked:
    catalog = Catalog.load(catalog_of(tmp_path, scripted.url))

    def one(question: str) -> tuple[conversation.Turn, AsyncIterator[object]]:
        turn = conversation.begin(question, Parameters(), catalog, "scripted")
        return turn, conversation.answering([], turn, catalog.connect("scripted"))

    return one


def test_whoever_leaves_stops_the_server(loop: Loop, scripted: ScriptedModel, asked: Asked) -> None:
    turn, signs = asked("for ever")
    with closing(loop.iterate(signs)) as coming:
        for _ in coming:
            if turn.lane.answer:
                break
    assert turn.lane.state == "stopped"
    wait_until(lambda: "for ever" in scripted.left)


def test_a_sign_comes_before_any_text(loop: Loop, asked: Asked) -> None:
    """So that a visitor who leaves while a model is silent is noticed."""
    turn, signs = asked("think, then answer for ever")
    with closing(loop.iterate(signs)) as coming:
        seen = {(bool(turn.lane.thought), bool(turn.lane.answer)) for _, _ in zip(range(8), coming, strict=False)}
    assert (True, False) in seen


def test_two_streams_at_once(loop: Loop, scripted: ScriptedModel, asked: Asked) -> None:
    (endless, signs), (turn, others) = asked("for ever"), asked("words")
    with closing(loop.iterate(signs)) as first, closing(loop.iterate(others)) as second:
        next(first)
        for _ in second:
            next(first)
        assert turn.lane.state == "done"
        while not endless.lane.answer:
            next(first)
    assert endless.lane.state == "stopped"
    wait_until(lambda: "for ever" in scripted.left)


def test_an_error_comes_through(loop: Loop) -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise BackendError("It broke.", "Mend it.")

    coming = loop.iterate(broken())
    assert next(coming) == 1
    with pytest.raises(BackendError, match="It broke"):
        next(coming)


def test_a_stream_that_ends_ends(loop: Loop) -> None:
    async def three() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    assert list(loop.iterate(three())) == [0, 1, 2]
