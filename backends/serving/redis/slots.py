"""Slots for work that several processes give out together, such as the answers that run at once.

A slot is held under a name that is new each time. Its process renews it again and again, so the slots of a process
that was killed are free soon after. Only Redis' clock counts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from backends.serving.redis.connection import SharedRedis

HOLD_SECONDS = 20.0

# KEYS are the sets of slots in all, of the address and of the visitor; scores are the times until which they are held.
TAKE = """
local time, hold = redis.call('time'), tonumber(ARGV[2])
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local used = {}
for i, key in ipairs(KEYS) do
    redis.call('zremrangebyscore', key, '-inf', now)
    used[i] = redis.call('zcard', key)
end
local total, share = tonumber(ARGV[3]), tonumber(ARGV[6])
if used[2] > 0 then total = total - math.floor(total / share) end
for i, limit in ipairs({total, tonumber(ARGV[4]), tonumber(ARGV[5])}) do
    if limit > 0 and used[i] >= limit then return 0 end
end
for _, key in ipairs(KEYS) do
    redis.call('zadd', key, now + hold, ARGV[1])
    redis.call('pexpire', key, hold)
end
return 1
"""
RENEW = """
local time, hold = redis.call('time'), tonumber(ARGV[2])
for _, key in ipairs(KEYS) do
    redis.call('zadd', key, time[1] * 1000 + math.floor(time[2] / 1000) + hold, ARGV[1])
    redis.call('pexpire', key, hold)
end
"""
GIVE_BACK = "for _, key in ipairs(KEYS) do redis.call('zrem', key, ARGV[1]) end"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a slot, by names without secrets: Redis stores them. `id` is new for each slot."""

    id: str
    address: str
    visitor: str


class SharedSlots:
    """The slots for one kind of work; each method raises `RedisAway` while Redis doesn't answer.

    `limits` are how many there are in all, for one address and for one visitor; 0 is no limit. An address that has one
    already leaves one slot in `newcomer_share` to others.
    """

    def __init__(
        self, redis: SharedRedis, name: str, limits: Collection[int], newcomer_share: int, seconds: float = HOLD_SECONDS
    ) -> None:
        self._redis = redis
        self._name = name
        self._limits = tuple(limits)
        self._newcomer_share = newcomer_share
        self._hold = int(seconds * 1000)
        self._take, self._renew, self._give_back = map(redis.client.register_script, (TAKE, RENEW, GIVE_BACK))

    async def take(self, holder: Holder) -> bool:
        """Take a slot if one is free; return whether it was."""
        arguments: list[str | int] = [holder.id, self._hold, *self._limits, self._newcomer_share]
        return bool(await self._redis.run(lambda: self._take(self._keys(holder), arguments)))

    async def renew(self, holder: Holder) -> None:
        """Hold a slot for longer, also one that Redis has lost."""
        await self._redis.run(lambda: self._renew(self._keys(holder), [holder.id, self._hold]))

    async def give_back(self, holder: Holder) -> None:
        """Let others have the slot."""
        await self._redis.run(lambda: self._give_back(self._keys(holder), [holder.id]))

    def _keys(self, holder: Holder) -> list[str]:
        base = f"{{{self._name}}}"  # of a cluster, all three on one machine
        return [f"{base}:all", f"{base}:address:{holder.address}", f"{base}:visitor:{holder.visitor}"]
