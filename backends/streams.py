"""Helpers for streams: close one reliably, run a blocking one in a thread, group its items."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")
# Receives the current step, and its progress from 0 to 1 or None if that is unknown.
ProgressCallback = Callable[[str, float | None], None]

# The longest that a batch waits for a stream that rested to be read again.
READ_SECONDS = 0.02
# A read takes this many rounds of the loop: the socket is waited for, it is read, the reader wakes, and one to spare.
ROUNDS = 5


@asynccontextmanager
async def closing(stream: AsyncIterator[Any]) -> AsyncIterator[None]:
    """Close `stream` at the end of the block, if it has `aclose`.

    The event loop closes a dropped async generator only later, but its connection must be freed now.
    """
    try:
        yield
    finally:
        aclose = getattr(stream, "aclose", None)
        if aclose is not None:
            await aclose()


async def iterate_in_thread(blocking: Callable[[threading.Event], Iterator[T]]) -> AsyncIterator[T]:
    """Run a blocking iterator in a new thread and yield its items; errors pass through.

    `blocking` receives an event that is set when the reader has stopped. It must check the event between items and
    return. Each stream gets a new thread, because with a pool of few workers one visitor's stream would wait for
    another's.
    """
    loop = asyncio.get_running_loop()
    # The reader sets the pace: when 64 items wait, the thread waits.
    queue: asyncio.Queue[tuple[bool, Any]] = asyncio.Queue(maxsize=64)
    stopped = threading.Event()

    def put(item: tuple[bool, Any]) -> None:
        if stopped.is_set():  # the loop may be closed by now
            return
        future = asyncio.run_coroutine_threadsafe(queue.put(item), loop)
        while not stopped.is_set():
            try:
                future.result(timeout=0.1)
                return
            except TimeoutError:
                continue
        future.cancel()

    def work() -> None:
        try:
            for item in blocking(stopped):
                put((True, item))
                if stopped.is_set():
                    return
            put((False, None))
        except BaseException as error:  # the reader raises it
            put((False, error))

    # The thread runs in the caller's context: ZeroGPU reads from it which visitor's quota to use.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="spaceport-stream", daemon=True).start()
    try:
        while True:
            more, item = await queue.get()
            if more:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        stopped.set()


async def report_progress(work: Callable[[ProgressCallback], object]) -> AsyncIterator[tuple[str, float | None]]:
    """Run a blocking `work(report)` in a thread and yield its reports; raises its error."""
    loop = asyncio.get_running_loop()
    steps: asyncio.Queue[tuple[str, float | None] | None] = asyncio.Queue()

    def report(step: str, progress: float | None) -> None:
        loop.call_soon_threadsafe(steps.put_nowait, (step, progress))

    task = asyncio.create_task(asyncio.to_thread(work, report))
    task.add_done_callback(lambda _: steps.put_nowait(None))
    while (step := await steps.get()) is not None:
        yield step
    await task


async def batches(
    stream: AsyncIterator[T],
    seconds: float | Callable[[], float],
    *,
    at_once: Callable[[T], bool] = lambda item: False,
    rest: bool = False,
) -> AsyncIterator[list[T]]:
    """Give what came since the last time, at most once in `seconds`; the first item goes through at once.

    So does an item for which `at_once` is true. `seconds` may be a function, asked before each wait. With `rest` the
    stream is not read either after any other item until the next batch is due: waking for each token costs more than
    the token. That is for streams behind a socket or a thread, which go on meanwhile.
    For readers whose cost is by update and not by item, such as a page. An error is raised after the
    items before it; closing this closes `stream`.
    """
    items: asyncio.Queue[T] = asyncio.Queue()
    arrived, due, hurried = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def pump() -> None:
        try:
            async with closing(stream):
                async for item in stream:
                    items.put_nowait(item)
                    arrived.set()
                    if at_once(item):
                        hurried.set()
                        due.set()
                    elif rest:
                        await due.wait()
        finally:
            for event in (arrived, due, hurried):
                event.set()

    task = asyncio.create_task(pump())
    try:
        while not (task.done() and items.empty()):
            await arrived.wait()
            arrived.clear()
            if not (batch := [items.get_nowait() for _ in range(items.qsize())]):
                continue
            due.clear()
            hurried.clear()
            yield batch
            if not task.done():
                await _within(due, seconds() if callable(seconds) else seconds)
            if rest and not (task.done() or hurried.is_set() or items.empty()):
                arrived.clear()
                await _within(arrived, READ_SECONDS)
                await _read_out(items)
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _read_out(items: asyncio.Queue[T]) -> None:
    """Wait until no more items come for a few rounds of the loop: what was left now would be late for ever.

    A stream that is never at an end with what it has is left after ten times as many.
    """
    quiet = 0
    for _ in range(10 * ROUNDS):
        known = items.qsize()
        await asyncio.sleep(0)
        quiet = quiet + 1 if items.qsize() == known else 0
        if quiet == ROUNDS:
            return


async def _within(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, and set it when the time is up."""
    timer = asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()
