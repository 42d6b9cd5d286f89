"""Runs the pictures of several requests together: while a batch runs, the next one collects."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

Run = Callable[["NDArray[Any]"], "NDArray[Any]"]


class Batcher:
    """Runs inputs in order of arrival in one thread, at most `size` at once; nothing waits for a batch to fill."""

    def __init__(self, run: Run, size: int, observe: Callable[[int], None] = lambda size: None) -> None:
        """`observe` gets the size of each batch."""
        self.size = size
        self._run = run
        self._observe = observe
        self._waiting: deque[tuple[NDArray[Any], asyncio.Future[NDArray[Any]]]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, entry: NDArray[Any]) -> NDArray[Any]:
        """Return the row of outputs for an input; a caller who is cancelled takes no place in a batch."""
        future: asyncio.Future[NDArray[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            futures = [future for _, future in batch]
            try:
                rows = await loop.run_in_executor(self._thread, self._run_batch, [entry for entry, _ in batch])
            except Exception as error:  # each caller gets it
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
                continue
            for future, row in zip(futures, rows, strict=True):
                if not future.done():
                    future.set_result(row)

    def _next_batch(self) -> list[tuple[NDArray[Any], asyncio.Future[NDArray[Any]]]]:
        batch: list[tuple[NDArray[Any], asyncio.Future[NDArray[Any]]]] = []
        while self._waiting and len(batch) < self.size:
            entry, future = self._waiting.popleft()
            if not future.done():
                batch.append((entry, future))
        if batch:
            self._observe(len(batch))
        return batch

    def _run_batch(self, entries: list[NDArray[Any]]) -> NDArray[Any]:
        import numpy as np

        return self._run(np.stack(entries))

    def close(self) -> None:
        """End the thread after the batch that runs."""
        self._thread.shutdown(wait=False, cancel_futures=True)
