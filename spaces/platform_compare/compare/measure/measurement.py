"""Runs a plan: sends each block's requests at the block's load and records the raw arrivals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from backends import Backend, BackendError, Stopwatch
from backends.stopwatch import now
from compare.measure.block_monitor import BlockMonitor
from compare.measure.clients.barrier import Barrier
from compare.measure.clients.part import Part
from compare.measure.conversation import Conversation
from compare.measure.load import Load
from compare.measure.plan import Block, RunPlan
from compare.measure.request import RequestSender
from compare.measure.workloads.workload import Workload
from compare.runs.records import GIVE_UP_AFTER, BlockRecord, LoadRecord, Phase, Record, Score

# With this many requests in flight an open loop waits too. The wait counts, because it starts at the intended time.
MAX_IN_FLIGHT = 1024
Entry = Record | BlockRecord | LoadRecord | Score


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run: finished and planned requests, elapsed seconds, and seconds left (None if unknown).

    Steps before and after the requests count something else, their `unit`, or nothing: then `total` is 0.
    """

    done: int
    total: int
    seconds: float
    seconds_left: float | None
    current_step: str
    unit: str = "requests"

    @classmethod
    def step(cls, text: str, done: int = 0, total: int = 0, unit: str = "") -> Progress:
        """Return the progress of a step that sends no requests."""
        return cls(done, total, 0.0, None, text, unit)

    def as_json(self) -> dict[str, Any]:
        """Return the progress as `--progress json` prints it."""
        return {
            "done": self.done,
            "total": self.total,
            "seconds": self.seconds,
            "left": self.seconds_left,
            "doing": self.current_step,
            "unit": self.unit,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Progress:
        """Return the progress from the object that `as_json` returned."""
        return cls(value["done"], value["total"], value["seconds"], value["left"], value["doing"], value["unit"])


class Measurement:
    """One run of `plan` over connected backends; `nonce` makes its prompts differ from those of any other run."""

    def __init__(
        self,
        plan: RunPlan,
        workload: Workload,
        backends: dict[str, Backend],
        *,
        nonce: str,
        report: Callable[[Progress], None] = lambda _: None,
        barrier: Barrier | None = None,
    ) -> None:
        self.plan = plan
        self._barrier = barrier
        self._part = barrier.part if barrier else Part()
        self._workload = workload
        self._sender = RequestSender(plan, workload, backends, nonce)
        self._backends = backends
        self._report = report
        self._failures = dict.fromkeys(plan.targets, 0)
        self._done = self._counted = 0
        self._origin = self._counting_since = now()
        self._begun = self._origin
        self._finished: list[Entry] = []
        self.out_of_time = False

    async def entries(self) -> AsyncIterator[Entry]:
        """Yield the records of each block when it ends."""
        self._origin = self._sender.origin = self._barrier.origin if self._barrier else now()
        for target in self.plan.targets:
            await self._run_in_time(self._warm_up(target))
            for entry in self._take():
                yield entry
        self._counting_since = now()
        for block in self.plan.blocks():
            if self.out_of_time:
                return
            if self._has_given_up(block.target):
                await self._begin()  # for the others, who may not have given up
                continue
            await self._run_block(block)
            for entry in self._take():
                yield entry

    @property
    def pending_entries(self) -> list[Entry]:
        """The completed records that were not yet yielded when the run was cancelled."""
        return self._finished

    def progress(self, current_step: str) -> Progress:
        """Return the run's progress; requests that are no longer sent to a failing target count as done."""
        abandoned = sum(self._has_given_up(target) for target in self.plan.targets)
        measured = self.plan.requests * len(self.plan.loads) * (len(self.plan.targets) - abandoned) / self._part.count
        elapsed = now() - self._counting_since
        seconds_left = elapsed / self._counted * max(0, measured - self._counted) if self._counted else None
        return Progress(self._done, self.plan.total, now() - self._origin, seconds_left, current_step)

    async def _run_in_time(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until the run's maximum duration; finished requests are kept."""
        try:
            async with asyncio.timeout(max(0.0, self._origin + self.plan.max_seconds - now())):
                await work
        except TimeoutError:
            self.out_of_time = True

    async def _warm_up(self, target: str) -> None:
        """Send the first request of all, to a cold target; then send warm-up requests, which don't count."""
        load = self.plan.loads[0]
        if self._part.index == 0:
            await self._send(Block(0, target, load, 0, 1), "cold", 0, now())
        await self._begin()
        if self.plan.warmup and not self._has_given_up(target):
            width = max(load.concurrency or 1 for load in self.plan.loads)
            block = Block(0, target, Load("closed", min(width, self.plan.warmup)), 0, self.plan.warmup)
            await self._run_closed(block, "warmup")

    async def _run_block(self, block: Block) -> None:
        await self._open_connections(block)
        monitor = BlockMonitor()
        try:
            with monitor.watching():
                await self._begin()
                monitor.begin()
                is_closed = block.load.pattern == "closed"
                await self._run_in_time(self._run_closed(block) if is_closed else self._run_open(block))
        finally:
            self._finished.append(
                BlockRecord(
                    target=block.target,
                    load=block.load.name,
                    block=block.number,
                    started=monitor.started - self._origin,
                    seconds=monitor.seconds,
                    cpu_seconds=monitor.cpu_seconds,
                    lags=monitor.lags,
                )
            )

    async def _begin(self) -> None:
        """Wait for the other clients of the run, if it has some, until the common moment to begin."""
        self._begun = await self._barrier.wait() if self._barrier else now()

    async def _run_closed(self, block: Block, phase: Phase = "measured") -> None:
        """Keep the load's number of requests in flight until all requests of the block are sent."""
        conversations = self._conversations(block, phase)

        async def user() -> None:
            for numbers in conversations:
                await self._converse(block, phase, numbers)

        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, self._part.users(block.load.concurrency or 1))):
                group.create_task(user())

    def _conversations(self, block: Block, phase: Phase) -> Iterator[range]:
        """Yield the requests that one user sends after each other. Those of a warm-up are single ones."""
        numbers = range(block.first, block.first + block.size)
        single = (range(number, number + 1) for number in numbers)
        groups = self._workload.conversations(block.first, block.size) if phase == "measured" else single
        users = block.load.concurrency
        return (group for group in groups if self._part.takes(self._workload.step(group.start).conversation, users))

    async def _converse(self, block: Block, phase: Phase, numbers: range) -> None:
        """Send the turns of a conversation; one without an answer is the last."""
        conversation = Conversation() if self._workload.has_conversations and phase == "measured" else None
        for number in numbers:
            if number > numbers.start:
                await asyncio.sleep(self._workload.step(number).think_seconds)
            if self._has_given_up(block.target):
                return
            record = await self._send(block, phase, number, now(), conversation)
            if not record.ok:
                return

    async def _run_open(self, block: Block) -> None:
        """Send each request at its scheduled time, however many are still in flight."""
        slots, started = asyncio.Semaphore(MAX_IN_FLIGHT), self._begun if self._barrier else now()

        async def send(number: int, intended: float) -> None:
            async with slots:
                if not self._has_given_up(block.target):
                    await self._send(block, "measured", number, intended)

        offset = 0.0
        async with asyncio.TaskGroup() as group:
            for number, offset in enumerate(islice(self._schedule(block), block.size), start=block.first):
                if not self._part.takes(number, None):
                    continue
                await asyncio.sleep(max(0.0, started + offset - now()))
                group.create_task(send(number, started + offset))
            await asyncio.sleep(max(0.0, started + block.load.duration(block.first, offset) - now()))

    def _schedule(self, block: Block) -> Iterator[float]:
        """Yield an open loop's send times, in seconds after the block's start; equal for all targets."""
        return block.load.arrivals(block.first, f"{self.plan.seed}/{block.load.name}/{block.number}")

    async def _send(
        self, block: Block, phase: Phase, number: int, intended: float, conversation: Conversation | None = None
    ) -> Record:
        """Send one request, keep and return its record, and report the run's progress."""
        record = await self._sender.send(block, phase, number, intended, conversation)
        self._failures[record.target] = 0 if record.error is None else self._failures[record.target] + 1
        self._finished.append(record)
        self._done += 1
        self._counted += record.phase == "measured"
        self._report(self.progress(f"{record.target}, {record.load}" if self._counted else f"{record.target}, warm-up"))
        return record

    def _take(self) -> list[Entry]:
        entries, self._finished = self._finished, []
        return entries

    def _has_given_up(self, target: str) -> bool:
        return self._failures[target] >= GIVE_UP_AFTER

    async def _open_connections(self, block: Block) -> None:
        """Reopen connections that expired during another target's turn, so that no request pays for one."""
        backend = self._backends[block.target]
        count = block.load.concurrency or 1
        # Marking, because sockets that record timestamps have a pool of their own.
        with contextlib.suppress(TimeoutError, BackendError), Stopwatch().marking():
            async with asyncio.timeout(2):
                await asyncio.gather(*(backend.check() for _ in range(count)), return_exceptions=True)
