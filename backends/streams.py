"""Helpers for streams: close one reliably, run a blocking one in a thread, group its items."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

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

    def work() -> None:
        try:
            for item in blocking(stopped):
                _put_from_thread((True, item), queue, loop, stopped)
                if stopped.is_set():
                    return
            _put_from_thread((False, None), queue, loop, stopped)
        except BaseException as error:  # the reader raises it
            _put_from_thread((False, error), queue, loop, stopped)

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


def _put_from_thread(
    item: T, queue: asyncio.Queue[T], loop: asyncio.AbstractEventLoop, stopped: threading.Event
) -> None:
    """Put an item into a queue of the loop and wait until it fits; give up once `stopped` is set."""
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
    before each wait. With `pause_between_batches`, the stream isn't read between batches either, because waking up for
    each token costs more than the token; this needs a stream from a socket or a thread, which continues meanwhile. An
    error follows the items before it; closing this closes `stream`.
    """
    buffer = _Buffer[T]()
    task = asyncio.create_task(buffer.fill(stream, at_once, pause_between_batches=pause_between_batches))
    try:
        while not (task.done() and buffer.items.empty()):
            if not (batch := await buffer.take()):
                continue
            yield batch
            if not task.done():
                await _wait(buffer.due, seconds() if callable(seconds) else seconds)
            if pause_between_batches and not (task.done() or buffer.urgent.is_set() or buffer.items.empty()):
                await buffer.read_ahead()
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])


class _Buffer(Generic[T]):
    """Items of a stream that wait for the next batch; `due` is set when the batch may be taken."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[T] = asyncio.Queue()
        self.arrived, self.due, self.urgent = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def fill(
        self, stream: AsyncIterator[T], at_once: Callable[[T], bool], *, pause_between_batches: bool
    ) -> None:
        """Read the stream to its end."""
        try:
            async with closing(stream):
                async for item in stream:
                    self.items.put_nowait(item)
                    self.arrived.set()
                    if at_once(item):
                        self.urgent.set()
                        self.due.set()
                    elif pause_between_batches:
                        await self.due.wait()
        finally:
            for event in (self.arrived, self.due, self.urgent):
                event.set()

    async def take(self) -> list[T]:
        """Wait for an item and return all that have arrived; an empty list at the end of the stream."""
        await self.arrived.wait()
        self.arrived.clear()
        batch = [self.items.get_nowait() for _ in range(self.items.qsize())]
        if batch:
            self.due.clear()
            self.urgent.clear()
        return batch

    async def read_ahead(self) -> None:
        """Wait until no item arrives for `ROUNDS` rounds of the loop, because items left unread would stay late.

        If the stream never pauses, it stops after `READ_SECONDS`, and not before `ROUNDS`: of a busy loop, they take
        longer, and new items arrive meanwhile.
        """
        self.arrived.clear()
        await _wait(self.arrived, READ_SECONDS)
        loop, quiet, rounds = asyncio.get_running_loop(), 0, 0
        deadline = loop.time() + READ_SECONDS
        while quiet < ROUNDS and (rounds < ROUNDS or loop.time() < deadline):
            size = self.items.qsize()
            await asyncio.sleep(0)
            quiet, rounds = quiet + 1 if self.items.qsize() == size else 0, rounds + 1


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, and set it after `seconds`."""
    timer = asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()
