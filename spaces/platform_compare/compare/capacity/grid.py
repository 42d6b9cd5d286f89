"""The loads of a search: whole users, or rates in steps of 5 %, up to a limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from compare.errors import PlanError
from compare.measure.load import Load

# Loads nearer to each other than this share count as the same.
RESOLUTION = 0.05
LOWEST_RATE = 0.01
# An open loop's queue grows for as long as its load lasts, so all its batches last equally long. Several of them are
# needed: the requests of one share its queue.
BATCH_SECONDS, RAMP_SECONDS, OPEN_BATCHES = 20, 5, 5
FIRST_REQUESTS = 20
Unit = Literal["users", "requests/s"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Loads of one unit, from `start` to `limit`; a search at most doubles the load from one step to the next."""

    unit: Unit
    limit: float
    start: float = 1
    pattern: Literal["poisson", "constant"] = "poisson"

    def __post_init__(self) -> None:
        self.load(self.limit)
        if not self.lowest <= self.start <= self.limit:
            raise PlanError(
                f"A search can't start at {self.start:g} {self.unit}.",
                f"Start between {self.lowest:g} and the limit, {self.limit:g}.",
            )
        self.load(self.start)

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Grid:
        """Return the loads of a stored search."""
        unit: Unit = "users" if stored["unit"] == "users" else "requests/s"
        return cls(unit, float(stored["limit"]), float(stored["start"]), stored["pattern"])

    def check(self, value: float) -> None:
        """Raise `ValueError` if a search can't choose this load."""
        if not self.lowest <= value <= self.limit or (not self.is_open and value != int(value)):
            raise ValueError(f"it can't search at {value:g} {self.unit}")

    @property
    def is_open(self) -> bool:
        """Whether requests are sent on schedule, whether the target keeps up or not."""
        return self.unit != "users"

    @property
    def lowest(self) -> float:
        return 1 if self.unit == "users" else min(LOWEST_RATE, self.limit)

    def load(self, value: float) -> Load:
        return Load("closed" if self.unit == "users" else self.pattern, value)

    @property
    def min_batches(self) -> int:
        """How many batches a load needs before anything about it is clear."""
        return 1 if self.unit == "users" else OPEN_BATCHES

    def batch(self, value: float) -> int:
        """Return the smallest number of requests that shows a load: two per user, or twenty seconds of a rate."""
        return max(FIRST_REQUESTS, math.ceil(2 * value if self.unit == "users" else BATCH_SECONDS * value))

    def ramp(self, value: float) -> int:
        """Return how many requests precede those of a batch and don't count, until the load is what it should be."""
        return math.ceil(value if self.unit == "users" else RAMP_SECONDS * value)

    def group(self, value: float) -> int:
        """Return how many neighbouring requests may miss together."""
        return math.ceil(value) if self.unit == "users" else self.batch(value)

    def next(self, good: float | None, bad: float | None) -> float | None:
        """Return the load to try between one that holds and one that doesn't; None if they are next to each other."""
        if good is None and bad is None:
            return self.start
        if bad is None:
            return None if good == self.limit else min(2 * (good or 0), self.limit)
        if good is None:
            return None if bad == self.lowest else max(self.round(bad / 2), self.lowest)
        return None if bad - good <= self._step(good) else self.round((good + bad) / 2)

    def halvings(self, good: float | None, bad: float | None) -> float:
        """Return how many loads lie ahead if the next one is the last to be doubled, and the gap is then halved."""
        low = good or self.lowest
        high = bad or min(2 * low, self.limit)
        return max(0.0, math.log2(max(1.0, (high - low) / self._step(low)))) + (bad is None and good != self.limit)

    def outward(self, value: float, steps: int) -> float | None:
        """Return the load that many steps above (or, if negative, below) `value`; None if it's outside the grid."""
        other = self.round(value + steps * self._step(value))
        return other if self.lowest <= other <= self.limit else None

    def below(self, value: float) -> float:
        """Return the upper end of what a target can hold if it misses `value`: users are whole, rates aren't."""
        return value - 1 if self.unit == "users" else value

    def round(self, value: float) -> float:
        """Return a load that the grid can have: whole users, not more than `value`, or a rate of three digits."""
        return int(value) if self.unit == "users" else float(f"{value:.3g}")

    def _step(self, value: float) -> float:
        return max(1, int(RESOLUTION * value)) if self.unit == "users" else RESOLUTION * value
