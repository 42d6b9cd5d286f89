"""Searches the capacity of real targets: interleaves their batches and keeps what was measured."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from statistics import median
from typing import Any

from backends.stopwatch import now
from compare.capacity.curve import Curve
from compare.capacity.grid import Grid, Unit
from compare.capacity.result import Capacity, conclude
from compare.capacity.search import Batch, Search
from compare.capacity.slo import Clause, parse_slo, slo_text
from compare.errors import CompareError, RunError
from compare.measure.measurement import Entry, Progress
from compare.measure.plan import Block
from compare.measure.sustained import SustainedMeasurement
from compare.records import GIVE_UP_AFTER, LoadRecord, Record, Run

# After failures in a row, a target is asked again after these seconds: it may only have had too much to do.
RECOVERY_SECONDS = (0.5, 2, 5)
MAX_SPREAD = 10.0


@dataclass(frozen=True, slots=True)
class CapacitySettings:
    """What is searched: the clauses, the loads, and how many requests one load gets at most.

    `values` are the measured loads of a stored search, by their names in its records.
    """

    clauses: tuple[Clause, ...]
    grid: Grid
    max_requests: int
    values: Mapping[str, float] = field(default_factory=dict)

    def new_search(self, targets: int) -> Search:
        """Return the search of one of so many targets."""
        return Search(Curve(self.clauses, self.grid, targets), self.max_requests)

    def as_json(self) -> dict[str, Any]:
        """Return the settings as a run's header contains them."""
        grid = self.grid
        return {
            "slo": slo_text(self.clauses),
            "unit": grid.unit,
            "limit": grid.limit,
            "start": grid.start,
            "pattern": grid.pattern,
            "max_requests": self.max_requests,
            "values": {grid.load(grid.start).name: grid.start},
        }

    @classmethod
    def from_header(cls, header: dict[str, Any]) -> CapacitySettings:
        """Return the settings of a stored search; `RunError` if they can't be used."""
        try:
            stored = header["capacity"]
            unit: Unit = "users" if stored["unit"] == "users" else "requests/s"
            grid = Grid(unit, float(stored["limit"]), float(stored["start"]), stored["pattern"])
            values = {str(name): float(value) for name, value in stored["values"].items()}
            return cls(parse_slo(str(stored["slo"])), grid, int(stored["max_requests"]), values)
        except (KeyError, TypeError, ValueError, AttributeError, CompareError) as error:
            raise RunError(f"The settings of the search are damaged ({error}).", "Restore the file.") from error


