"""One admission for all work on a page: who may start now, who waits, and who must come back later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from backends import stopwatch
from backends.streams import closing
from ui.admission.errors import Refused, TooSlow
from ui.admission.fair_queue import Caller
from ui.admission.lane import Lane
from ui.admission.page_redis import PageRedis
from ui.admission.rate_limit import RateLimit
from ui.admission.strings import Reason
from ui.admission.work_limits import Limits
from ui.process.threads import Threads

VIEW_THREADS = 4
P = ParamSpec("P")
T = TypeVar("T")


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
