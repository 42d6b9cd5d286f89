"""Small tools for streams: closing them for certain, and running a blocking one in a thread."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")
# What is being done, and the share that is done from 0 to 1, or None where that is not known.
Report = Callable[[str, float | None], None]


@asynccontextmanager
async def closing(stream: AsyncIterator[Any]) -> AsyncIterator[None]:
    """Close `stream` on the way out, where it can be closed.

    An async generator that is merely dropped is closed some time later by the loop; a connection must
    be freed now.
    """
    try:
        yield
    finally:
        aclose = getattr(stream, "aclose", None)
        if aclose is not None:
            await aclose()


async def in_thread(blocking: Callable[[threading.Event], Iterator[T]]) -> AsyncIterator[T]:
    """Run a blocking iterator in a thread of its own and give what it yields.

    `blocking` is handed an event that is set when the reader has gone; it must look at it between
    items and return. Errors pass through. A thread of its own, because a pool of few workers would
    make one visitor's stream wait for another's.
    """
    loop = asyncio.get_running_loop()
    # The reader sets the pace: at most 64 items wait, then the thread does.
    queue: asyncio.Queue[tuple[bool, Any]] = asyncio.Queue(maxsize=64)
    gone = threading.Event()

    def put(item: tuple[bool, Any]) -> None:
        if gone.is_set():  # the loop may be closed by now
            return
        future = asyncio.run_coroutine_threadsafe(queue.put(item), loop)
        while not gone.is_set():
            try:
                future.result(timeout=0.1)
                return
            except TimeoutError:
                continue
        future.cancel()

    def work() -> None:
        try:
            for item in blocking(gone):
                put((True, item))
                if gone.is_set():
                    return
            put((False, None))
        except BaseException as error:  # carried over to the reader, who raises it
            put((False, error))

    # The caller's context goes along: ZeroGPU finds in it which visitor's quota to use.
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
        gone.set()


async def reporting(work: Callable[[Report], object]) -> AsyncIterator[tuple[str, float | None]]:
    """Run a blocking `work(report)` in a thread and give its reports as they come; its error is raised."""
    loop = asyncio.get_running_loop()
    steps: asyncio.Queue[tuple[str, float | None] | None] = asyncio.Queue()

    def report(text: str, share: float | None) -> None:
        loop.call_soon_threadsafe(steps.put_nowait, (text, share))

    task = asyncio.create_task(asyncio.to_thread(work, report))
    task.add_done_callback(lambda _: steps.put_nowait(None))
    while (step := await steps.get()) is not None:
        yield step
    await task


async def batches(stream: AsyncIterator[T], seconds: float) -> AsyncIterator[list[T]]:
    """Give what came since the last time, at most once in `seconds`; the first item goes through at once.

    For readers whose cost is by update and not by item, such as a page. An error is raised after the
    items before it; closing this closes `stream`.
    """
    items: asyncio.Queue[T] = asyncio.Queue()
    arrived = asyncio.Event()

    async def pump() -> None:
        try:
            async with closing(stream):
                async for item in stream:
                    items.put_nowait(item)
                    arrived.set()
        finally:
            arrived.set()

    task = asyncio.create_task(pump())
    try:
        while not (task.done() and items.empty()):
            await arrived.wait()
            arrived.clear()
            if batch := [items.get_nowait() for _ in range(items.qsize())]:
                yield batch
                await asyncio.wait([task], timeout=seconds)
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])
