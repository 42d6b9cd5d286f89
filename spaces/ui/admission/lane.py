"""The places for one kind of work, and the wait for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from backends import stopwatch
from ui.admission.errors import Refused
from ui.admission.fair_queue import Caller, Entry, FairQueue
from ui.admission.page_redis import PageRedis, SharedPlace
from ui.admission.strings import Reason
from ui.admission.work_limits import Limits, Places

MAX_RETRY_AFTER = 60  # seconds
UPDATE_SECONDS = 1.0
SHARED_SECONDS = 0.25  # between two questions to Redis for a place that the replicas share
T = TypeVar("T")


class Place:
    """A caller's place in a `Lane`, or the wait for one. Release it in every case."""

    def __init__(self, lane: Lane, entry: Entry, shared: SharedPlace | None = None) -> None:
        self._lane = lane
        self._shared = shared
        self._entry = entry
        self._changed = asyncio.Event()
        self._started = lane.now()

    @property
    def running(self) -> bool:
        """Whether the work may start."""
        return self._entry.running

    async def wait(self) -> AsyncIterator[int]:
        """Yield, about once a second, how many are ahead, until the work may start; `Refused` after too long."""
        deadline = self._started + self._lane.waiting_seconds
        while not self.running:
            if self._entry.refusal:
                raise self._lane.refuse(self._entry.refusal)
            if self._lane.waiting_seconds and self._lane.now() >= deadline:
                raise self._lane.refuse(Reason.WAITED)
            yield self._lane.queue.ahead(self._entry)
            try:
                async with asyncio.timeout(UPDATE_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue
        while self._shared and not await self._shared.take():
            if self._lane.waiting_seconds and self._lane.now() >= deadline:
                raise self._lane.refuse(Reason.WAITED)
            yield 0
            await asyncio.sleep(SHARED_SECONDS)
        self._started = self._lane.now()

    def wake(self) -> None:
        """Tell the one who waits that something has changed."""
        self._changed.set()

    async def keep(self, work: asyncio.Future[T]) -> T:
        """Wait for work that nothing can stop, such as a thread's, and release the place when it has ended.

        A caller who leaves has the place until then. Otherwise the work of those who left would take all threads.
        """
        work.add_done_callback(self._end)
        return await asyncio.shield(work)

    def release(self) -> None:
        """Give up the place or the wait."""
        if self._shared:
            self._shared.release()
        self._lane.release(self._entry, self._started)

    def _end(self, work: asyncio.Future[Any]) -> None:
        self.release()
        if not work.cancelled():
            work.exception()  # of a caller who has left, nobody else asks for it


class Lane:
    """The places for one kind of work. `check` may be called from any thread, all else from the event loop.

    With `page_redis`, all replicas share the places of this `name`: work that has one here also needs one of those.
    """

    def __init__(
        self,
        places: Places,
        limits: Limits,
        now: Callable[[], float] = stopwatch.now,
        *,
        page_redis: PageRedis | None = None,
        name: str = "",
    ) -> None:
        self._page_redis = page_redis
        self._shared = page_redis.slots(name, places) if page_redis else None
        self.queue = FairQueue(places, limits.waiting)
        self.waiting_seconds = limits.waiting_seconds
        self.now = now
        self._places = places
        self._open: dict[Entry, Place] = {}
        self._mean_seconds = 1.0  # how long a place is taken, a moving average

    def check(self, caller: Caller) -> None:
        """Raise `Refused` if the caller could not even wait now."""
        if reason := self.queue.refusal(caller):
            raise self.refuse(reason)

    def join(self, caller: Caller) -> Place:
        """Return the caller's place, which may have to wait; raise `Refused` if there are too many already."""
        entry, displaced = self.queue.join(caller)
        if displaced:
            self._open[displaced].wake()
        if entry.refusal:
            raise self.refuse(entry.refusal)
        shared = SharedPlace(self._page_redis, self._shared, caller) if self._page_redis and self._shared else None
        place = self._open[entry] = Place(self, entry, shared)
        return place

    async def enter(self, caller: Caller) -> Place:
        """Wait for a place and return it."""
        place = self.join(caller)
        try:
            async for _ in place.wait():
                pass
        except BaseException:
            place.release()
            raise
        return place

    @asynccontextmanager
    async def place(self, caller: Caller) -> AsyncIterator[None]:
        """Wait for a place and release it at the end of the block."""
        place = await self.enter(caller)
        try:
            yield
        finally:
            place.release()

    def release(self, entry: Entry, started: float) -> None:
        """End an entry and start the next ones."""
        if self._open.pop(entry, None) is None:
            return
        if entry.running:
            self._mean_seconds += 0.2 * (self.now() - started - self._mean_seconds)
        for next_entry in self.queue.leave(entry):
            self._open[next_entry].wake()

    def refuse(self, reason: Reason) -> Refused:
        """Return the refusal, with the time after which a place should be free, estimated from recent work."""
        seconds = self._mean_seconds * (self.queue.waiting + 1) / (self._places.total or 1)
        return Refused(reason, min(MAX_RETRY_AFTER, seconds))
