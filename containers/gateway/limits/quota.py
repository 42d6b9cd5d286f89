"""What a key may use in a minute: requests and tokens are taken before an answer, and corrected after it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from backends.serving.redis.connection import RedisAway
from backends.serving.redis.windows import Counter, MemoryCounter
from backends.stopwatch import now
from inference.errors import Full, Refused

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Quota:
    """The limits of a key; None is no limit."""

    requests: int | None = None
    tokens: int | None = None


class LimitReached(Full):
    """A key used all that it may in a minute; `kind` is "requests" or "tokens"."""

    def __init__(self, kind: str, limit: int, wait: float) -> None:
        seconds = max(1, math.ceil(wait))
        amount = f"{limit:,} {kind}" if limit != 1 else f"1 {kind.removesuffix('s')}"
        message = f"This key may use {amount} a minute, which it has done."
        super().__init__(message, f"Try again in {seconds} s.", retry_after=seconds)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Taken:
    """An amount that a counter has counted, and when."""

    kind: str
    name: str
    limit: int
    amount: int
    counter: Counter
    at: float

    async def correct(self, amount: int) -> None:
        """Let it be `amount`, as if it had been from the start."""
        try:
            await self.counter.correct(self.name, self.limit, amount - self.amount, age=now() - self.at)
        except RedisAway:
            logger.debug("a correction is lost: what was reserved counts until its minute is over")


class Reservation:
    """What one request has taken from its key's quota."""

    def __init__(self) -> None:
        self._taken: list[Taken] = []

    def add(self, taken: Taken) -> None:
        self._taken.append(taken)

    async def settle(self, tokens: int) -> None:
        """Replace the reserved tokens by those that were used; only the first call counts."""
        reserved, self._taken = self._taken, []
        for taken in reserved:
            if taken.kind == "tokens" and taken.amount != tokens:
                await taken.correct(tokens)

    async def cancel(self) -> None:
        """Give everything back: the request was refused."""
        reserved, self._taken = self._taken, []
        for taken in reserved:
            await taken.correct(0)


class Limits:
    """Limits requests and tokens of keys. This process always counts; with `shared`, all gateways count together.

    What one gateway has let through never exceeds a limit, so it refuses by itself, and asks Redis only for the rest.
    While Redis is away, each gateway limits by itself, and a key can use its limit once at each.
    """

    def __init__(self, shared: Counter | None = None, *, refused: Callable[[str], None] = lambda kind: None) -> None:
        self._local = MemoryCounter()
        self._shared = shared
        self._refused = refused

    async def reserve(self, key: str, quota: Quota, tokens: int) -> Reservation:
        """Take one request and `tokens` from the key's quota; raises `LimitReached`, and then takes nothing."""
        if quota.tokens is not None and tokens > quota.tokens:
            self._refused("tokens")
            message = f"The request can take {tokens:,} tokens, more than the {quota.tokens:,} of this key in a minute."
            raise Refused(message, "Ask with a smaller max_tokens or a shorter prompt.", status=400)
        reservation = Reservation()
        try:
            for kind, limit, amount in (("requests", quota.requests, 1), ("tokens", quota.tokens, tokens)):
                if limit is not None:
                    await self._take(reservation, key, kind, limit, amount)
        except BaseException:
            await reservation.cancel()
            raise
        return reservation

    async def _take(self, reservation: Reservation, key: str, kind: str, limit: int, amount: int) -> None:
        name = f"{key}/{kind}"
        for counter in filter(None, (self._local, self._shared)):
            try:
                fits = limit > 0 and await counter.take(name, limit, amount)
                if not fits:
                    wait = (await counter.window(name, limit)).wait(limit, amount) if limit > 0 else 60.0
            except RedisAway:
                continue
            if not fits:
                self._refused(kind)
                raise LimitReached(kind, limit, wait)
            # The time after the count, not before: a correction must not look older than the window that has it.
            reservation.add(Taken(kind, name, limit, amount, counter, now()))
