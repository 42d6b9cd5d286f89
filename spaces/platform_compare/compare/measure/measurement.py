"""Runs a plan: sends the requests of each block as its load says and keeps what came, raw."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from backends import Backend, BackendError, Stopwatch
from backends.stopwatch import now
from backends.streams import closing
from compare.measure.client_load import Usage
from compare.measure.plan import Block, Load, RunPlan
from compare.measure.workload import Workload
from compare.records import GIVE_UP_AFTER, BlockRecord, Failure, Phase, Record

# More in flight than this and an open loop waits too; the wait counts, since it starts at the intended time.
MAX_IN_FLIGHT = 1024
Entry = Record | BlockRecord


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: requests done and planned, seconds gone by and left (None while nobody knows)."""

    done: int
    total: int
    seconds: float
    left: float | None
    doing: str


class Measurement:
    """One run of `plan` over connected backends; `nonce` makes its prompts unlike those of any other run."""

    def __init__(
        self,
        plan: RunPlan,
        workload: Workload,
        backends: dict[str, Backend],
        *,
        nonce: str,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.plan = plan
        self._workload = workload
        self._backends = backends
        self._nonce = nonce
        self._report = report
        self._failures = dict.fromkeys(plan.targets, 0)
        self._done = self._counted = 0
        self._origin = self._counting_since = now()
        self._finished: list[Entry] = []
        self.out_of_time = False

    async def entries(self) -> AsyncIterator[Entry]:
        """Give the records of each block when it is over; a cancelled run gives those that were complete."""
        self._origin = now()
        for target in self.plan.targets:
            await self._in_time(self._warm_up(target))
            for entry in self._take():
                yield entry
        self._counting_since = now()
        for block in self.plan.blocks():
            if self.out_of_time:
                return
            if self._dead(block.target):
                continue
            await self._run(block)
            for entry in self._take():
                yield entry

    @property
    def unfinished(self) -> list[Entry]:
        """What was complete when the run was cancelled inside a block."""
        return self._finished

    async def _in_time(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` until the run's longest duration is reached; what had ended by then is kept."""
        try:
            async with asyncio.timeout(max(0.0, self._origin + self.plan.max_seconds - now())):
                await work
        except TimeoutError:
            self.out_of_time = True

    async def _warm_up(self, target: str) -> None:
        """The first request of all meets a cold target and is kept apart; then some that are dropped."""
        load = self.plan.loads[0]
        await self._ask(Block(0, target, load, 0, 1), "cold", 0, now())
        if self.plan.warmup and not self._dead(target):
            width = max(load.concurrency or 1 for load in self.plan.loads)
            block = Block(0, target, Load("closed", min(width, self.plan.warmup)), 0, self.plan.warmup)
            await self._closed(block, "warmup")

    async def _run(self, block: Block) -> None:
        await self._reopen(block)
        usage = Usage()
        try:
            with usage.watching():
                await self._in_time(self._closed(block) if block.load.pattern == "closed" else self._open(block))
        finally:
            self._finished.append(
                BlockRecord(
                    target=block.target,
                    load=block.load.name,
                    block=block.number,
                    started=usage.started - self._origin,
                    seconds=usage.seconds,
                    cpu_seconds=usage.cpu_seconds,
                    lags=usage.lags,
                )
            )

    async def _closed(self, block: Block, phase: Phase = "measured") -> None:
        """Keep as many requests in flight as the load says until the block's have all been sent."""
        numbers = iter(range(block.first, block.first + block.size))

        async def worker() -> None:
            for number in numbers:
                if self._dead(block.target):
                    return
                await self._ask(block, phase, number, now())

        async with asyncio.TaskGroup() as group:
            for _ in range(block.load.concurrency or 1):
                group.create_task(worker())

    async def _open(self, block: Block) -> None:
        """Send each request when its time has come, however many are still being answered."""
        room, started = asyncio.Semaphore(MAX_IN_FLIGHT), now()

        async def send(number: int, intended: float) -> None:
            async with room:
                if not self._dead(block.target):
                    await self._ask(block, "measured", number, intended)

        async with asyncio.TaskGroup() as group:
            for number, offset in enumerate(self._schedule(block), start=block.first):
                await asyncio.sleep(max(0.0, started + offset - now()))
                group.create_task(send(number, started + offset))

    def _schedule(self, block: Block) -> Iterator[float]:
        """Seconds after the block's start at which its requests are to be sent; the same for every target."""
        draw = random.Random(f"{self.plan.seed}/{block.load.name}/{block.number}")  # noqa: S311  # repeatable
        due = 0.0
        for _ in range(block.size):
            yield due
            due += draw.expovariate(block.load.value) if block.load.pattern == "poisson" else 1 / block.load.value

    async def _ask(self, block: Block, phase: Phase, number: int, intended: float) -> Record:
        watch, failure = Stopwatch(), None
        request = self._workload.prompt(number).request(
            nonce=self._mark(block, phase, number), max_tokens=self.plan.max_tokens, temperature=self.plan.temperature
        )
        try:
            async with asyncio.timeout(self.plan.request_timeout):
                stream = watch.watch(self._backends[block.target].stream(request))
                with watch.marking():
                    async with closing(stream):
                        async for _ in stream:
                            pass
        except TimeoutError:
            text = f"The answer was not complete after {self.plan.request_timeout:g} s."
            failure = Failure("TimedOut", text, "Ask for less, or allow more time.")
        except BackendError as error:
            failure = Failure(type(error).__name__, error.message, error.remedy)
        except Exception as error:  # another's backend must not end the run of the others; its words may hold a key
            failure = Failure("Unexpected", f"The backend raised {type(error).__name__}.", "It is a bug of that kind.")
        record = self._record(block, phase, number, intended, watch, failure)
        self._note(record)
        return record

    def _record(
        self, block: Block, phase: Phase, number: int, intended: float, watch: Stopwatch, failure: Failure | None
    ) -> Record:
        # What comes before the request is on the wire is the client's and the connection's time: it stands
        # between `intended` and `sent`.
        started = watch.started or intended
        late = max(0.0, (watch.sent or started) - started)
        return Record(
            target=block.target,
            load=block.load.name,
            block=block.number,
            phase=phase,
            prompt=number % len(self._workload.prompts),
            intended=intended - self._origin,
            sent=started + late - self._origin,
            ended=(watch.total_seconds or 0.0) - late,
            concurrency=block.load.concurrency,
            arrivals=tuple(arrival._replace(seconds=arrival.seconds - late) for arrival in watch.arrivals),
            marks=tuple(mark._replace(seconds=mark.seconds - late) for mark in watch.marks),
            finish_reason=watch.finish_reason,
            usage=watch.usage,
            error=failure,
        )

    def _note(self, record: Record) -> None:
        """Keep a finished request and say how far the run is."""
        self._failures[record.target] = 0 if record.error is None else self._failures[record.target] + 1
        self._finished.append(record)
        self._done += 1
        self._counted += record.phase == "measured"
        self._report(self.progress(f"{record.target}, {record.load}" if self._counted else f"{record.target}, warm-up"))

    def progress(self, doing: str) -> Progress:
        """Where the run stands; a dead target's requests count as done."""
        skipped = sum(self._dead(target) for target in self.plan.targets)
        measured = self.plan.requests * len(self.plan.loads) * (len(self.plan.targets) - skipped)
        spent = now() - self._counting_since
        left = spent / self._counted * max(0, measured - self._counted) if self._counted else None
        return Progress(self._done, self.plan.total, now() - self._origin, left, doing)

    def _take(self) -> list[Entry]:
        taken, self._finished = self._finished, []
        return taken

    def _dead(self, target: str) -> bool:
        return self._failures[target] >= GIVE_UP_AFTER

    def _mark(self, block: Block, phase: Phase, number: int) -> str:
        said = f"{self._nonce}/{block.target}/{block.load.name}/{phase}/{number}"
        return hashlib.sha256(said.encode()).hexdigest()[:8]

    async def _reopen(self, block: Block) -> None:
        """Open the connections that another target's turn has let expire, so that no request pays for one."""
        backend = self._backends[block.target]
        wanted = block.load.concurrency or 1
        # Marking, because the sockets that stamp have a pool of their own.
        with contextlib.suppress(TimeoutError, BackendError), Stopwatch().marking():
            async with asyncio.timeout(2):
                await asyncio.gather(*(backend.check() for _ in range(wanted)), return_exceptions=True)
