"""What a target's GPUs and its server did while it was measured: utilization, energy, cache hits and the queue.

Targets take turns, so what a GPU does during a target's blocks is counted for that target, with what it draws when it
is idle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import numpy as np

from compare.analyse.verdicts.resamples import Floats
from compare.runs.records import BlockRecord, GpuRecord, Run, ServerRecord

# Between two samples that are further apart, nobody knows what happened.
MAX_GAP = 5.0
JOULES_PER_WH = 3600.0
Sample = TypeVar("Sample", GpuRecord, ServerRecord)


@dataclass(frozen=True, slots=True)
class GpuUse:
    """The GPUs of a target at a load. Shares are of the time; `watts` and `wh` are of all of them together.

    `covered` is the share of the measured time in which they were recorded; energy is per token of that time.
    `turn_seconds` is how long the target's turns are: in short ones, a GPU isn't looked at often enough.
    """

    gpus: int
    name: str
    utilization: float | None
    memory_bytes: float | None
    memory_total: float | None
    watts: float | None
    wh_per_1000_tokens: float | None
    wh_per_1000_requests: float | None
    covered: float
    turn_seconds: float

    def usd_per_1000_tokens(self, usd_kwh: float) -> float | None:
        """Return the cost of the energy for 1,000 output tokens."""
        return None if self.wh_per_1000_tokens is None else self.wh_per_1000_tokens / 1000 * usd_kwh


@dataclass(frozen=True, slots=True)
class ServerUse:
    """The server of a target at a load: its cache's hit rate, and how many requests waited."""

    hit_rate: float | None
    waiting_mean: float | None
    waiting_max: float | None
    kv_cache_max: float | None


class Line:
    """Values over time, linear between two samples that are close to each other."""

    def __init__(self, times: Sequence[float], values: Sequence[float]) -> None:
        self.times: Floats = np.asarray(times, float)
        self.values: Floats = np.asarray(values, float)
        steps = np.diff(self.times) * (self.values[1:] + self.values[:-1]) / 2
        self._sums: Floats = np.concatenate([[0.0], np.cumsum(steps)])

    def covers(self, block: BlockRecord) -> bool:
        """Return whether there is a sample before the block, one after it, and no long silence between them."""
        start, end = block.started, block.started + block.seconds
        first = int(np.searchsorted(self.times, start, "right")) - 1
        last = int(np.searchsorted(self.times, end, "left"))
        if first < 0 or last >= len(self.times):
            return False
        return bool(np.all(np.diff(self.times[first : last + 1]) <= MAX_GAP))

    def at(self, time: float) -> float:
        return float(np.interp(time, self.times, self.values))

    def integral(self, block: BlockRecord) -> float:
        """Return value times seconds over a block that it covers."""
        return self._sum(block.started + block.seconds) - self._sum(block.started)

    def largest(self, block: BlockRecord) -> float:
        """Return the largest value of the samples around a block and in it."""
        first = max(0, int(np.searchsorted(self.times, block.started, "right")) - 1)
        last = int(np.searchsorted(self.times, block.started + block.seconds, "left"))
        return float(np.max(self.values[first : last + 1]))

    def _sum(self, time: float) -> float:
        at = min(max(int(np.searchsorted(self.times, time, "right")) - 1, 0), len(self.times) - 1)
        return float(self._sums[at]) + (time - float(self.times[at])) * (float(self.values[at]) + self.at(time)) / 2


def gpu_use(run: Run, target: str, load: str) -> GpuUse | None:
    """Return what the GPUs of a target did at a load; None if none was recorded."""
    records = [each for each in run.gpus if each.target in ("", target)]
    blocks = run.target_blocks(target, load)
    gpus = {gpu: list(each) for gpu, each in groupby(sorted(records, key=_gpu), key=lambda each: each.gpu)}
    if not gpus or not blocks:
        return None
    utilization = [_line(each, lambda record: record.utilization) for each in gpus.values()]
    watts = [_line(each, lambda record: record.watts) for each in gpus.values()]
    memory = [_line(each, lambda record: record.memory_bytes) for each in gpus.values()]
    totals = [each[-1].memory_total for each in gpus.values()]
    seconds, covered = sum(block.seconds for block in blocks), _covered(blocks, utilization)
    powered = _covered(blocks, watts)
    joules = sum(line.integral(block) for line in watts if line for block in powered)
    return GpuUse(
        gpus=len(gpus),
        name=records[0].name,
        utilization=_mean(utilization, covered),
        memory_bytes=_total_peak(memory, _covered(blocks, memory)),
        memory_total=sum(each or 0.0 for each in totals) if all(totals) else None,
        watts=joules / powered_seconds if (powered_seconds := sum(block.seconds for block in powered)) else None,
        wh_per_1000_tokens=_per_1000(joules, _tokens(run, target, load, powered)),
        wh_per_1000_requests=_per_1000(joules, _answers(run, target, load, powered)),
        covered=sum(block.seconds for block in covered or powered) / seconds if seconds else 0.0,
        turn_seconds=seconds / len(blocks),
    )


