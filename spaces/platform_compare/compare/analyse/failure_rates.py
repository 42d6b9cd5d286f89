"""Whether one target fails more often than another: shares of requests, by the rounds in which they were sent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import fisher_exact, norm

from compare.errors import CompareError

SHUFFLES = 4000
# Both must say so: the first that single requests differ, the second that it was not one bad moment.
REQUESTS_LEVEL, ROUNDS_LEVEL = 0.005, 0.05
FEW_ROUNDS = 3  # from there on "each of them" counts, though chance could not be ruled out by dealing
Outcome = tuple[int, bool]  # the round, and whether the request failed


@dataclass(frozen=True, slots=True)
class Difference:
    """The shares of both; `at_most` is how much more the canary's can be, at 95 %."""

    stable: float
    canary: float
    at_most: float
    is_more: bool


def compare(stable: Sequence[Outcome], canary: Sequence[Outcome], *, paired: bool) -> Difference:
    """Compare the shares that failed; `paired` where both took part in the same rounds."""
    if not stable or not canary:
        raise CompareError("Nothing was measured of one of them.", "Name targets of the runs, and measure both.")
    failed = [sum(bad for _, bad in side) for side in (stable, canary)]
    counts = [len(stable), len(canary)]
    table = [[failed[1], counts[1] - failed[1]], [failed[0], counts[0] - failed[0]]]
    more = failed[1] / counts[1] > failed[0] / counts[0]
    is_more = more and float(fisher_exact(table, "greater").pvalue) < REQUESTS_LEVEL
    is_more = is_more and _is_no_moment(_by_round(stable), _by_round(canary), paired=paired)
    return Difference(failed[0] / counts[0], failed[1] / counts[1], _at_most(failed, counts), is_more)


def _at_most(failed: Sequence[int], counts: Sequence[int]) -> float:
    """The upper end of the difference of two shares (Newcombe's method, from Wilson's intervals)."""
    stable, canary = (count / total for count, total in zip(failed, counts, strict=True))
    lower, upper = _wilson(failed[0], counts[0])[0], _wilson(failed[1], counts[1])[1]
    return canary - stable + math.hypot(upper - canary, stable - lower)


def _wilson(failed: int, count: int) -> tuple[float, float]:
    z = float(norm.isf(0.05))
    share, spread = failed / count, z * z / count
    middle, reach = share + spread / 2, z * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))


def _is_no_moment(stable: dict[int, float], canary: dict[int, float], *, paired: bool) -> bool:
    """Whether it is more than some bad rounds: of few rounds all of them are, of many more than chance would deal."""
    if paired and stable.keys() == canary.keys():
        each = np.array([canary[number] - stable[number] for number in sorted(stable)])
        drawn = np.random.default_rng(0).choice([-1.0, 1.0], size=(SHUFFLES, len(each))) @ each
        always, seen = bool(each.min() > 0), each.sum()
    else:
        one, other = np.array([*stable.values()]), np.array([*canary.values()])
        both = np.tile(np.concatenate([other, one]), (SHUFFLES, 1))
        dealt = np.random.default_rng(0).permuted(both, axis=1)
        drawn = dealt[:, : len(other)].mean(axis=1) - dealt[:, len(other) :].mean(axis=1)
        always, seen = bool(other.min() > one.max()), other.mean() - one.mean()
    by_chance = float(np.mean(drawn >= seen - 1e-9))
    return by_chance < ROUNDS_LEVEL or (always and len(canary) >= FEW_ROUNDS)


def _by_round(outcomes: Sequence[Outcome]) -> dict[int, float]:
    """The share of each round's requests that failed."""
    rounds: dict[int, list[bool]] = {}
    for number, bad in outcomes:
        rounds.setdefault(number, []).append(bad)
    return {number: sum(bad) / len(bad) for number, bad in rounds.items()}
