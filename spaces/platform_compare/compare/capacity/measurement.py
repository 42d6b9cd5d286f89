"""Searches the capacity of real targets: interleaves their batches and keeps what was measured."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from statistics import median
from typing import Any

from backends.stopwatch import now
from compare.capacity.read_capacities import measured_in_order
from compare.capacity.search import Batch, Search
from compare.capacity.settings import CapacitySettings
from compare.measure.measurement import Entry, Progress
from compare.measure.plan import Block
from compare.measure.sustained import SustainedMeasurement
from compare.quality_commands import AnswerScorer
from compare.runs.records import LoadRecord, Record, Score, has_stopped

# After failures in a row, a target is asked again after these seconds: it may only have had too much to do.
RECOVERY_SECONDS = (0.5, 2, 5)
MAX_SPREAD = 10.0


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

    def __init__(
        self, *arguments: Any, settings: CapacitySettings, scorer: AnswerScorer | None = None, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self.settings = settings
        self._scorer = scorer
        self._written = 0
        self._searches: dict[str, _TargetSearch] = {}
        self._loads = {load.name for load in self.plan.loads}
        self._expected = 0

    async def entries(self) -> AsyncIterator[Entry]:
        """Yield the records of each batch when it ends, and then their scores if a clause is about them."""
        async for entry in self._search():
            yield entry
            self._written += isinstance(entry, Record)

    async def _search(self) -> AsyncIterator[Entry]:
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
        entries = await self.measure(
            block,
            ramp=grid.ramp(batch.value),
            spread=min(state.answer_seconds, MAX_SPREAD),
            is_enough=point.is_missed_with,
        )
        scores = await self._score(entries)
        for entry in [*entries, *scores.values()]:
            yield entry
        records = measured_in_order(entries)
        if self._scorer:
            records = [self._scorer.add_to(record, scores.get(id(record))) for record in records]
        if records:
            curve.add(batch.value, [*records])
        self._learn_pace(target, records)
        if curve.clauses_without_values:
            state.is_over = True
        elif has_stopped(records):
            async for entry in self._recover(target, block):
                yield entry
        if curve.clauses_without_baseline:
            state.is_over = True

    async def _score(self, entries: Sequence[Entry]) -> dict[int, Score]:
        """Return the scores of answers that count, by the identities of their records, which are written next.

        If they can't be scored, the entries are pending.
        """
        if self._scorer is None:
            return {}
        records = [entry for entry in entries if isinstance(entry, Record)]
        measured = {self._written + place: each for place, each in enumerate(records) if each.phase == "measured"}
        try:
            scores = await asyncio.to_thread(self._scorer.score, measured)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                self._scorer.stop()
            self._finished.extend(entries)
            raise
        return {id(measured[score.request]): score for score in scores}

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
