"""Loads: how requests are sent, when those of an open loop are due, and how they are divided into blocks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from compare.errors import PlanError

Pattern = Literal["closed", "constant", "poisson", "bursts", "trace"]

MAX_CONCURRENCY = 256
MAX_RATE = 1000.0
# Verdicts rest on the variation between blocks, so many small blocks are best. Each block has a small overhead.
MAX_BLOCKS = 100
# An open loop's queue grows for as long as its load lasts, so its blocks are longer. Eight suffice for a verdict.
OPEN_BLOCKS, OPEN_BLOCK_SECONDS = 8, 10
MAX_CYCLE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Load:
    """How requests are sent: `closed` keeps `value` of them in flight; the other patterns send `value` a second.

    Open loops send on schedule, whether the server keeps up or not. Those of "bursts" send for `on` seconds and pause
    for `off` seconds; `value` is their mean. Those of a "trace" are due at its `times`, in seconds.
    """

    pattern: Pattern
    value: float
    on: float = 0.0
    off: float = 0.0
    source: str = ""
    times: tuple[float, ...] = field(default=(), hash=False, repr=False)

    def __post_init__(self) -> None:
        if self.pattern == "closed":
            if not (1 <= self.value <= MAX_CONCURRENCY and self.value == int(self.value)):
                raise PlanError(
                    f"Can't measure concurrency {str(self.value)[:20]}.",
                    f"Use whole numbers from 1 to {MAX_CONCURRENCY}.",
                )
            return
        if self.pattern == "bursts" and not (self.on >= 0.1 and self.off > 0 and self.cycle <= MAX_CYCLE_SECONDS):
            raise PlanError(
                f"Can't send for {self.on:g} s and pause for {self.off:g} s.",
                f"Write seconds like 2,8; from 0.1 s, and up to {MAX_CYCLE_SECONDS:,} s together.",
            )
        if not 0 < self.value <= MAX_RATE:
            raise PlanError(f"Can't send {self.value:g} requests/s.", f"Use a rate above 0 and up to {MAX_RATE:g}.")
        if self.pattern == "bursts" and self.burst_rate > MAX_RATE:
            raise PlanError(f"The bursts have {self.burst_rate:g} requests/s.", f"Use up to {MAX_RATE:g}.")

    @property
    def concurrency(self) -> int | None:
        """Requests in flight; None for an open loop."""
        return int(self.value) if self.pattern == "closed" else None

    @property
    def name(self) -> str:
        """The load's name on pages, and its key in records."""
        match self.pattern:
            case "closed":
                return f"concurrency {int(self.value)}"
            case "bursts":
                return f"{self.value:.12g} requests/s, bursts of {self.on:g} s every {self.cycle:g} s"
            case "trace":
                return f"{self.value:.3g} requests/s, {self.source}"
            case _:
                return f"{self.value:.12g} requests/s, {'Poisson' if self.pattern == 'poisson' else 'constant'}"

    @property
    def is_uneven(self) -> bool:
        """Whether pauses are part of the load, so that its rate is over the time with them."""
        return self.pattern in ("bursts", "trace")

    @property
    def cycle(self) -> float:
        """Seconds from the start of a burst to the next, or of the parts into which a trace is divided."""
        if self.pattern == "trace":
            return max(OPEN_BLOCK_SECONDS, (self.times[-1] + 1e-6) / MAX_BLOCKS)
        return self.on + self.off

    @property
    def burst_rate(self) -> float:
        """Requests per second while a burst lasts."""
        return self.value * self.cycle / self.on

    def sizes(self, requests: int) -> list[int]:
        """Return the number of requests in each block; a block of bursts lasts at least from one to the next."""
        if self.pattern == "trace":
            parts = groupby(self.times[:requests], key=lambda moment: moment // self.cycle)
            return [len(list(part)) for _, part in parts]
        least = self.value * self.cycle if self.pattern == "bursts" else 1
        return block_sizes(requests, self.concurrency, self.value, math.ceil(least))

    def arrivals(self, first: int, seed: str) -> Iterator[float]:
        """Yield when the requests of a block are due, in seconds after its start, without end; equal for all targets.

        Those of a trace end with it; `first` is the number of the block's first request.
        """
        source = random.Random(seed)  # noqa: S311  # repeatable, not a secret
        match self.pattern:
            case "trace":
                yield from (moment - self._start(first) for moment in self.times[first:])
            case "bursts":
                for moment in _sum(lambda: source.expovariate(self.burst_rate)):
                    yield moment // self.on * self.cycle + moment % self.on
            case "poisson":
                yield from _sum(lambda: source.expovariate(self.value))
            case _:
                yield from _sum(lambda: 1 / self.value)

    def duration(self, first: int, last: float) -> float:
        """Return how long a block lasts whose last request is due after so many seconds: its pause is part of it."""
        match self.pattern:
            case "bursts":
                return (last // self.cycle + 1) * self.cycle
            case "trace":
                return min(self.cycle, self.times[-1] - self._start(first))
            case _:
                return last

    def _start(self, first: int) -> float:
        """Return when the part of a trace begins that has this request."""
        return self.times[first] // self.cycle * self.cycle


def _sum(gap: Callable[[], float]) -> Iterator[float]:
    due = 0.0
    while True:
        yield due
        due += gap()


def block_sizes(requests: int, concurrency: int | None, rate: float, least: int = 1) -> list[int]:
    """Return the number of requests in each block of a load; `rate` is that of an open loop, without `concurrency`.

    No block has fewer than `least` of them, if there are so many.
    """
    blocks = requests // (2 * (concurrency or 2))
    if concurrency is None:
        blocks = min(blocks, max(OPEN_BLOCKS, requests // math.ceil(OPEN_BLOCK_SECONDS * rate)))
    blocks = max(1, min(MAX_BLOCKS, blocks, requests // least))
    size, remainder = divmod(requests, blocks)
    return [size + (number < remainder) for number in range(blocks)]
