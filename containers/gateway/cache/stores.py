"""Where cached answers are: in this process' memory, or in a Redis that several gateways share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from backends.serving.redis.connection import RedisAway, SharedRedis
from backends.stopwatch import now

PREFIX = "spaceport:answer:"  # of the keys in Redis
OVERHEAD = 300  # bytes of memory beside the answer and its key, measured with sys.getsizeof


class Store(Protocol):
    """Keeps bytes for a time."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, data: bytes) -> None: ...


class MemoryStore:
    """Keeps at most `max_bytes`, each entry for `seconds`; the one that was used least recently goes first."""

    def __init__(self, max_bytes: int, seconds: float, clock: Callable[[], float] = now) -> None:
        self.size = 0
        self._max_bytes, self._seconds, self._clock = max_bytes, seconds, clock
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        expires, data = self._entries.get(key, (0.0, b""))
        if not data:
            return None
        if expires <= self._clock():
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return data

    async def put(self, key: str, data: bytes) -> None:
        self._remove(key)
        if len(data) + OVERHEAD > self._max_bytes:
            return
        self._entries[key] = (self._clock() + self._seconds, data)
        self.size += len(data) + OVERHEAD
        while self.size > self._max_bytes:
            self._remove(next(iter(self._entries)))

    def _remove(self, key: str) -> None:
        if entry := self._entries.pop(key, None):
            self.size -= len(entry[1]) + OVERHEAD


class RedisStore:
    """Keeps each entry for `seconds` in a Redis; while it is away, in `memory`."""

    def __init__(self, redis: SharedRedis, memory: MemoryStore, seconds: float) -> None:
        self._redis, self._memory = redis, memory
        self._milliseconds = max(1, int(seconds * 1000))

    async def get(self, key: str) -> bytes | None:
        name = PREFIX + key
        try:
            data = await self._redis.run(lambda: self._redis.client.get(name))
            return data.encode() if isinstance(data, str) else data  # the types don't know that it is bytes
        except RedisAway:
            return await self._memory.get(key)

    async def put(self, key: str, data: bytes) -> None:
        name = PREFIX + key
        try:
            await self._redis.run(lambda: self._redis.client.set(name, data, px=self._milliseconds))
        except RedisAway:
            await self._memory.put(key, data)
