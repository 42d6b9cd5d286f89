"""What was measured of one target: its points by load, and between which of them its capacity lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from compare.capacity.answer_scores import Baseline
from compare.capacity.grid import Grid
from compare.capacity.knee import estimate_knee
from compare.capacity.point import Point, State
from compare.capacity.slo import Clause
from compare.runs.records import Record

# The error rate of each end of an interval, and over how many loads it is divided: a search asks about several.
END_LEVEL, TESTED_LOADS = 0.025, 8
# Loads whose ratio is below this have similar queues.
NEAR = 1.25
# Loads nearer to each other than this share are measured as one.
SAME = 0.02


class Curve:
    """The points of one target, by load. `targets` are how many are compared: their intervals hold together."""

    def __init__(self, clauses: Sequence[Clause], grid: Grid, targets: int = 1) -> None:
        self.clauses = clauses
        self.grid = grid
        self._level = END_LEVEL / TESTED_LOADS / targets
        self._points: dict[float, Point] = {}
        self.baseline: Baseline | None = None

    def add(self, value: float, batch: list[Record]) -> None:
        """Add the requests of one batch, in the order in which they were sent; the first one has the baseline."""
        if self.baseline is None:
            self.baseline = Baseline(batch)
        self.point(value).add(self.baseline.add_to(batch))

    def point(self, value: float) -> Point:
        """Return the point at a load; an empty one if nothing was measured there."""
        if value not in self._points:
            group, batches = self.grid.group(value), self.grid.min_batches
            self._points[value] = Point(
                value, self.clauses, self._level, group, batches, partial(self._effect_nearby, value)
            )
        return self._points[value]

    @property
    def points(self) -> list[Point]:
        """The measured points, the lowest load first."""
        return [point for _, point in sorted(self._points.items()) if point.requests]

    @property
    def contradictory_points(self) -> list[Point]:
        """The points that gave another answer when measured again, if more than one batch did: chance can do one."""
        points = {point: count for point in self.points if (count := point.contradictions)}
        return [*points] if sum(points.values()) > 1 else []

    @property
    def clauses_without_values(self) -> list[Clause]:
        """The clauses that no answer has a value for: tokens that the server doesn't count, gaps of a single text."""
        records = [record for point in self.points for record in point.records if record.ok]
        return [clause for clause in self.clauses if records and not any(map(clause.values, records))]

    @property
    def clauses_without_baseline(self) -> list[Clause]:
        """The clauses that compare with right answers of which the first load had none: nothing can miss them."""
        none_right = self.baseline is not None and self.baseline.right == 0
        return [clause for clause in self.clauses if clause.relative and none_right]

    def clear_loads(self) -> tuple[list[float], list[float]]:
        """Return the loads that clearly meet the service level, and those that clearly miss it."""
        met = [point.value for point in self.points if point.state is State.MET]
        return met, [point.value for point in self.points if point.state is State.MISSED]

    def bracket(self) -> tuple[float | None, float | None]:
        """Return the highest load that seems to hold, and the next higher one that was measured.

        A higher load never misses less, so shares that do are averaged with those of their neighbours (isotonic
        regression): one unlucky load doesn't decide.
        """
        points = self._judged_points()
        good = [all(each) for each in zip(*(self._holds(points, clause) for clause in self.clauses), strict=True)]
        count = good.index(False) if False in good else len(good)
        return (
            points[count - 1].value if count else None,
            points[count].value if count < len(points) else None,
        )

    def estimate(self) -> float | None:
        """Return where the first clause is just missed, fitted to all loads nearby; None if that isn't to be seen.

        It isn't if a clause that limits the target doesn't fit the curve: the knee of another one is too high then.
        """
        knees = {clause: self._knee(clause) for clause in self.clauses}
        if any(knees[clause] is None for clause in self._limiting_clauses()):
            return None
        return min((knee for knee in knees.values() if knee is not None), default=None)

    def load_near_knee(self) -> float | None:
        """Return the load to measure for a better estimate: a measured one if it's near enough."""
        knee = self.estimate()
        if knee is None:
            return None
        nearest = min((point.value for point in self.points), key=lambda value: abs(value - knee))
        return nearest if abs(nearest - knee) < SAME * knee else self.grid.round(knee)

    def _knee(self, clause: Clause) -> float | None:
        evidence = [point.evidence[clause] for point in self.points]
        misses, counts = [each.share * each.count for each in evidence], [each.count for each in evidence]
        effects = [effect for each in evidence if (effect := each.design_effect)]
        effect = float(np.mean(effects)) if effects else 1.0
        return estimate_knee([point.value for point in self.points], misses, counts, clause.allowed, effect)

    def _limiting_clauses(self) -> list[Clause]:
        """Return the clauses that seem to be missed at the lowest load that doesn't hold."""
        points = self._judged_points()
        _, bad = self.bracket()
        if bad is None:
            return []
        place = [point.value for point in points].index(bad)
        return [clause for clause in self.clauses if not [*self._holds(points, clause)][place]]

    def _judged_points(self) -> list[Point]:
        return [point for point in self.points if point.look is not State.UNCLEAR]

    def _effect_nearby(self, value: float, clause: Clause) -> float:
        """Return the mean design effect of nearby loads in an open loop.

        One batch in ten may have a long queue: a few batches without one don't show that.
        """
        near = [point for point in self.points if 1 / NEAR < point.value / value < NEAR] if self.grid.is_open else []
        effects = [effect for point in near if (effect := point.evidence[clause].design_effect)]
        return max(1.0, float(np.mean(effects))) if effects else 1.0

    def _holds(self, points: Sequence[Point], clause: Clause) -> Iterator[bool]:
        from scipy.optimize import isotonic_regression

        if points:
            shares = [point.evidence[clause].share for point in points]
            smooth = isotonic_regression(shares, weights=[point.requests for point in points]).x
            yield from (bool(share < clause.allowed) for share in smooth)
