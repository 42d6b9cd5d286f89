"""How clear it is that a clause is met or missed, at any time while requests come in.

Each request is a bet against "the clause is just missed", and one against "it is just met": the stake grows when
requests say otherwise. If the claim is true, the stake exceeds 1/α with a probability of at most α, however often one
looks (Ville's inequality), so a step may stop as soon as its answer is clear. The stake is a mixture of likelihood
ratios against several other shares; for a share of a request's values (gaps between tokens) in [0, 1] it is a bet with
the same expectation (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting"). That
is for independent requests. Where they miss together, the logarithm is divided by the design effect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# What the bets expect, with their weights: shares of what is allowed, and of the rest above it.
FEWER = {0.05: 0.4, 0.2: 0.3, 0.5: 0.2, 0.8: 0.1}
MORE = {0.02: 0.25, 0.1: 0.25, 0.3: 0.25, 0.7: 0.25}

MIN_GROUPS, MAX_GROUPS = 3, 20


def stakes(misses: Sequence[float] | NDArray[np.float64], allowed: float) -> tuple[float, float]:
    """Return the logarithms of the stakes that the clause is met, and that it is missed."""
    values = np.asarray(misses, float)
    met = {allowed * share: weight for share, weight in FEWER.items()}
    missed = {allowed + (1 - allowed) * share: weight for share, weight in MORE.items()}
    return _mixture(values, allowed, met), _mixture(values, allowed, missed)


def requests_until(log_stake: float, stake: float, allowed: float) -> int:
    """Return how many more requests without a miss raise the stake that a clause is met to `log_stake`."""
    gain = math.log1p(_slope(allowed, allowed * min(FEWER)) * -allowed)
    return max(0, math.ceil((log_stake - stake - math.log(max(FEWER.values()))) / gain))


def design_effect(batches: Sequence[Sequence[float]], group: int) -> float:
    """Return how many times more than independent requests the misses vary; at least 1.

    Requests that wait in one queue miss together. So the shares of groups of neighbours are compared: `group` requests
    each, or more if there are many.
    """
    count = sum(map(len, batches))
    size = max(group, math.ceil(count / MAX_GROUPS))
    groups = [batch[start : start + size] for batch in batches for start in range(0, len(batch), size)]
    share = sum(map(sum, batches)) / count if count else 0.0
    if len(groups) < MIN_GROUPS or not 0 < share < 1:
        return 1.0
    spread = sum(len(each) * (sum(each) / len(each) - share) ** 2 for each in groups if each)
    return max(1.0, spread / (len(groups) - 1) / (share * (1 - share)))


def _mixture(values: NDArray[np.float64], allowed: float, expected: Mapping[float, float]) -> float:
    logs = [
        math.log(weight) + float(np.log1p(_slope(allowed, share) * (values - allowed)).sum())
        for share, weight in expected.items()
    ]
    return float(np.logaddexp.reduce(logs))


def _slope(allowed: float, share: float) -> float:
    return (share - allowed) / (allowed * (1 - allowed))
