"""Blocking streams in threads, and streams in batches."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from backends.stopwatch import now
from backends.streams import batches, closing, iterate_in_thread, report_progress

visitor: contextvars.ContextVar[str] = contextvars.ContextVar("visitor", default="nobody")


async def test_a_blocking_iterator_is_read_without_blocking_the_loop() -> None:
    loop, ran = asyncio.get_running_loop(), threading.Event()

    def count(_: threading.Event) -> Iterator[int]:
        for number in range(200):
            if number == 100:
                loop.call_soon_threadsafe(ran.set)
                assert ran.wait(60)
            yield number

    assert [number async for number in iterate_in_thread(count)] == list(range(200))


async def test_errors_of_a_blocking_iterator_follow_its_items() -> None:
    def fail(_: threading.Event) -> Iterator[int]:
        yield 1
        raise OSError("broken")

    items: list[int] = []
    with pytest.raises(OSError, match="broken"):
        async for item in iterate_in_thread(fail):
            items.append(item)
    assert items == [1]


async def test_the_thread_ends_when_the_reader_stops() -> None:
    finished = threading.Event()

    def endless_numbers(stopped: threading.Event) -> Iterator[int]:
        try:
            while not stopped.is_set():
                yield 1
        finally:
            finished.set()

    stream = iterate_in_thread(endless_numbers)
    async with closing(stream):
        await anext(stream)
    assert await asyncio.to_thread(finished.wait, 60)


async def test_the_reader_sets_the_pace() -> None:
    count = 0

    def many(stopped: threading.Event) -> Iterator[int]:
        nonlocal count
        while not stopped.is_set():
            count += 1
            yield count

    stream = iterate_in_thread(many)
    async with closing(stream):
        await anext(stream)
        await asyncio.sleep(0.05)
        assert count < 80


async def test_the_thread_runs_in_the_caller_s_context() -> None:
    visitor.set("anna")
    assert [name async for name in iterate_in_thread(lambda _: iter([visitor.get()]))] == ["anna"]


async def test_reports_of_blocking_work() -> None:
    def work(report: object) -> None:
        report("half", 0.5)  # type: ignore[operator]
        report("all", 1.0)  # type: ignore[operator]

    assert [step async for step in report_progress(work)] == [("half", 0.5), ("all", 1.0)]

    def fail(report: object) -> None:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        async for _ in report_progress(fail):
            pass


async def test_batches_are_few_and_lose_nothing() -> None:
    async def quick() -> AsyncIterator[int]:
        for number in range(50):
            yield number
            await asyncio.sleep(0.001)

    started = now()
    received = [batch async for batch in batches(quick(), 0.02)]
    assert received[0] == [0]
    assert [number for batch in received for number in batch] == list(range(50))
    assert len(received) <= 2 + (now() - started) / 0.02  # on a busy machine, the pauses are longer


async def test_closing_the_batches_closes_the_stream() -> None:
    closed: list[bool] = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            closed.append(True)

    stream = batches(endless(), 0.01)
    async with closing(stream):
        await anext(stream)
    assert closed == [True]


async def test_an_error_comes_after_the_items_before_it() -> None:
    async def fail() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise OSError("broken")

    received: list[int] = []
    with pytest.raises(OSError, match="broken"):
        async for batch in batches(fail(), 0.01):
            received += batch
    assert received == [1, 2]
