"""The counters of one minute: in this process' memory, and in Redis. Both count in sliding windows of `limits`.

Redis' counters depend only on its own clock, so that gateways whose clocks differ share them.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from backends.serving.redis.connection import SharedRedis
from backends.stopwatch import wall_clock

MINUTE = 60
NAMESPACE = "minute"


class Window(NamedTuple):
    """What was counted: in the window before, for how many seconds that still counts, and in the current one."""

    previous: int
    previous_seconds: float
    current: int
    current_seconds: float  # until the current window no longer counts at all

    def wait(self, limit: int, amount: int) -> float:
        """Seconds until `amount` more fit below the limit, if nobody else takes them."""
        room = limit - amount
        if self.current <= room:
            if self.previous * self.previous_seconds <= (room - self.current) * MINUTE:
                return 0.0
            return self.previous_seconds - (room - self.current) * MINUTE / self.previous
        return max(0.0, self.current_seconds - MINUTE) + MINUTE * (1 - room / self.current)


class Counter(Protocol):
    """Counts what keys use in a minute; `name` is the key with what is counted."""

    async def take(self, name: str, limit: int, amount: int) -> bool:
        """Count `amount` if it fits below the limit; return whether it did."""
        ...

    async def correct(self, name: str, limit: int, amount: int, *, age: float) -> None:
        """Add to what was counted `age` seconds ago, or give back if `amount` is negative."""
        ...

    async def window(self, name: str, limit: int) -> Window: ...


def _item(limit: int) -> RateLimitItem:
    return RateLimitItemPerMinute(limit, namespace=NAMESPACE)


class MemoryCounter:
    """Counts in this process."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def take(self, name: str, limit: int, amount: int) -> bool:
        return await self._limiter.hit(_item(limit), name, cost=amount)

    async def correct(self, name: str, limit: int, amount: int, *, age: float) -> None:
        key = _item(limit).key_for(name)
        _, then = self._storage.sliding_window_keys(key, MINUTE, wall_clock() - age)
        if amount > 0:
            _, current = self._storage.sliding_window_keys(key, MINUTE, wall_clock())
            await self._storage.incr(current, 2 * MINUTE, amount)
        elif await self._storage.get(then):  # a window that nobody counts in any more would stay in memory
            await self._storage.decr(then, -amount)

    async def window(self, name: str, limit: int) -> Window:
        return Window(*await self._storage.get_sliding_window(_item(limit).key_for(name), MINUTE))


# The keys and windows are those of the script with which `limits` counts: KEYS are the previous and the current window.
CORRECT = """
local amount, expiry, age = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local left = redis.call('pttl', KEYS[2])
if left > 0 and left < expiry then
    redis.call('rename', KEYS[2], KEYS[1])
    left = left + expiry
    redis.call('set', KEYS[2], 0, 'PX', left)
end
if left <= 0 then
    if amount > 0 then redis.call('set', KEYS[2], amount, 'PX', 2 * expiry) end
    return
end
local key, passed = KEYS[2], 2 * expiry - left
if amount < 0 and age > passed then
    if age > passed + expiry or redis.call('exists', KEYS[1]) == 0 then return end
    key = KEYS[1]
end
amount = math.max(amount, -tonumber(redis.call('get', key)))
if amount ~= 0 then redis.call('incrby', key, amount) end
"""


class RedisCounter:
    """Counts in a Redis; raises `RedisAway` while it doesn't answer."""

    def __init__(self, redis: SharedRedis, prefix: str = "spaceport:limits") -> None:
        self._redis = redis
        # The pool has the address; `limits` reads only the credentials from this one.
        options: dict[str, Any] = {"connection_pool": redis.pool}
        self._storage = RedisStorage("async+redis://", implementation="redispy", key_prefix=prefix, **options)
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._prefix = prefix
        self._script = redis.client.register_script(CORRECT)

    async def take(self, name: str, limit: int, amount: int) -> bool:
        return await self._redis.run(lambda: self._limiter.hit(_item(limit), name, cost=amount))

    async def correct(self, name: str, limit: int, amount: int, *, age: float) -> None:
        current = f"{self._prefix}:{{{_item(limit).key_for(name)}}}"
        arguments = [amount, MINUTE * 1000, int(age * 1000)]
        await self._redis.run(lambda: self._script([f"{current}/-1", current], arguments))

    async def window(self, name: str, limit: int) -> Window:
        key = _item(limit).key_for(name)
        return Window(*await self._redis.run(lambda: self._storage.get_sliding_window(key, MINUTE)))
