"""Where the async backends run: an event loop in a thread, which Streamlit's synchronous scripts hand work to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """One for each process: connections and engines belong to a loop, and all visitors share them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dashboard-loop", daemon=True)
        self._thread.start()

    def result(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for what `work` gives, or raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def iterate(self, stream: AsyncIterator[T]) -> Iterator[T]:
        """The items of a stream as they come; closing this closes the stream before it returns.

        Between two items nobody notices that a visitor has left: the stream should give one every moment.
        """
        try:
            while True:
                try:
                    yield self.result(_next(stream))
                except StopAsyncIteration:
                    return
        finally:
            self.result(_close(stream))

    def close(self) -> None:
        """Stop the loop and wait for its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _next(stream: AsyncIterator[T]) -> T:
    return await anext(stream)


async def _close(stream: AsyncIterator[Any]) -> None:
    aclose = getattr(stream, "aclose", None)
    if aclose is not None:
        await aclose()
