"""One admission for all work on a page: who may start now, who waits, and who must come back later."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

from backends import SpaceportError, stopwatch
from backends.streams import closing
from ui.admission.fair_queue import Caller, Entry, FairQueue
from ui.admission.page_redis import PageRedis, SharedPlace
from ui.admission.rate_limit import RateLimit
from ui.admission.strings import MESSAGES, TOO_SLOW, TOO_SLOW_REMEDY, Reason, try_again
from ui.admission.work_limits import Limits, Places
from ui.process.threads import Threads

MAX_RETRY_AFTER = 60  # seconds
UPDATE_SECONDS = 1.0
SHARED_SECONDS = 0.25  # between two questions to Redis for a place that the replicas share
VIEW_THREADS = 4
P = ParamSpec("P")
T = TypeVar("T")


class Refused(SpaceportError):
    """A request isn't served now; `retry_after` is the wait in seconds."""

    def __init__(self, reason: Reason, retry_after: float, limit: int = 0) -> None:
        self.reason, self.limit = reason, limit
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__(MESSAGES[reason].format(limit=limit), try_again(self.retry_after))


class TooSlow(SpaceportError):
    """An answer took longer than its time limit."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(TOO_SLOW.format(seconds=seconds), TOO_SLOW_REMEDY)


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
        self._shared = page_redis.places(name, places) if page_redis else None
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


class Admission:
    """The lanes of a page, and the limits for questions in a minute.

    With `page_redis`, all replicas of the page share the places at the models, and the questions. Each replica has
    its own limits for what defends the processors of its machine.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        now: Callable[[], float] = stopwatch.now,
        *,
        page_redis: PageRedis | None = None,
    ) -> None:
        self.limits = limits = limits or Limits.from_environment()
        self._page_redis = page_redis
        self.answers = Lane(limits.answers, limits, now, page_redis=page_redis, name="answers")
        self.readings = Lane(limits.readings, limits, now)
        self.uploads = Lane(limits.uploads, limits, now)
        self.views = Lane(limits.views, limits, now)
        self.races = Lane(limits.races, limits, now, page_redis=page_redis, name="races")
        self.measurements = Lane(limits.measurements, limits, now, page_redis=page_redis, name="measurements")
        self._by_visitor = RateLimit(limits.questions_per_minute, now=now)
        self._by_address = RateLimit(limits.address_questions_per_minute, now=now)
        self._lock = threading.Lock()
        self._view_threads = Threads("view", VIEW_THREADS)

    async def view(self, caller: Caller, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Return what `work` draws, writes or calculates for a page, when the caller may have it done."""
        place = await self.views.enter(caller)
        return await place.keep(asyncio.ensure_future(self._view_threads.run(work, *arguments, **options)))

    def take_question(self, caller: Caller, lane: Lane | None = None) -> None:
        """Count a question that comes into the lane (`answers`), or raise `Refused` and count nothing.

        With `page_redis` it waits for Redis: call it in a thread.
        """
        (lane or self.answers).check(caller)
        visitor, address = self.limits.questions_per_minute, self.limits.address_questions_per_minute
        with self._lock:
            if wait := self._by_visitor.wait(caller.visitor):
                raise Refused(Reason.TOO_MANY_QUESTIONS, wait, visitor)
            if wait := self._by_address.wait(caller.address):
                raise Refused(Reason.TOO_MANY_FROM_ADDRESS, wait, address)
            self._by_visitor.record(caller.visitor)
            self._by_address.record(caller.address)
        names = {f"visitor {caller.visitor}": visitor, f"address {caller.address}": address}
        if refusal := self._page_redis and self._page_redis.take_question(names):
            self._by_visitor.take_back(caller.visitor)
            self._by_address.take_back(caller.address)
            position, wait = refusal
            reason = (Reason.TOO_MANY_QUESTIONS, Reason.TOO_MANY_FROM_ADDRESS)[position]
            raise Refused(reason, wait, (visitor, address)[position])

    @asynccontextmanager
    async def time_limit(self) -> AsyncIterator[None]:
        """Raise `TooSlow` if the block takes longer than an answer may."""
        seconds = self.limits.answer_seconds
        try:
            async with asyncio.timeout(seconds or None):
                yield
        except TimeoutError as error:
            raise TooSlow(seconds) from error

    def in_time(self, stream: AsyncIterator[T]) -> AsyncIterator[T]:
        """Return the stream of an answer; it raises `TooSlow` when its time is over."""
        return in_time(stream, self.limits.answer_seconds)


async def in_time(stream: AsyncIterator[T], seconds: float) -> AsyncIterator[T]:
    """Yield the items of a stream; raise `TooSlow` and close the stream after these seconds (0: no limit)."""
    deadline = asyncio.get_running_loop().time() + seconds if seconds else None
    async with closing(stream):
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    item = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise TooSlow(seconds) from error
            yield item
