"""Ratios of medians and of p95 between targets, with intervals that hold for all comparisons of a run at once.

Blocks are resampled, not requests: requests of one block share what the machine did meanwhile, and the blocks
of one round share it between targets, so that resampling rounds keeps the pairs together. The intervals are
simultaneous: each reaches between the same two percentiles of its resamples, so far out that all of a run's
comparisons together stay inside in 95 % of the resamples (Beran's balance). They are percentiles and no multiple
of a deviation, because the median of times that come in two sorts, a cache hit and a miss, jumps between both.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm, rankdata, t

RESAMPLES = 2000
LEVEL = 0.95
# Fewer blocks than this say too little of how much they vary.
LEAST_BLOCKS = 6
LEAST_VALUES = {0.5: 12, 0.95: 100}
MOST_VALUES = 20_000
SHORTEST = 1e-6  # two texts of one network read are this far apart at most; a ratio needs more than nothing
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one figure of one target at one load, with the number of the block that each came from.

    Samples with the same `rounds` are resampled together; give each run a name of its own.
    """

    values: Floats
    blocks: NDArray[np.int64]
    rounds: Hashable


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question: how many times larger is the `quantile` of `one` than that of `other`?"""

    one: Sample
    other: Sample
    quantile: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times larger `one` is than `other`, between `low` and `high`; `noise` is the spread of its logarithm."""

    ratio: float
    low: float
    high: float
    noise: float

    @property
    def distinguishable(self) -> bool:
        return not self.low <= 1 <= self.high


def sample(values: Sequence[float], blocks: Sequence[int], rounds: Hashable) -> Sample:
    """A sample, sorted as the resampling wants it; very large ones are thinned evenly."""
    every = max(1, math.ceil(len(values) / MOST_VALUES))
    taken = np.maximum(np.asarray(values, float)[::every], SHORTEST)
    order = np.argsort(taken, kind="stable")
    return Sample(taken[order], np.asarray(blocks, np.int64)[::every][order], rounds)


def paired(one: Sample, other: Sample, quantile: float) -> Comparison:
    """A comparison over the rounds that both took part in, where they share any: a drift stays in both or in none."""
    if one.rounds == other.rounds and not np.array_equal(np.unique(one.blocks), np.unique(other.blocks)):
        one, other = _within(one, other), _within(other, one)
    return Comparison(one, other, quantile)


def _within(side: Sample, other: Sample) -> Sample:
    kept = np.isin(side.blocks, other.blocks)
    return Sample(side.values[kept], side.blocks[kept], side.rounds)


def enough(comparison: Comparison) -> bool:
    """Whether the samples are large enough for a statement."""
    return all(
        len(side.values) >= LEAST_VALUES[comparison.quantile] and len(np.unique(side.blocks)) >= LEAST_BLOCKS
        for side in (comparison.one, comparison.other)
    )


def compare(comparisons: Mapping[Hashable, Comparison], seed: int) -> dict[Hashable, Ratio]:
    """The ratio of each comparison with its simultaneous interval; the same seed gives the same digits."""
    if not comparisons:
        return {}
    resamples = _Resamples(seed)
    logs = {
        key: resamples.logs(comparison.one, comparison.quantile) - resamples.logs(comparison.other, comparison.quantile)
        for key, comparison in comparisons.items()
    }
    estimates = {key: _estimate(comparison) for key, comparison in comparisons.items()}
    tail = _joint_tail(list(logs.values()))
    return {
        key: _interval(estimates[key], logs[key], tail, _freedom(comparison)) for key, comparison in comparisons.items()
    }


def needed(noise: float, requests: int, rounds: int, difference: float = 0.05, power: float = 0.9) -> int:
    """Requests a target that tell `difference` apart in `power` of runs, from the noise of a run of `requests`.

    Few rounds know their noise badly: the answer allows for what it may be instead, at the upper 90 %.
    """
    freedom = max(1, rounds - 1)
    likely = noise * math.sqrt(freedom / float(chi2.ppf(0.1, freedom)))
    wanted = math.log1p(difference) / (norm.ppf(1 - (1 - LEVEL) / 2 / 6) + norm.ppf(power))
    return math.ceil(requests * (likely / wanted) ** 2)


class _Resamples:
    """Logarithms of a sample's quantile in each resample; rounds are drawn once for all samples that share them."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._weights: dict[tuple[Hashable, int], NDArray[np.int64]] = {}
        self._logs: dict[tuple[int, float], Floats] = {}

    def logs(self, side: Sample, quantile: float) -> Floats:
        key = (id(side), quantile)
        if key not in self._logs:
            self._logs[key] = np.log(_quantiles(side, self._drawn(side), quantile))
        return self._logs[key]

    def _drawn(self, side: Sample) -> NDArray[np.int64]:
        """How often each round is drawn in each resample."""
        count = int(side.blocks.max()) + 1
        key = (side.rounds, count)
        if key not in self._weights:
            place = [self._seed, count, *str(side.rounds).encode()]
            draw = np.random.default_rng(place)
            self._weights[key] = draw.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
        return self._weights[key]


def _quantiles(side: Sample, weights: NDArray[np.int64], quantile: float) -> Floats:
    """The quantile in each resample, by linear interpolation, without building the resamples."""
    found = np.empty(len(weights))
    step = max(1, 4_000_000 // len(side.values))
    for start in range(0, len(weights), step):
        total = np.cumsum(weights[start : start + step][:, side.blocks], axis=1)
        place = np.maximum(total[:, -1] - 1, 0) * quantile
        below = np.floor(place)
        lower, upper = (side.values[np.argmax(total > at[:, None], axis=1)] for at in (below, np.ceil(place)))
        found[start : start + step] = lower + (upper - lower) * (place - below)
    return found


def _estimate(comparison: Comparison) -> float:
    one, other = (np.quantile(side.values, comparison.quantile) for side in (comparison.one, comparison.other))
    return math.log(one / other)


def _freedom(comparison: Comparison) -> int:
    return min(len(np.unique(side.blocks)) for side in (comparison.one, comparison.other)) - 1


def _joint_tail(drawn: Sequence[Floats]) -> float:
    """The share of resamples to leave out at each end of each comparison, for all of them to hold at once."""
    nearer = [np.minimum(rankdata(logs, "max"), RESAMPLES + 1 - rankdata(logs, "min")) for logs in drawn]
    return min(float(np.quantile(np.min(nearer, axis=0), 1 - LEVEL)) / RESAMPLES, (1 - LEVEL) / 2)


def _interval(estimate: float, logs: Floats, tail: float, freedom: int) -> Ratio:
    # With few rounds their spread is itself uncertain: Student's t widens the interval as that deserves.
    wider = float(t.isf(tail, freedom) / norm.isf(tail))
    low, high = np.quantile(logs, tail, method="lower"), np.quantile(logs, 1 - tail, method="higher")
    down, up = wider * max(0.0, estimate - float(low)), wider * max(0.0, float(high) - estimate)
    return Ratio(math.exp(estimate), math.exp(estimate - down), math.exp(estimate + up), float(np.std(logs, ddof=1)))