def server_use(run: Run, target: str, load: str) -> ServerUse | None:
    """Return what the server of a target did at a load; None if it wasn't recorded."""
    records = sorted((each for each in run.servers if each.target == target), key=lambda each: each.at)
    blocks = run.target_blocks(target, load)
    if not records or not blocks:
        return None
    hits, queries, waiting, kv_cache = (
        _line(records, read)
        for read in (
            lambda each: each.cache_hits,
            lambda each: each.cache_queries,
            lambda each: each.waiting,
            lambda each: each.kv_cache,
        )
    )
    return ServerUse(
        _hit_rate(hits, queries, blocks),
        _mean([waiting], _covered(blocks, [waiting])),
        _peak(waiting, _covered(blocks, [waiting])),
        _peak(kv_cache, _covered(blocks, [kv_cache])),
    )


def _gpu(record: GpuRecord) -> tuple[str, float]:
    return record.gpu, record.at


def _line(records: Sequence[Sample], read: Callable[[Sample], float | None]) -> Line | None:
    known = [(each.at, value) for each in records if (value := read(each)) is not None]
    return Line([at for at, _ in known], [value for _, value in known]) if len(known) > 1 else None


def _covered(blocks: Sequence[BlockRecord], lines: Sequence[Line | None]) -> list[BlockRecord]:
    """Return the blocks that all lines cover; none without a line."""
    if not all(lines):
        return []
    return [block for block in blocks if block.seconds > 0 and all(line.covers(block) for line in lines if line)]


def _mean(lines: Sequence[Line | None], blocks: Sequence[BlockRecord]) -> float | None:
    """Return the mean over the time of the blocks, and over the lines."""
    seconds = sum(block.seconds for block in blocks) * len(lines)
    total = sum(line.integral(block) for line in lines if line for block in blocks)
    return total / seconds if seconds else None


def _peak(line: Line | None, blocks: Sequence[BlockRecord]) -> float | None:
    return max((line.largest(block) for block in blocks), default=None) if line else None


def _total_peak(lines: Sequence[Line | None], blocks: Sequence[BlockRecord]) -> float | None:
    """Return the sum of the largest values of all lines."""
    return sum(_peak(line, blocks) or 0.0 for line in lines) if blocks else None


def _hit_rate(hits: Line | None, queries: Line | None, blocks: Sequence[BlockRecord]) -> float | None:
    """Return the share of hits during the blocks; one in which the counts went back (a restart) doesn't count."""
    if hits is None or queries is None:
        return None
    hit_count = query_count = 0.0
    for block in _covered(blocks, [hits, queries]):
        ends = block.started, block.started + block.seconds
        more = queries.at(ends[1]) - queries.at(ends[0])
        more_hits = hits.at(ends[1]) - hits.at(ends[0])
        if more > 0 and 0 <= more_hits <= more:
            hit_count, query_count = hit_count + more_hits, query_count + more
    return hit_count / query_count if query_count else None


def _tokens(run: Run, target: str, load: str, blocks: Sequence[BlockRecord]) -> float:
    """Return the output tokens of the answers in these blocks; 0 if they aren't known."""
    numbers = {block.block for block in blocks}
    usages = [record.usage for record in run.measured(target, load) if record.ok and record.block in numbers]
    return float(sum(usage.output_tokens for usage in usages if usage)) if all(usages) else 0.0


def _answers(run: Run, target: str, load: str, blocks: Sequence[BlockRecord]) -> float:
    numbers = {block.block for block in blocks}
    return float(sum(record.ok and record.block in numbers for record in run.measured(target, load)))


def _per_1000(joules: float, count: float) -> float | None:
    """Return the Wh of 1,000, None if there is no energy or nothing that it was used for."""
    return joules / JOULES_PER_WH / count * 1000 if joules and count else None
