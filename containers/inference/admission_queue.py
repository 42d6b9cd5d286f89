"""Lets so many requests in at once and keeps so many waiting; the next one is told when to come again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.stopwatch import now
from inference.errors import Full

LONGEST_WAIT = 60


class Gate:
    """`slots` requests are served at once, in the order they came; `room` more wait."""

    def __init__(self, slots: int, room: int) -> None:
        self.slots = slots
        self.room = room
        self.in_use = 0
        self.waiting = 0
        self._free = asyncio.Semaphore(slots)
        self._held = 1.0  # seconds a slot is held, a moving mean

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[float]:
        """A slot, given back on the way out; yields the seconds that were waited for it.

        `Full` if the queue is full; leaving while waiting gives the place up.
        """
        if self._free.locked() and self.waiting >= self.room:
            raise Full(
                f"All {self.slots} slots are taken and {self.waiting} requests wait.",
                f"Try again in {self.retry_after} s.",
                retry_after=self.retry_after,
            )
        began = now()
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.in_use += 1
        got = now()
        try:
            yield got - began
        finally:
            self.in_use -= 1
            self._free.release()
            self._held += 0.2 * (now() - got - self._held)

    @property
    def retry_after(self) -> int:
        """Whole seconds until a place should be free, from how long answers took of late."""
        return max(1, min(LONGEST_WAIT, math.ceil(self._held * (self.waiting + 1) / self.slots)))
