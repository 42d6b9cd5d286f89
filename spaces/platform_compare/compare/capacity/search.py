"""The search: which load to measure next, from what was measured so far.

It doubles the load until one looks bad, then halves the gap. Loads look good or bad after a few requests. The two
that remain are measured until they are clear; if one doesn't become clear, loads further out are. At the end both
bounds are measured again, because a server can have changed since. What a target holds is then fitted to all loads (see
`knee`), and for a rate more batches are measured there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from compare.capacity.curve import Curve
from compare.capacity.point import Point, State
from compare.capacity.slo import Clause

CHECK_REQUESTS, LOOKED_AT = 30, 40
# Of one load: what isn't clear after so many hardly becomes so. A clause that allows few misses needs more.
MAX_REQUESTS, MAX_ALLOWED_MISSES = 500, 10
OPEN_MAX_BATCHES, REFINING_BATCHES = 6, 10


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests to measure next at one load, and what for."""

    value: float
    requests: int
    purpose: Literal["explore", "confirm", "refine", "check"]


def default_requests(clauses: Sequence[Clause]) -> int:
    """Return how many requests one load gets at most."""
    return max(MAX_REQUESTS, round(MAX_ALLOWED_MISSES / min(clause.tightness for clause in clauses)))


class Search:
    """The search of one target; the caller measures each batch and adds its requests to `curve`.

    The first batch has at least `first_requests`: the baseline of answers at higher loads.
    """

    def __init__(self, curve: Curve, max_requests: int | None = None, first_requests: int = 0) -> None:
        self.curve = curve
        self.grid = curve.grid
        self._max_requests = max_requests or default_requests(curve.clauses)
        self._first_requests = first_requests

    def batches(self) -> Iterator[Batch]:
        """Yield what to measure next until the answer is as clear as it gets."""
        while True:
            good, bad = yield from self._explore()
            inner = yield from self._confirm(good, State.MET, -1)
            if self.curve.bracket() == (good, bad):
                outer = yield from self._confirm(bad, State.MISSED, 1)
            if self.curve.bracket() == (good, bad):
                break
        yield from self._refine()
        # The lower one last: it shows whether the target became slower, also while the upper one was checked.
        bounds = [value for value in (outer, inner) if value is not None]
        for value in bounds:
            yield self._check(value)
        for value in bounds:
            if self.curve.point(value).contradictions:  # chance doesn't do that twice
                yield self._check(value)

    def requests_left(self) -> int:
        """Return about how many requests the search still needs, if nothing surprises it."""
        good, bad = self.curve.bracket()
        halvings = self.grid.halvings(good, bad)
        near = self.curve.point(good or bad or self.grid.start)
        size = max(LOOKED_AT, self.grid.batch(near.value))
        unclear = max(0, min(near.requests_needed, self._most(near.value) - near.requests))
        return round(halvings * size) + unclear + 2 * size

    def _explore(self) -> Generator[Batch, None, tuple[float | None, float | None]]:
        while True:
            good, bad = self.curve.bracket()
            value = self.grid.next(good, bad)
            if value is None:
                return good, bad
            point = self.curve.point(value)
            if point.look is not State.UNCLEAR:  # only at loads that aren't the grid's: it would be chosen forever
                return good, bad
            while point.look is State.UNCLEAR:  # at most `LOOK_REQUESTS`
                yield Batch(value, self._size(point), "explore")

    def _confirm(
        self, value: float | None, wanted: State, direction: Literal[-1, 1]
    ) -> Generator[Batch, None, float | None]:
        """Measure `value` until it is clear, or loads further out; return the one that became clear."""
        steps: int = direction
        while value is not None:
            point = self.curve.point(value)
            while point.state is State.UNCLEAR and point.requests < self._most(value):
                yield Batch(value, self._size(point), "confirm")
            if point.state is wanted:
                return value
            value = self.grid.outward(value, steps)
            steps *= 2
        return None

    def _refine(self) -> Iterator[Batch]:
        """Measure a rate's knee: only many batches show how often its queue is too long."""
        if not self.grid.is_open or None in self.curve.bracket():
            return
        for _ in range(REFINING_BATCHES):
            value = self.curve.load_near_knee()
            if value is None:
                return
            yield Batch(value, self.grid.batch(value), "refine")

    def _check(self, value: float) -> Batch:
        return Batch(value, max(CHECK_REQUESTS, self.grid.batch(value)), "check")

    def _most(self, value: float) -> int:
        """Return how many requests a load gets at most; of a rate, enough to see several queues."""
        return (
            max(self._max_requests, OPEN_MAX_BATCHES * self.grid.batch(value))
            if self.grid.is_open
            else self._max_requests
        )

    def _size(self, point: Point) -> int:
        """Return the size of the next batch: of users, as many requests again, but no more than can be needed."""
        least = self.grid.batch(point.value)
        if not self.curve.points:
            return max(least, self._first_requests)
        if self.grid.is_open:
            return least
        wanted = min(max(point.requests, least), max(least, point.requests_needed))
        return max(1, min(wanted, self._max_requests - point.requests))
