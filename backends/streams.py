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

# The longest wait for the next item after a pause in reading.
READ_SECONDS = 0.02
# A read takes this many rounds of the loop, including one in reserve: wait for the socket, read it, wake the reader.
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
    pause_between_batches: bool = False,
) -> AsyncIterator[list[T]]:
    """Yield the items since the last batch, at most once in `seconds`; for readers that pay per update, such as a page.

    The first item, and items for which `at_once` is true, are yielded immediately. `seconds` may be a function, called
    before each wait. With `pause_between_batches`, the stream isn't read between batches either, because
    waking up for each token costs more than the token; this needs a stream from a socket or a thread, which continues
    meanwhile. An error follows
    the items before it; closing this closes `stream`.
    """
    items: asyncio.Queue[T] = asyncio.Queue()
    arrived, due, urgent = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def pump() -> None:
        try:
            async with closing(stream):
                async for item in stream:
                    items.put_nowait(item)
                    arrived.set()
                    if at_once(item):
                        urgent.set()
                        due.set()
                    elif pause_between_batches:
                        await due.wait()
        finally:
            for event in (arrived, due, urgent):
                event.set()

    task = asyncio.create_task(pump())
    try:
        while not (task.done() and items.empty()):
            await arrived.wait()
            arrived.clear()
            if not (batch := [items.get_nowait() for _ in range(items.qsize())]):
                continue
            due.clear()
            urgent.clear()
            yield batch
            if not task.done():
                await _wait(due, seconds() if callable(seconds) else seconds)
            if pause_between_batches and not (task.done() or urgent.is_set() or items.empty()):
                arrived.clear()
                await _wait(arrived, READ_SECONDS)
                await _read_ahead(items)
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _read_ahead(items: asyncio.Queue[T]) -> None:
    """Wait until no item arrives for `ROUNDS` rounds of the loop, because items left unread would stay late.

    Stops after ten times as many rounds if the stream never pauses.
    """
    quiet = 0
    for _ in range(10 * ROUNDS):
        size = items.qsize()
        await asyncio.sleep(0)
        quiet = quiet + 1 if items.qsize() == size else 0
        if quiet == ROUNDS:
            return


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, and set it after `seconds`."""
    timer = asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()
