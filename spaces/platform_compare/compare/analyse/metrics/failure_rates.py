"""Compares failure rates of two targets, round by round, as the requests were sent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.errors import CompareError

PERMUTATIONS = 4000
# Both tests must pass: the first over single requests, the second to rule out one bad moment.
REQUESTS_LEVEL, ROUNDS_LEVEL = 0.005, 0.05
MIN_ROUNDS = 3  # with this many rounds, "worse in every round" counts, although a permutation test can't show it
Outcome = tuple[int, bool]  # the round, and whether the request failed


@dataclass(frozen=True, slots=True)
class RateDifference:
    """The failure rates of both; `upper_bound` is the largest plausible increase of the canary's rate, at 95 %."""

    stable: float
    canary: float
    upper_bound: float
    is_higher: bool


def compare_rates(stable: Sequence[Outcome], canary: Sequence[Outcome], *, paired: bool) -> RateDifference:
    """Compare the failure rates; `paired` means that both took part in the same rounds."""
    from scipy.stats import fisher_exact

    if not stable or not canary:
        raise CompareError("One of the targets has no measured requests.", "Name targets of the runs; measure both.")
    failures = [sum(failed for _, failed in side) for side in (stable, canary)]
    counts = [len(stable), len(canary)]
    rates = [count / total for count, total in zip(failures, counts, strict=True)]
    table = [[failures[1], counts[1] - failures[1]], [failures[0], counts[0] - failures[0]]]
    is_higher = rates[1] > rates[0] and float(fisher_exact(table, "greater").pvalue) < REQUESTS_LEVEL
    is_higher = is_higher and _persists(_rates_by_round(stable), _rates_by_round(canary), paired=paired)
    return RateDifference(rates[0], rates[1], _upper_bound(failures, counts), is_higher)


def _upper_bound(failures: Sequence[int], counts: Sequence[int]) -> float:
    """Return the upper end of the difference of two rates (Newcombe's method, from Wilson intervals)."""
    stable, canary = (count / total for count, total in zip(failures, counts, strict=True))
    lower, upper = wilson_interval(failures[0], counts[0])[0], wilson_interval(failures[1], counts[1])[1]
    return canary - stable + math.hypot(upper - canary, stable - lower)


def wilson_interval(failures: int, count: int) -> tuple[float, float]:
    """Return Wilson's interval of a rate; each end leaves out 5 %."""
    from scipy.stats import binomtest

    interval = binomtest(failures, count).proportion_ci(confidence_level=0.9, method="wilson")
    return float(interval.low), float(interval.high)


def _persists(stable: dict[int, float], canary: dict[int, float], *, paired: bool) -> bool:
    """Test whether the increase is more than a few bad rounds.

    With few rounds, the canary must be worse in all of them. With many, it must be worse than random permutations.
    """
    if paired and stable.keys() == canary.keys():
        differences = np.array([canary[number] - stable[number] for number in sorted(stable)])
        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(PERMUTATIONS, len(differences)))
        permuted, observed = signs @ differences, differences.sum()
        always = bool(differences.min() > 0)
    else:
        one, other = np.array([*stable.values()]), np.array([*canary.values()])
        pooled = np.tile(np.concatenate([other, one]), (PERMUTATIONS, 1))
        shuffled = np.random.default_rng(0).permuted(pooled, axis=1)
        permuted = shuffled[:, : len(other)].mean(axis=1) - shuffled[:, len(other) :].mean(axis=1)
        always, observed = bool(other.min() > one.max()), other.mean() - one.mean()
    p_value = float(np.mean(permuted >= observed - 1e-9))
    return p_value < ROUNDS_LEVEL or (always and len(canary) >= MIN_ROUNDS)


def _rates_by_round(outcomes: Sequence[Outcome]) -> dict[int, float]:
    rounds: dict[int, list[bool]] = {}
    for number, failed in outcomes:
        rounds.setdefault(number, []).append(failed)
    return {number: sum(failed) / len(failed) for number, failed in rounds.items()}
