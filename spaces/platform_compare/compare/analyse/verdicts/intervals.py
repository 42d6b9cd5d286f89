"""Ratios of medians, p95s and rates between targets, with simultaneous intervals for all comparisons of a run.

Whole blocks are resampled, not requests: requests of one block share the state of the machine at the time, and
the blocks of one round share it between targets, so resampling rounds keeps the pairs together. The intervals are
simultaneous: every interval spans the same two percentiles of its resamples, chosen so that in 95 % of the resamples
all comparisons of a run lie inside their intervals (Beran's balance). They are percentiles instead of multiples of a
deviation, because the median of bimodal times, such as cache hits and misses, jumps between the two modes.

Comparisons of other kinds, such as those of right answers, can share the 95 %: they get the same tail as the times.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from compare.analyse.verdicts.resamples import RESAMPLES, Floats, Resamples, Side

LEVEL = 0.95
# Fewer blocks than this reveal too little about their variation.
MIN_BLOCKS = 6
MIN_VALUES = {None: 12, 0.5: 12, 0.95: 100}
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question: how many times larger is the `quantile` of `one` than that of `other`? None asks about a rate."""

    one: Side
    other: Side
    quantile: float | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times larger `one` is than `other`, from `low` to `high`; `noise` is the spread of its logarithm."""

    ratio: float
    low: float
    high: float
    noise: float

    @property
    def distinguishable(self) -> bool:
        return not self.low <= 1 <= self.high


def pair(one: Side, other: Side, quantile: float | None) -> Comparison:
    """Return a comparison over the rounds that both share, if any: a drift then affects both or neither."""
    if one.rounds == other.rounds and not np.array_equal(np.unique(one.blocks), np.unique(other.blocks)):
        one, other = one.during(other.blocks), other.during(one.blocks)
    return Comparison(one, other, quantile)


def is_large_enough(comparison: Comparison) -> bool:
    """Return whether the samples are large enough for a verdict."""
    return all(
        side.count >= MIN_VALUES[comparison.quantile] and len(np.unique(side.blocks)) >= MIN_BLOCKS
        for side in (comparison.one, comparison.other)
    )


def compare(comparisons: Mapping[Key, Comparison], seed: int) -> dict[Key, Ratio]:
    """Return each comparison's ratio with its simultaneous interval; equal seeds give equal digits."""
    return compare_with_others(comparisons, seed, 0)[0]


def compare_with_others(
    comparisons: Mapping[Key, Comparison], seed: int, others: int
) -> tuple[dict[Key, Ratio], float]:
    """Return the ratios, and the tail of each interval, which `others` more comparisons can use too.

    All intervals then hold together: those of the times and those of the others.
    """
    resamples = Resamples(seed)
    logs = {
        key: resamples.logs(comparison.one, comparison.quantile) - resamples.logs(comparison.other, comparison.quantile)
        for key, comparison in comparisons.items()
    }
    tail = _joint_tail(list(logs.values()), others)
    ratios = {
        key: _interval(_estimate(comparison), logs[key], tail, _degrees_of_freedom(comparison))
        for key, comparison in comparisons.items()
    }
    return ratios, tail


def percentile_interval(side: Side, seed: int) -> Ratio:
    """Return what an answer of one side takes, with an interval that stands alone."""
    freedom = len(np.unique(side.blocks)) - 1
    return _interval(side.log_estimate(None), Resamples(seed).logs(side, None), (1 - LEVEL) / 2, freedom)


def required_requests(noise: float, requests: int, rounds: int, difference: float = 0.05, power: float = 0.9) -> int:
    """Return the requests per target that detect `difference` in `power` of runs, given a run's noise and size.

    A few rounds estimate their noise badly, so the result uses the upper 90 % bound of the noise.
    """
    from scipy.stats import chi2, norm  # half a second: a command's --help must not wait for it

    freedom = max(1, rounds - 1)
    likely_noise = noise * math.sqrt(freedom / float(chi2.ppf(0.1, freedom)))
    detectable = math.log1p(difference) / float(norm.ppf(1 - (1 - LEVEL) / 2 / 6) + norm.ppf(power))
    return math.ceil(requests * (likely_noise / detectable) ** 2)


def _estimate(comparison: Comparison) -> float:
    return comparison.one.log_estimate(comparison.quantile) - comparison.other.log_estimate(comparison.quantile)


def _degrees_of_freedom(comparison: Comparison) -> int:
    return min(len(np.unique(side.blocks)) for side in (comparison.one, comparison.other)) - 1


def _joint_tail(logs: Sequence[Floats], others: int) -> float:
    """Return the share to cut at each end of every comparison, so that the intervals are simultaneous."""
    from scipy.stats import rankdata

    largest = (1 - LEVEL) / 2
    if not logs:
        return largest / max(1, others)
    nearer = [np.minimum(rankdata(each, "max"), RESAMPLES + 1 - rankdata(each, "min")) for each in logs]
    nearest = np.min(nearer, axis=0)
    if not others:
        return min(float(np.quantile(nearest, 1 - LEVEL)) / RESAMPLES, largest)
    return _shared_tail(nearest, others)


def _shared_tail(nearest: Floats, others: int) -> float:
    """Return the largest tail at which the times and `others` more comparisons hold together.

    The resamples say how often an interval of the times misses. What the others add is at most the sum of their tails
    (Bonferroni), whatever way answers and times depend on each other.
    """
    low, high = 0.0, (1 - LEVEL) / 2 / others
    for _ in range(50):
        middle = (low + high) / 2
        missed = float(np.mean(nearest <= middle * RESAMPLES)) + 2 * others * middle
        low, high = (middle, high) if missed <= 1 - LEVEL else (low, middle)
    return low


def _interval(estimate: float, logs: Floats, tail: float, freedom: int) -> Ratio:
    from scipy.stats import norm, t

    # With few rounds, the spread itself is uncertain; Student's t widens the interval accordingly.
    factor = float(t.isf(tail, freedom) / norm.isf(tail))
    low, high = np.quantile(logs, tail, method="lower"), np.quantile(logs, 1 - tail, method="higher")
    down, up = factor * max(0.0, estimate - float(low)), factor * max(0.0, float(high) - estimate)
    return Ratio(math.exp(estimate), math.exp(estimate - down), math.exp(estimate + up), float(np.std(logs, ddof=1)))
