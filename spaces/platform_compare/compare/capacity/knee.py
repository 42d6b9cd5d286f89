"""The load at which a clause is just missed, from all loads near it.

One load's share of misses is uncertain, most of all that of a rate, whose queue differs from batch to batch. So the
shares of nearby loads are fitted together: their log-odds grow linearly with the logarithm of the load.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Loads whose ratio to the estimate is below this are fitted, and how often the estimate is corrected.
NEARBY, ROUNDS = 2.0, 4
# A flatter line is noise: twice the load would not even double the odds of a miss.
LEAST_SLOPE = 1.0
ITERATIONS = 30
# Chance explains a worse fit more rarely than in 1 of 100 searches.
PLAUSIBLE = 0.99


def estimate_knee(
    loads: Sequence[float], misses: Sequence[float], counts: Sequence[int], allowed: float, effect: float = 1.0
) -> float | None:
    """Return the load where the share of misses is `allowed`; None if the measured loads don't show it.

    `misses` are the sums of the misses at each load, of `counts` values each. They vary `effect` times as much as those
    of independent requests. A server whose misses jump from one load to the next doesn't fit the curve.
    """
    measured = np.asarray(counts, float) > 0
    values, sums, sizes = (np.asarray(each, float)[measured] for each in (loads, misses, counts))
    shares = sums / sizes
    if len(values) < 2 or not shares.min() < allowed <= shares.max():
        return None
    estimate = float(values[shares >= allowed].min())
    for _ in range(ROUNDS):
        near = (values > estimate / NEARBY) & (values < estimate * NEARBY)
        distances, missed, of = np.log(values[near] / estimate), sums[near], sizes[near]
        fitted = _fit(distances, missed, of)
        if fitted is None:
            return None
        intercept, slope = fitted
        residual = _residual(intercept + slope * distances, missed, of) / max(1.0, effect)
        moved = estimate * math.exp(np.clip((math.log(allowed / (1 - allowed)) - intercept) / slope, -1, 1))
        estimate = min(max(moved, float(values.min())), float(values.max()))
    return estimate if _is_plausible(residual, len(distances)) else None


def _fit(loads: Floats, misses: Floats, counts: Floats) -> tuple[float, float] | None:
    """Return the intercept and the slope of a logistic regression (Newton's method); None without a clear slope."""
    if len(loads) < 2:
        return None
    design = np.stack([np.ones_like(loads), loads], axis=1)
    odds = (misses.sum() + 0.5) / (counts.sum() - misses.sum() + 0.5)
    line = np.array([math.log(odds), LEAST_SLOPE])
    for _ in range(ITERATIONS):
        share = _share(design @ line)
        weights = counts * share * (1 - share) + 1e-9
        hessian = design.T @ (design * weights[:, None]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (misses - counts * share))
        line = line + step * min(1.0, 5 / max(np.abs(step).max(), 1e-12))
    return (float(line[0]), float(line[1])) if line[1] > LEAST_SLOPE else None


def _residual(log_odds: Floats, misses: Floats, counts: Floats) -> float:
    """Return how far the shares are from the curve (Pearson's chi-squared)."""
    share = _share(log_odds)
    return float(((misses - counts * share) ** 2 / (counts * share * (1 - share))).sum())


def _share(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))), float)


def _is_plausible(residual: float, loads: int) -> bool:
    from scipy.stats import chi2  # half a second: a command's --help must not wait for it

    return loads < 3 or residual < float(chi2.ppf(PLAUSIBLE, loads - 2))
