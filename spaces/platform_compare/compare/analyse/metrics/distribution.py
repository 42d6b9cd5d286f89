"""Mean and percentiles of a sample of times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

# A percentile needs a sample on its far side: p99 of 50 values would just be the largest value.
MIN_SAMPLES = {"p50": 1, "p90": 10, "p95": 20, "p99": 100}


@dataclass(frozen=True, slots=True)
class Distribution:
    """Statistics of many values, in milliseconds; a percentile of too few values is None."""

    n: int
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None


def distribution(seconds: Iterable[float]) -> Distribution:
    """Return the mean and percentiles (linear interpolation) of times in seconds, as milliseconds."""
    values = np.fromiter(seconds, float) * 1000
    if not values.size:
        return Distribution(0)
    percentiles = {
        name: float(np.percentile(values, int(name[1:]))) if values.size >= minimum else None
        for name, minimum in MIN_SAMPLES.items()
    }
    return Distribution(int(values.size), float(values.mean()), **percentiles)
