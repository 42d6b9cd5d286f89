"""Limits concurrent requests and queues the next ones in arrival order."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
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
        self.length = 0
        self._semaphore = asyncio.Semaphore(slots)
        self._mean_seconds = 1.0  # how long a request occupies its slot, a moving average

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[float]:
        """Wait for a slot and release it at the end; yields the seconds spent waiting.

        Raises `Full` if the queue is full. Cancelling the wait frees the place in the queue.
        """
        if self._semaphore.locked() and self.length >= self.capacity:
            raise Full(
                f"All {self.slots} slots are taken and {self.length} requests wait.",
                f"Try again in {self.retry_after} s.",
                retry_after=self.retry_after,
            )
        enqueued = now()
        self.length += 1
        try:
            await self._semaphore.acquire()
        finally:
            self.length -= 1
        self.in_use += 1
        started = now()
        try:
            yield started - enqueued
        finally:
            self.in_use -= 1
            self._semaphore.release()
            self._mean_seconds += 0.2 * (now() - started - self._mean_seconds)

    @property
    def retry_after(self) -> int:
        """Whole seconds until a place should be free, estimated from recent requests."""
        return max(1, min(MAX_RETRY_AFTER, math.ceil(self._mean_seconds * (self.length + 1) / self.slots)))
