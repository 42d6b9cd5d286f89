"""Measures a load in its steady state: requests at its beginning and end keep the load up and don't count."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

from backends.stopwatch import now
from compare.measure.load import Load
from compare.measure.measurement import MAX_IN_FLIGHT, Entry, Measurement
from compare.measure.plan import Block
from compare.runs.records import Phase, Record

IsEnough = Callable[[Sequence[Record]], bool]
# A user waits at least this long after an error before the next request.
ERROR_PAUSE = 0.1


class SustainedMeasurement(Measurement):
    """A measurement whose blocks are chosen while it runs.

    Requests before and after those of a block are of the phase "warmup". The users of a closed loop start one after
    another, over the time of one answer: they would send at the same moments otherwise. After an error, a user pauses
    for as long. All requests are answered before the next block begins.
    """

    _ramp, _spread = 0, 0.0
    _is_enough: IsEnough | None = None

    async def warm_up(self) -> AsyncIterator[Entry]:
        """Begin the run: send each target its first request and the warm-up."""
        self._origin = self._sender.origin = now()
        self._extra_numbers = itertools.count(self.plan.warmup)
        for target in self.plan.targets:
            await self._run_in_time(self._warm_up(target))
            for entry in self._take():
                yield entry
        self._counting_since = now()

    async def measure(
        self, block: Block, *, ramp: int, spread: float, is_enough: IsEnough | None = None
    ) -> list[Entry]:
        """Measure one block after `ramp` other requests, and return its entries.

        A closed loop has one such request per user. `is_enough` sees the block's records after each one; once it is
        true, no more are sent.
        """
        self._ramp, self._spread, self._is_enough = ramp, spread, is_enough
        self._failures[block.target] = 0
        await self._run_block(block)
        return self._take()

    async def ask_once(self, target: str, load: Load) -> list[Entry]:
        """Send one request that doesn't count, and return its entry."""
        block = Block(0, target, load, 0, 1)

        async def ask() -> None:
            await self._send_extra(block, now())

        await self._run_in_time(ask())
        return self._take()

    async def _run_closed(self, block: Block, phase: Phase = "measured") -> None:
        if phase != "measured":
            await super()._run_closed(block, phase)
            return
        users = block.load.concurrency or 1
        requests = _BlockRequests(block, self._send, self._send_extra, self._is_enough)

        async def user(place: int) -> None:
            await requests.wait(self._spread * place / users)
            record = await self._send_extra(block, now())
            while not await requests.wait(0 if record.ok else max(ERROR_PAUSE, self._spread)):
                record = await requests.send(now())

        async with asyncio.TaskGroup() as group:
            for place in range(users):
                group.create_task(user(place))

    async def _run_open(self, block: Block) -> None:
        requests = _BlockRequests(block, self._send, self._send_extra, self._is_enough)
        slots, started = asyncio.Semaphore(MAX_IN_FLIGHT), now()

        async def send(number: int, intended: float) -> None:
            async with slots:
                if number < self._ramp:
                    await self._send_extra(block, intended)
                else:
                    await requests.send(intended)

        async with asyncio.TaskGroup() as group:
            for number, offset in enumerate(self._schedule(block)):
                if await requests.wait(started + offset - now()):
                    return
                group.create_task(send(number, started + offset))

    async def _send_extra(self, block: Block, intended: float) -> Record:
        return await self._send(block, "warmup", next(self._extra_numbers), intended)


class _BlockRequests:
    """The requests of one block, while others keep up its load."""

    def __init__(
        self,
        block: Block,
        send: Callable[[Block, Phase, int, float], Awaitable[Record]],
        send_extra: Callable[[Block, float], Awaitable[Record]],
        is_enough: IsEnough | None,
    ) -> None:
        self._block = block
        self._send, self._send_extra, self._is_enough = send, send_extra, is_enough
        self._unsent = list(range(block.first + block.size - 1, block.first - 1, -1))
        self._in_flight = 0
        self._records: list[Record] = []
        self._complete = asyncio.Event()

    async def send(self, intended: float) -> Record:
        """Send the next request of the block; after the last one, one that doesn't count."""
        if not self._unsent:
            return await self._send_extra(self._block, intended)
        self._in_flight += 1
        record = await self._send(self._block, "measured", self._unsent.pop(), intended)
        self._in_flight -= 1
        self._records.append(record)
        if self._unsent and self._is_enough and self._is_enough(self._records):
            self._unsent.clear()
        if not (self._unsent or self._in_flight):
            self._complete.set()
        return record

    async def wait(self, seconds: float) -> bool:
        """Wait so long, or until the block is complete; return whether it is."""
        if seconds > 0 and not self._complete.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._complete.wait()
        return self._complete.is_set()
