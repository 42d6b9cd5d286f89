"""Limits concurrent requests and queues the next ones in arrival order."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from backends.stopwatch import now
from inference.errors import Full

MAX_RETRY_AFTER = 60  # seconds


class AdmissionQueue:
    """Runs `slots` requests at once, first come, first served; up to `capacity` more wait."""

    def __init__(self, slots: int, capacity: int) -> None:
        self.slots = slots
        self.capacity = capacity
        self.in_use = 0
        self._waiting: dict[object, Callable[[int], None] | None] = {}  # in the order of arrival
        self._semaphore = asyncio.Semaphore(slots)
        self._mean_seconds = 1.0  # how long a request occupies its slot, a moving average

    @property
    def length(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def slot(self, moved: Callable[[int], None] | None = None) -> AsyncIterator[float]:
        """Wait for a slot and release it at the end; yields the seconds spent waiting.

        Raises `Full` if the queue is full. Cancelling the wait frees the place in the queue. `moved` hears how many
        requests wait ahead of this one, if it has to wait, and again when one of those that wait has left.
        """
        if self._semaphore.locked() and self.length >= self.capacity:
            raise Full(
                f"All {self.slots} slots are taken and {self.length} requests wait.",
                f"Try again in {self.retry_after} s.",
                retry_after=self.retry_after,
            )
        enqueued = now()
        await self._wait(moved)
        self.in_use += 1
        started = now()
        try:
            yield started - enqueued
        finally:
            self.in_use -= 1
            self._semaphore.release()
            self._mean_seconds += 0.2 * (now() - started - self._mean_seconds)

    async def _wait(self, moved: Callable[[int], None] | None) -> None:
        place = object()
        self._waiting[place] = moved
        try:
            if moved and self._semaphore.locked():
                moved(self.length - 1)
            await self._semaphore.acquire()
        finally:
            del self._waiting[place]
            for ahead, tell in enumerate(self._waiting.values()):
                if tell:
                    tell(ahead)

    @property
    def retry_after(self) -> int:
        """Whole seconds until a place should be free, estimated from recent requests."""
        return max(1, min(MAX_RETRY_AFTER, math.ceil(self._mean_seconds * (self.length + 1) / self.slots)))
