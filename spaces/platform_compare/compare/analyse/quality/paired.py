"""Intervals for shares of questions, and for the difference of two targets that answered the same questions.

The unit is the question: answers to a repeated question are averaged, because asking it again says nothing about other
questions. Resampling a dozen questions would give an interval without width when all answers are right, so these
intervals come from tests: Clopper and Pearson's for a share, Tango's score interval for a paired difference, which
counts no difference in n questions as up to z²/(n + z²). A difference must also pass the exact test of random signs
(McNemar's if nothing was repeated), so that targets that are alike are never called different more often than stated.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FLIPS = 20_000
MAX_SIZES = 200  # of differences whose signs are drawn, half a millisecond each; the sum of more is normal
STEPS = 60  # of a bisection: more digits than a float has
DECIMALS = 9  # averages of repeated answers are equal if they agree in so many


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `questions`, from `low` to `high`."""

    value: float
    low: float
    high: float
    questions: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger one share is than the other, over the same `questions`; `more` and `less` are those that differ.

    Both are sums: a question whose repeated answers differ half of the time counts as half.
    """

    value: float
    low: float
    high: float
    questions: int
    more: float
    less: float

    @property
    def is_shown(self) -> bool:
        return not self.low <= 0 <= self.high

    def reversed(self) -> Difference:
        """Return how much larger the other share is."""
        return Difference(-self.value, -self.high, -self.low, self.questions, self.less, self.more)


def share(values: Sequence[float], tail: float = 0.025) -> Share:
    """Return the mean of values from 0 to 1, one for each question, with its exact interval.

    The interval is wider than necessary for values between 0 and 1, which vary less than zeros and ones.
    """
    from scipy.stats import beta  # half a second: a command's --help must not wait for it

    count, total = len(values), float(sum(values))
    low = float(beta.ppf(tail, total, count - total + 1)) if total > 0 else 0.0
    high = float(beta.isf(tail, total + 1, count - total)) if total < count else 1.0
    return Share(total / count, min(low, total / count), max(high, total / count), count)


def difference(one: Sequence[float], other: Sequence[float], tail: float) -> Difference:
    """Return how much larger the mean of `one` is, question by question; the interval leaves out `tail` at each end."""
    differences = [round(first - second, DECIMALS) for first, second in zip(one, other, strict=True)]
    count = len(differences)
    more = sum(each for each in differences if each > 0)
    less = -sum(each for each in differences if each < 0)
    low, high = _score_interval(more, less, count, tail)
    if not low <= 0 <= high and sign_test(differences) > 2 * tail:
        low, high = min(low, 0.0), max(high, 0.0)
    return Difference((more - less) / count, low, high, count, more, less)


def _score_interval(more: float, less: float, count: int, tail: float) -> tuple[float, float]:
    """Return Tango's interval (1998) for the difference of two paired shares."""
    from scipy.stats import norm

    limit, estimate = float(norm.isf(tail)), (more - less) / count

    def edge(outside: float) -> float:
        """Return the difference next to `outside` that the score test doesn't reject."""
        inside = estimate
        for _ in range(STEPS):
            middle = (inside + outside) / 2
            is_rejected = abs(_score(more, less, count, middle)) > limit
            inside, outside = (inside, middle) if is_rejected else (middle, outside)
        return inside

    return edge(-1.0), edge(1.0)


def _score(more: float, less: float, count: int, delta: float) -> float:
    """Return Tango's statistic for a true difference of `delta`."""
    linear = (2 * count - more + less) * delta - more - less
    root = math.sqrt(max(0.0, linear**2 + 8 * count * less * delta * (1 - delta)))
    probability = (root - linear) / (4 * count)  # of less, if the difference is delta
    variance = count * (2 * probability + delta * (1 - delta))
    distance = more - less - count * delta
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def sign_test(differences: Sequence[float]) -> float:
    """Return the two-sided p-value for targets that are alike: each difference could as well have the other sign."""
    from scipy.stats import binomtest, norm

    sizes = Counter(abs(each) for each in differences if each)
    if not sizes:
        return 1.0
    if len(sizes) == 1:
        return float(binomtest(sum(each > 0 for each in differences), sizes.total()).pvalue)
    if len(sizes) > MAX_SIZES:
        return float(2 * norm.sf(abs(sum(differences)) / math.hypot(*differences)))
    random = np.random.default_rng(0)
    sums = sum(size * (2.0 * random.binomial(count, 0.5, FLIPS) - count) for size, count in sizes.items())
    extreme = int(np.sum(np.abs(sums) >= abs(sum(differences)) - 10.0**-DECIMALS))
    return (1 + extreme) / (1 + FLIPS)


def required_questions(difference: Difference, size: float, tail: float, power: float = 0.9) -> int:
    """Return the questions that show a difference of `size`, or that there is none, in `power` of runs.

    A few questions say little about how often targets differ, so the result uses the upper 90 % bound of that share.
    To show that there is none takes more: both ends of the interval have to be inside.
    """
    from scipy.stats import beta, norm

    differing, count = difference.more + difference.less, difference.questions
    share_differing = float(beta.ppf(0.9, differing + 1, count - differing)) if differing < count else 1.0
    distance = float(norm.isf(tail) + norm.ppf((1 + power) / 2))
    return math.ceil(distance**2 * max(share_differing, size) / size**2)
