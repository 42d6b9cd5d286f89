"""The metrics of a stopwatch derive from its arrivals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from backends import Arrival, Delta, Done, Event, Interrupted, Stopwatch, Usage
from backends.stopwatch import now, record_read
from backends.streams import closing


def make_stopwatch(*arrivals: tuple[float, str, int], output: int | None = None) -> Stopwatch:
    usage = None if output is None else Usage(5, output)
    return Stopwatch([Arrival(*arrival) for arrival in arrivals], 100.0, 103.0, usage)  # type: ignore[arg-type]


def test_metrics() -> None:
    stopwatch = make_stopwatch((0.5, "thought", 3), (1.0, "answer", 2), (2.5, "answer", 1), output=9)
    assert stopwatch.first_token_seconds == 0.5
    assert stopwatch.first_seconds("answer") == 1.0
    assert stopwatch.total_seconds == 3.0
    assert stopwatch.tokens_per_second == pytest.approx(8 / 2.0)
    assert stopwatch.timings() == {
        "first_token_seconds": 0.5,
        "first_answer_seconds": 1.0,
        "total_seconds": 3.0,
        "tokens_per_second": 4.0,
    }


@pytest.mark.parametrize(
    "stopwatch",
    [
        Stopwatch(),
        make_stopwatch(output=9),
        make_stopwatch((1.0, "answer", 1), (2.0, "answer", 1)),
        make_stopwatch((1.0, "answer", 1), output=9),
        make_stopwatch((1.0, "answer", 1), (2.0, "answer", 1), output=1),
    ],
    ids=["nothing", "no text", "no usage", "one arrival", "one token"],
)
def test_an_unknown_rate_is_none(stopwatch: Stopwatch) -> None:
    assert stopwatch.tokens_per_second is None


def test_before_the_first_event() -> None:
    stopwatch = Stopwatch()
    assert (stopwatch.first_token_seconds, stopwatch.total_seconds) == (None, None)
    assert stopwatch.first_seconds("answer") is None


async def events(*, fails: bool = False, closed: list[bool] | None = None) -> AsyncIterator[Event]:
    try:
        await asyncio.sleep(0.02)
        yield Delta("hm", "thought")
        await asyncio.sleep(0.02)
        yield Delta("so")
        if fails:
            raise Interrupted("cut")
        yield Done("stop", Usage(1, 2))
    finally:
        if closed is not None:
            closed.append(True)


async def test_recording_passes_the_stream_through() -> None:
    stopwatch = Stopwatch()
    events_ = [event async for event in stopwatch.record(events())]
    assert events_ == [Delta("hm", "thought"), Delta("so"), Done("stop", Usage(1, 2))]
    first, second = stopwatch.arrivals
    assert (first.kind, first.characters, second.kind, second.characters) == ("thought", 2, "answer", 2)
    assert 0.015 < first.seconds < second.seconds <= (stopwatch.total_seconds or 0)
    assert stopwatch.usage == Usage(1, 2)


async def test_a_failed_stream_is_measured_up_to_its_end() -> None:
    stopwatch = Stopwatch()
    with pytest.raises(Interrupted):
        async for _ in stopwatch.record(events(fails=True)):
            pass
    assert len(stopwatch.arrivals) == 2
    assert stopwatch.total_seconds is not None
    assert stopwatch.usage is None


async def test_closing_the_recording_closes_the_stream() -> None:
    closed: list[bool] = []
    stopwatch = Stopwatch()
    stream = stopwatch.record(events(closed=closed))
    async with closing(stream):
        await anext(stream)
    assert closed == [True]
    assert stopwatch.total_seconds is not None


async def test_the_end_is_when_its_bytes_were_read() -> None:
    """What the client does after that, with other answers that end at the same time, isn't the server's time."""

    async def stream() -> AsyncIterator[Event]:
        record_read(now())
        yield Delta("so")
        record_read(read := now())
        ends.append(read)
        await asyncio.sleep(0.02)
        yield Done("stop", None)
        record_read(None)
        await asyncio.sleep(0.02)

    ends: list[float] = []
    stopwatch = Stopwatch()
    with stopwatch.marking():
        async for _ in stopwatch.record(stream()):
            pass
    assert stopwatch.ended_at == ends[0]
