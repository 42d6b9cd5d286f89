"""What several replicas of a page limit together, through a Redis: questions in a minute, and slots for work.

One thread has the connection, because questions come from threads and from event loops. What Redis stores of a caller
is a hash, because a visitor's name contains a private key.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from backends import NotConfigured
from backends.variables import setting
from ui.admission.fair_queue import NEWCOMER_SHARE, Caller
from ui.admission.work_limits import Places

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from backends.serving.redis.slots import Holder, SharedSlots

VARIABLE = "SPACEPORT_REDIS_URL"
REDIS_SECONDS = 0.25
RENEW_SECONDS = 5.0
T = TypeVar("T")


class PageRedis:
    """The Redis that the replicas of a page share; `page` is its name there. While it's away, each limits by itself."""

    def __init__(
        self, url: str, page: str, *, seconds: float = REDIS_SECONDS, renew_seconds: float = RENEW_SECONDS
    ) -> None:
        try:
            from backends.serving.redis.connection import SharedRedis
            from backends.serving.redis.windows import RedisCounter
        except ModuleNotFoundError as error:
            message = f"{VARIABLE} is set, but the package {error.name} isn't installed."
            raise NotConfigured(message, "Install it: pip install 'spaceport[replicas]'.") from error
        self.held: set[SharedPlace] = set()
        self._prefix = f"spaceport:page:{page}"
        self._renew_seconds = renew_seconds
        self.redis = SharedRedis(url, seconds=seconds, use="the page's limits")
        self._counter = RedisCounter(self.redis, f"{self._prefix}:questions")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="redis", daemon=True)
        self._thread.start()
        self.submit(self._renew_slots())

    @classmethod
    def from_environment(cls, page: str, environment: Mapping[str, str] = os.environ) -> PageRedis | None:
        """Return the Redis that SPACEPORT_REDIS_URL names, or the file in SPACEPORT_REDIS_URL_FILE; None without."""
        url = setting(VARIABLE, environment)
        return cls(url, page) if url else None

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run it in the thread of the connection."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """Return the result of a command; raises `RedisAway` if Redis is away. Not for an event loop: it blocks."""
        return self.submit(self.redis.run(lambda: command(self.redis.client))).result()

    def take_question(self, names: Mapping[str, int]) -> tuple[int, float] | None:
        """Count a question for each name, with its limit in a minute.

        If one has reached its limit, count nothing; return the position of that name, and the seconds until it may ask.
        Callers block until Redis answers, at most about as long as its time-out.
        """
        return self.submit(self._take_question(names)).result()

    def slots(self, lane: str, limits: Places) -> SharedSlots:
        """Return the slots of one kind of work."""
        from backends.serving.redis.slots import SharedSlots

        numbers = (limits.total, limits.address, limits.visitor)
        return SharedSlots(self.redis, f"{self._prefix}:{lane}", numbers, NEWCOMER_SHARE)

    def close(self) -> None:
        """End the connection and its thread."""
        self.submit(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.redis.aclose()

    async def _take_question(self, names: Mapping[str, int]) -> tuple[int, float] | None:
        from backends.serving.redis.connection import RedisAway

        counted: list[tuple[str, int]] = []
        with contextlib.suppress(RedisAway):
            for position, (name, limit) in enumerate(names.items()):
                name = hashed(name)
                if not limit or await self._counter.take(name, limit, 1):
                    counted += [(name, limit)] if limit else []
                    continue
                wait = (await self._counter.window(name, limit)).wait(limit, 1)
                for each, its_limit in counted:
                    await self._counter.correct(each, its_limit, -1, age=0)
                return position, wait
        return None

    async def _renew_slots(self) -> None:
        """Say at the start whether Redis answers, and hold the slots of running work."""
        from backends.serving.redis.connection import RedisAway

        with contextlib.suppress(RedisAway):
            await self.redis.run(self.redis.client.ping)
        while True:
            await asyncio.sleep(self._renew_seconds)
            with contextlib.suppress(RedisAway):
                for slot in list(self.held):
                    await slot.renew()


class SharedPlace:
    """The slot of one caller among those of all replicas. Release it in every case."""

    def __init__(self, page_redis: PageRedis, slots: SharedSlots, caller: Caller) -> None:
        self._page_redis, self._slots = page_redis, slots
        self._names = hashed(caller.address), hashed(caller.visitor)
        self._id = secrets.token_hex(8)
        self._released = False
        self._lock = asyncio.Lock()  # a slot that is released while it's taken isn't held afterwards

    async def take(self) -> bool:
        """Return whether the work may start: it has a slot, or Redis is away."""
        return await asyncio.wrap_future(self._page_redis.submit(self._take()))

    async def renew(self) -> None:
        """Hold the slot for longer."""
        async with self._lock:
            if self in self._page_redis.held:  # it may have been refused while this waited for the lock
                await self._slots.renew(self._holder)

    def release(self) -> None:
        """Let the other replicas know, from any thread; nobody waits for it."""
        self._page_redis.submit(self._release())

    async def _take(self) -> bool:
        from backends.serving.redis.connection import RedisAway

        async with self._lock:
            if self._released:
                return False
            self._page_redis.held.add(self)  # before the answer: who leaves meanwhile gives it back
            try:
                is_taken = await self._slots.take(self._holder)
            except RedisAway:
                return True
            if not is_taken:
                self._page_redis.held.discard(self)
            return is_taken

    async def _release(self) -> None:
        from backends.serving.redis.connection import RedisAway

        async with self._lock:
            self._released = True
            if self in self._page_redis.held:
                self._page_redis.held.discard(self)
                with contextlib.suppress(RedisAway):
                    await self._slots.give_back(self._holder)

    @property
    def _holder(self) -> Holder:
        from backends.serving.redis.slots import Holder

        return Holder(self._id, *self._names)


def hashed(name: str) -> str:
    """Return a name for Redis. It hides a visitor's key, but not an IPv4 address: all of those can be tried."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
