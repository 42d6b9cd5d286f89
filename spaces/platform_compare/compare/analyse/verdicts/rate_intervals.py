"""Intervals of one target's requests per second and cost: its blocks are resampled, as for the verdicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compare.analyse.verdicts.intervals import MIN_BLOCKS, MIN_VALUES, percentile_interval
from compare.analyse.verdicts.resamples import RateSample
from compare.analyse.verdicts.samples import Costing, cost_sample, throughput_sample
from compare.runs.records import Run


@dataclass(frozen=True, slots=True)
class Interval:
    """From where to where a figure lies with 95 % certainty; each interval stands alone."""

    low: float
    high: float


def requests_per_second(run: Run, target: str, load: str) -> Interval | None:
    """Return the interval of the requests per second; None for an open loop, or with too few blocks."""
    seconds = _interval(throughput_sample(run, target, load, load), run.seed)
    return Interval(1 / seconds.high, 1 / seconds.low) if seconds else None


def usd_per_1000_requests(run: Run, target: str, load: str, costing: Costing) -> Interval | None:
    """Return the interval of the cost of 1,000 requests; None without a price, or with too few blocks."""
    price = costing.price(target)
    usd = price and _interval(cost_sample(run, target, load, load, price, costing.utilisation), run.seed)
    return Interval(1000 * usd.low, 1000 * usd.high) if usd else None


def _interval(sample: RateSample | None, seed: int) -> Interval | None:
    if sample is None or sample.count < MIN_VALUES[None] or len(np.unique(sample.blocks)) < MIN_BLOCKS:
        return None
    ratio = percentile_interval(sample, seed)
    return Interval(ratio.low, ratio.high)
