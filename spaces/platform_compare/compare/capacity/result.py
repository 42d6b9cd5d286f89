"""The answer of a search: how much a target holds, from where to where, what limits it, and the curve."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

import numpy as np

from compare.capacity.curve import Curve
from compare.capacity.point import Point, State
from compare.capacity.slo import Clause

INTERVAL = 0.95
# A load that holds above one that doesn't is noise if they are nearer to each other than this.
NOTICEABLE = 1.1


class Reliability(StrEnum):
    """Whether an answer can be relied on; otherwise, why not."""

    GOOD = "good"
    DRIFTED = "the target changed"
    NOT_MONOTONE = "a higher load holds where a lower one doesn't"
    DIED = "the target stopped answering"
    NO_VALUES = "a figure has no values"
    NO_BASELINE = "no answer was right at the first load"
    INCOMPLETE = "the search didn't end"


@dataclass(frozen=True, slots=True)
class Figure:
    """A clause's figure at one load, in seconds or as a share, with its 95 % interval; None if there are too few.

    `missed_share` is on the scale of what the clause allows.
    """

    clause: Clause
    value: float | None
    low: float | None
    high: float | None
    missed_share: float


@dataclass(frozen=True, slots=True)
class MeasuredLoad:
    """One load of the curve; `contradictory` means that its last visit contradicts the earlier ones."""

    value: float
    requests: int
    failed: int
    state: State
    figures: tuple[Figure, ...]
    contradictory: bool


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much a target holds: `holds`, between `low` and `high` with a probability of 95 %.

    `high` is None if no load was clearly missed. `holds` is 0 if the lowest load misses, and None if no load was
    judged. `at_limit` means that the highest load of the search holds. `limited_by` are the clauses that limit it at
    `missed_at`, the worst first. A target that didn't answer any more did so at `stopped_at`. `baseline` is the
    share of right answers at the first load, None if answers aren't scored.
    """

    target: str
    unit: str
    holds: float | None
    low: float
    high: float | None
    at_limit: bool
    missed_at: float | None
    limited_by: tuple[Clause, ...]
    reliability: Reliability
    clauses: tuple[Clause, ...]
    curve: tuple[MeasuredLoad, ...]
    clauses_without_values: tuple[Clause, ...] = ()
    clauses_without_baseline: tuple[Clause, ...] = ()
    stopped_at: float | None = None
    baseline: float | None = None

    @property
    def requests(self) -> int:
        return sum(load.requests for load in self.curve)


def conclude(target: str, curve: Curve, *, ended: bool = True, stopped_at: float | None = None) -> Capacity:
    """Return the answer from what was measured; `ended` says that the search came to its end."""
    grid, points = curve.grid, curve.points
    met, missed = curve.clear_loads()
    low = max((value for value in met if value < min(missed, default=grid.limit + 1)), default=0.0)
    above = [value for value in missed if value > max(met, default=0)]
    high = grid.below(min(above)) if above else None
    holds, bad = _held_and_missed(curve, low, high)
    contradictory = curve.contradictory_points
    worst = curve.point(bad) if bad is not None else None
    return Capacity(
        target=target,
        unit=grid.unit,
        holds=holds,
        low=low if holds is None else min(low, holds),
        high=high if holds is None or high is None else max(high, holds),
        at_limit=bad is None and holds == grid.limit,
        missed_at=bad,
        limited_by=tuple(worst.limiting_clauses) if worst else (),
        reliability=_reliability(curve, ended=ended, stopped=stopped_at is not None),
        clauses=tuple(curve.clauses),
        curve=tuple(_measured(point, contradictory=point in contradictory) for point in points),
        clauses_without_values=tuple(curve.clauses_without_values),
        clauses_without_baseline=tuple(curve.clauses_without_baseline),
        stopped_at=stopped_at,
        baseline=curve.baseline.right if curve.baseline else None,
    )


def _held_and_missed(curve: Curve, low: float, high: float | None) -> tuple[float | None, float | None]:
    """Return what the target holds, and the next load that it misses; one that it clearly misses isn't held."""
    if curve.clauses_without_baseline:
        return None, None
    holds, bad = curve.bracket()
    if holds is None:
        return (0.0 if bad == curve.grid.lowest else None), bad
    if bad is not None:
        holds, bad = _refine(curve, holds, bad, low, high)
    if curve.point(holds).state is not State.MISSED:
        return holds, bad
    below = [point.value for point in curve.points if point.value < holds and point.state is not State.MISSED]
    return max(below, default=0.0), holds


def _refine(curve: Curve, good: float, bad: float, low: float, high: float | None) -> tuple[float, float]:
    """Return what the target holds and the next load that it misses: fitted to all loads, and within the interval."""
    knee = curve.estimate()
    if knee is None:
        return good, bad
    holds = max(low, curve.grid.lowest, curve.grid.round(knee if high is None else min(knee, high)))
    above = [point.value for point in curve.points if point.value > holds and point.missed_clauses]
    return (holds, min(above)) if above else (good, bad)


def _reliability(curve: Curve, *, ended: bool, stopped: bool) -> Reliability:
    if curve.clauses_without_values:
        return Reliability.NO_VALUES
    if stopped:
        return Reliability.DIED
    if curve.clauses_without_baseline:
        return Reliability.NO_BASELINE
    if curve.contradictory_points:
        return Reliability.DRIFTED
    met, missed = curve.clear_loads()
    if met and missed and max(met) > NOTICEABLE * min(missed):
        return Reliability.NOT_MONOTONE
    return Reliability.GOOD if ended else Reliability.INCOMPLETE


def _measured(point: Point, *, contradictory: bool) -> MeasuredLoad:
    records = point.records
    return MeasuredLoad(
        point.value,
        len(records),
        sum(not record.ok for record in records),
        point.state,
        tuple(_figure(point, clause) for clause in point.clauses),
        contradictory,
    )


def _figure(point: Point, clause: Clause) -> Figure:
    share = point.evidence[clause].share
    if clause.quantile is None:
        marks = [value for record in point.records for value in clause.values(record)]
        if not marks:
            return Figure(clause, None, None, None, share)
        low, high = _share_interval(fmean(marks), len(marks))
        return Figure(clause, fmean(marks), low, high, share)
    values = np.sort([value for record in point.records for value in clause.values(record)])
    answered = sum(record.ok for record in point.records)
    if not values.size or answered * (1 - clause.quantile) < 1:  # no value would be on the far side of the percentile
        return Figure(clause, None, None, None, share)
    low, high = _quantile_interval(clause.quantile, answered)
    ends = [float(np.quantile(values, at, method="nearest")) if 0 < at < 1 else None for at in (low, high)]
    return Figure(clause, float(np.quantile(values, clause.quantile)), ends[0], ends[1], share)


def _quantile_interval(quantile: float, requests: int) -> tuple[float, float]:
    """Return the places of the order statistics around a percentile; the values of one request count as one."""
    from scipy.stats import binom

    tail = (1 - INTERVAL) / 2
    return (
        float(binom.ppf(tail, requests, quantile)) / requests,
        (float(binom.ppf(1 - tail, requests, quantile)) + 1) / requests,
    )


def _share_interval(share: float, requests: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    interval = binomtest(round(share * requests), requests).proportion_ci(INTERVAL, method="wilson")
    return float(interval.low), float(interval.high)
