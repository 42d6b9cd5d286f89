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
from collections.abc import Iterable
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# What the bets expect, with their weights: shares of what is allowed, and of the rest above it.
FEWER = {0.05: 0.4, 0.2: 0.3, 0.5: 0.2, 0.8: 0.1}
MORE = {0.02: 0.25, 0.1: 0.25, 0.3: 0.25, 0.7: 0.25}

MIN_GROUPS, MAX_GROUPS = 3, 20


class Evidence:
    """The misses of one clause at one load, by batch, each from 0 to 1.

    `allowed` is the share of misses at which the clause is just missed, `group` how many neighbours may miss together.
    """

    def __init__(self, allowed: float, group: int) -> None:
        self.batches: list[list[float]] = []
        self.count, self._sum = 0, 0.0
        self._allowed, self._group = allowed, group
        self._met = np.zeros(len(FEWER))
        self._missed = np.zeros(len(MORE))
        self._stakes: tuple[float, float] | None = None
        self._effect: tuple[float | None] | None = None

    def add(self, misses: list[float], uncertainty: float = 0.0) -> None:
        """Add the misses of one batch, in the order in which the requests were sent.

        What is allowed may be off by `uncertainty`: each bet takes the less favourable end.
        """
        self.batches.append(misses)
        self.count += len(misses)
        self._sum += sum(misses)
        values, allowed = np.asarray(misses, float)[:, None], self._allowed
        fewer = allowed * np.array([*FEWER])
        more = allowed + (1 - allowed) * np.array([*MORE])
        self._met = self._met + np.log1p(_slope(allowed, fewer) * (np.minimum(1, values + uncertainty) - allowed)).sum(
            axis=0
        )
        self._missed = self._missed + np.log1p(
            _slope(allowed, more) * (np.maximum(0, values - uncertainty) - allowed)
        ).sum(axis=0)
        self._stakes = self._effect = None

    def copy(self) -> Evidence:
        """Return evidence that can be added to without changing this one."""
        other = copy(self)
        other.batches = [*self.batches]
        return other

    @property
    def share(self) -> float:
        """The mean of the misses; 1 without any request."""
        return self._sum / self.count if self.count else 1.0

    def stakes(self, least_effect: float = 1.0) -> tuple[float, float]:
        """Return the logarithms of the stakes that the clause is met, and that it is missed.

        `least_effect` is a design effect that is known from elsewhere: requests without a miss don't show theirs.
        """
        if self._stakes is None:
            self._stakes = _mixture(self._met, FEWER.values()), _mixture(self._missed, MORE.values())
        effect = max(least_effect, self.design_effect or 1.0)
        return self._stakes[0] / effect, self._stakes[1] / effect

    def requests_until(self, goal: float, least_effect: float = 1.0) -> int:
        """Return how many more requests may raise the stake that the clause is met to `goal`."""
        stake, goal = self.stakes(least_effect)[0] * least_effect, goal * least_effect
        gain = math.log1p(-self._allowed * _slope(self._allowed, self._allowed * min(FEWER)))
        without_miss = math.ceil((goal - stake - (0 if self.count else math.log(max(FEWER.values())))) / gain)
        as_before = math.ceil(self.count * (goal / stake - 1)) if stake > 0 else 0
        return max(0, without_miss, as_before)

    @property
    def design_effect(self) -> float | None:
        """How many times more than independent requests the misses vary; None if nothing shows it.

        Requests that wait in one queue miss together. So the shares of groups of neighbours are compared: `group`
        requests each, or more if there are many.
        """
        if self._effect is None:  # other loads ask for it each time when they get a batch
            self._effect = (self._variation(),)
        return self._effect[0]

    def _variation(self) -> float | None:
        size = max(self._group, math.ceil(self.count / MAX_GROUPS))
        groups = [batch[start : start + size] for batch in self.batches for start in range(0, len(batch), size)]
        share = self.share
        if len(groups) < MIN_GROUPS or not 0 < share < 1:
            return None
        spread = sum(len(each) * (sum(each) / len(each) - share) ** 2 for each in groups)
        return spread / (len(groups) - 1) / (share * (1 - share))


def _mixture(logs: Floats, weights: Iterable[float]) -> float:
    return float(np.logaddexp.reduce(logs + np.log([*weights])))


def _slope(allowed: float, expected: Any) -> Any:
    """Return the stake per miss of a bet on `expected` shares, such that it is the ratio of the likelihoods."""
    return (expected - allowed) / (allowed * (1 - allowed))