class _TargetSearch:
    """One target's search, the number of its batches at each load, and how long its fastest answers take."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.blocks: Counter[float] = Counter()
        self.answer_seconds = 0.0
        self.is_over = self.has_answered = False
        self._batches = search.batches()

    def next_batch(self) -> Batch | None:
        batch = None if self.is_over else next(self._batches, None)
        self.is_over = batch is None
        return batch


class CapacityMeasurement(SustainedMeasurement):
    """A search of all targets of the plan, whose batches take turns in a random order."""

    def __init__(self, *arguments: Any, settings: CapacitySettings, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.settings = settings
        self._searches: dict[str, _TargetSearch] = {}
        self._loads = {load.name for load in self.plan.loads}
        self._expected = 0

    async def entries(self) -> AsyncIterator[Entry]:
        """Yield the records of each batch when it ends."""
        first: list[Entry] = []
        async for entry in self.warm_up():
            first.append(entry)
            yield entry
        for target in self.plan.targets:
            self._searches[target] = _TargetSearch(self.settings.new_search(len(self.plan.targets)))
            self._learn_pace(target, [each for each in first if isinstance(each, Record) and each.target == target])
        order = random.Random(self.plan.seed)  # noqa: S311  # a reproducible order, not a secret
        left = list(self.plan.targets)
        while left:
            for target in order.sample(left, len(left)):
                batch = self._searches[target].next_batch()
                if batch is None:
                    left.remove(target)
                    continue
                async for entry in self._measure(target, batch):
                    yield entry
                if self.out_of_time:
                    return

    def progress(self, current_step: str) -> Progress:
        """Return the progress; how many requests are left is an estimate, which each batch corrects."""
        seconds = now() - self._origin
        left = max(0, self._expected - self._done)
        pace = seconds / self._done if self._done else None
        return Progress(self._done, self._done + left, seconds, pace and pace * left, current_step)

    async def _measure(self, target: str, batch: Batch) -> AsyncIterator[Entry]:
        state = self._searches[target]
        curve, grid = state.search.curve, self.settings.grid
        point = curve.point(batch.value)
        load = grid.load(batch.value)
        if load.name not in self._loads:
            self._loads.add(load.name)
            yield LoadRecord(load.name, batch.value)
        block = Block(state.blocks[batch.value], target, load, point.requests, batch.requests)
        state.blocks[batch.value] += 1
        left = sum(each.search.requests_left() for each in self._searches.values() if not each.is_over)
        self._expected = self._done + max(left, batch.requests)
        for entry in (
            entries := await self.measure(
                block,
                ramp=grid.ramp(batch.value),
                spread=min(state.answer_seconds, MAX_SPREAD),
                is_enough=point.is_missed_with,
            )
        ):
            yield entry
        records = measured_in_order(entries)
        if records:
            curve.add(batch.value, records)
        self._learn_pace(target, records)
        if curve.clauses_without_values:
            state.is_over = True
        elif has_stopped(records):
            async for entry in self._recover(target, block):
                yield entry

    async def _recover(self, target: str, block: Block) -> AsyncIterator[Entry]:
        """Ask until the target answers; end its search if it doesn't, or if it never has."""
        for seconds in RECOVERY_SECONDS if self._searches[target].has_answered else ():
            await asyncio.sleep(seconds)
            entries = await self.ask_once(target, block.load)
            for entry in entries:
                yield entry
            if self.out_of_time or any(isinstance(entry, Record) and entry.ok for entry in entries):
                return
        self._searches[target].is_over = True

    def _learn_pace(self, target: str, records: Sequence[Record]) -> None:
        """Remember how long an answer takes at the lowest load so far."""
        state = self._searches[target]
        state.has_answered = state.has_answered or any(record.ok for record in records)
        if times := [record.ended for record in records if record.ok]:
            state.answer_seconds = min(median(times), state.answer_seconds or MAX_SPREAD)


def measured_in_order(entries: Sequence[Entry]) -> list[Record]:
    """Return the requests that count, in the order in which they were due."""
    records = [entry for entry in entries if isinstance(entry, Record) and entry.phase == "measured"]
    return sorted(records, key=lambda record: record.intended)


def has_stopped(records: Sequence[Record]) -> bool:
    """Return whether the last requests all failed."""
    last = records[-GIVE_UP_AFTER:]
    return len(last) == GIVE_UP_AFTER and not any(record.ok for record in last)


def read_capacities(run: Run) -> list[Capacity]:
    """Return the answers of a stored search, by target."""
    settings = CapacitySettings.from_header(run.header)
    return [_read_capacity(run, settings, target) for target in run.targets]


def _read_capacity(run: Run, settings: CapacitySettings, target: str) -> Capacity:
    search = settings.new_search(len(run.targets))
    planned = search.batches()
    dead = _unanswered(run, target)
    ignored = set(map(id, dead))
    batches: dict[tuple[str, int], list[Record]] = {}
    for record in measured_in_order(run.measured(target)):
        if record.load in settings.values and id(record) not in ignored:
            batches.setdefault((record.load, record.block), []).append(record)
    for (load, _), records in batches.items():
        next(planned, None)
        search.curve.add(settings.values[load], records)
    ended = run.ended == "finished" or next(planned, None) is None
    stopped_at = settings.values.get(dead[0].load) if dead else None
    return conclude(target, search.curve, ended=ended, stopped_at=stopped_at)


def _unanswered(run: Run, target: str) -> list[Record]:
    """Return the failures since which a target didn't answer any more; none if it did, or if only a few failed."""
    records = sorted((each for each in run.records if each.target == target), key=lambda record: record.intended)
    dead = list(takewhile(lambda record: not record.ok, reversed(records)))[::-1]
    return dead if has_stopped(dead) else []
