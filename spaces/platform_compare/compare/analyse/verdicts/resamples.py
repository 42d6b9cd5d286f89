"""Samples of a target's values, by blocks, and what their quantiles and rates are when blocks are resampled."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
MAX_VALUES = 20_000
MIN_SECONDS = 1e-6  # two texts of one network read can be 0 s apart; a ratio needs more than zero
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one metric of one target at one load, with each value's block number.

    Samples with equal `rounds` are resampled together; use a different value for every run.
    """

    values: Floats
    blocks: Integers
    rounds: Hashable

    @property
    def count(self) -> int:
        """How many values it has."""
        return len(self.values)

    def during(self, blocks: Integers) -> Sample:
        """Return the part that is from these blocks."""
        shared = np.isin(self.blocks, blocks)
        return Sample(self.values[shared], self.blocks[shared], self.rounds)

    def log_estimate(self, quantile: float | None) -> float:
        """Return the logarithm of a quantile."""
        return math.log(np.quantile(self.values, quantile or 0.0))

    def resampled_logs(self, weights: Integers, quantile: float | None) -> Floats:
        """Return the logarithm of a quantile in each resample, which draws each block so many times."""
        return np.log(_quantiles(self, weights, quantile or 0.0))


@dataclass(frozen=True, slots=True)
class RateSample:
    """What a target spent in each block (`spent`: seconds or USD) for how many answers (`answers`)."""

    spent: Floats
    answers: Floats
    blocks: Integers
    rounds: Hashable

    @property
    def count(self) -> int:
        """How many answers it has."""
        return int(self.answers.sum())

    def during(self, blocks: Integers) -> RateSample:
        """Return the part that is from these blocks."""
        shared = np.isin(self.blocks, blocks)
        return RateSample(self.spent[shared], self.answers[shared], self.blocks[shared], self.rounds)

    def log_estimate(self, _: float | None) -> float:
        """Return the logarithm of what an answer takes."""
        return math.log(self.spent.sum() / self.answers.sum())

    def resampled_logs(self, weights: Integers, _: float | None) -> Floats:
        """Return the logarithm of what an answer takes in each resample, which draws each block so many times."""
        drawn = weights[:, self.blocks]
        # A resample can consist of blocks without an answer: then it takes as long as all of them for one.
        spent: Floats = np.maximum(drawn @ self.spent, self.spent.min())
        answers: Floats = np.maximum(drawn @ self.answers, 1.0)
        return np.log(spent) - np.log(answers)


Side = Sample | RateSample


def make_sample(values: Sequence[float], blocks: Sequence[int], rounds: Hashable) -> Sample:
    """Return a sample sorted for resampling; a very large one is thinned evenly."""
    step = max(1, math.ceil(len(values) / MAX_VALUES))
    thinned = np.maximum(np.asarray(values, float)[::step], MIN_SECONDS)
    order = np.argsort(thinned, kind="stable")
    return Sample(thinned[order], np.asarray(blocks, np.int64)[::step][order], rounds)


class Resamples:
    """Logarithms of a sample's quantile or rate in each resample; samples that share rounds share the draws."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        # Those of the load that is compared now, and of another run: all together can take gigabytes.
        self._round_weights = lru_cache(8)(self._draw_round_weights)
        self._logs: dict[tuple[int, float | None], Floats] = {}

    def logs(self, side: Side, quantile: float | None) -> Floats:
        key = (id(side), quantile)
        if key not in self._logs:
            weights = self._round_weights(side.rounds, int(side.blocks.max()) + 1)
            self._logs[key] = side.resampled_logs(weights, quantile)
        return self._logs[key]

    def _draw_round_weights(self, rounds: Hashable, count: int) -> Integers:
        """Return how often each resample draws each round."""
        random = np.random.default_rng([self._seed, count, *str(rounds).encode()])
        return random.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)


def _quantiles(side: Sample, weights: Integers, quantile: float) -> Floats:
    """Return the quantile of each resample by linear interpolation, without building the resamples."""
    quantiles = np.empty(len(weights))
    step = max(1, 4_000_000 // len(side.values))
    for start in range(0, len(weights), step):
        total = np.cumsum(weights[start : start + step][:, side.blocks], axis=1)
        position = np.maximum(total[:, -1] - 1, 0) * quantile
        below = np.floor(position)
        lower, upper = (side.values[np.argmax(total > at[:, None], axis=1)] for at in (below, np.ceil(position)))
        quantiles[start : start + step] = lower + (upper - lower) * (position - below)
    return quantiles
