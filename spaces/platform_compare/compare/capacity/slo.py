"""Service levels such as "ttft_p95<1s, quality>=0.9*baseline": their parser, and which requests miss a clause.

The baseline of a target is its own answers at the first load. Each request is compared with the baseline of its
question, b: right counts 1, and the clause holds if the mean of factor · b - right is at most 0. So it doesn't matter
which questions a load was asked. Evidence is about values from 0 to 1, so this one is moved and scaled to them.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compare.analyse.metrics.definitions import spaceport, user_timing
from compare.analyse.verdicts.samples import METRICS
from compare.capacity.answer_scores import ScoredRecord
from compare.errors import PlanError
from compare.runs.records import Record

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
ERROR, QUALITY, BASELINE = "error", "quality", "baseline"
FIGURES = [*(f"{metric}_{name}" for metric in METRICS for name in QUANTILES), ERROR, QUALITY]
EXAMPLE = '"ttft_p95<1s, itl_p95<80ms, error<1%"'
QUALITY_EXAMPLE = f"{QUALITY}>=0.9*{BASELINE} or {QUALITY}>=80%"
_SECONDS = {"s": 1.0, "ms": 0.001}
# No search has enough requests for a smaller share of errors.
LEAST_SHARE = 1e-6
_CLAUSE = re.compile(r"(?P<figure>\w+)\s*(?P<sign><=|>=|<|>|==?)\s*(?P<number>[^\s%a-z*]+)\s*(?P<unit>.*)", re.ASCII)
_ALL = f"Use {', '.join(METRICS)} with _{', _'.join(QUANTILES)} (a time: ttft_p95<1s), error (a share: error<1%), "
_ALL += f"or quality (the share of right answers: {QUALITY_EXAMPLE})."


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: a percentile of a time in seconds, or without `quantile` the share of failed or right requests.

    A percentile is below its limit if the share of values above the limit is below what the percentile leaves out:
    "p95 below 1 s" means that fewer than 5 % take longer. `allowed` is that share. If the condition is `relative`, its
    limit is a factor of the baseline.
    """

    text: str
    figure: str
    quantile: float | None
    limit: float
    inclusive: bool = False
    relative: bool = False

    @property
    def allowed(self) -> float:
        if self.relative:
            return 1 / (1 + self.limit)
        if self.is_quality:
            return 1 - self.limit
        return self.limit if self.quantile is None else 1 - self.quantile

    @property
    def tightness(self) -> float:
        """How small a change the clause is about, as a share: the smaller, the more requests it takes."""
        return 1 - self.limit if self.is_quality else self.allowed

    @property
    def is_quality(self) -> bool:
        return self.figure == QUALITY

    @property
    def is_error(self) -> bool:
        return self.figure == ERROR

    def values(self, record: Record) -> list[float]:
        """Return what the request contributes to the figure: 1 or 0 for a failure or a right answer, else its times."""
        if self.is_quality:
            right = record.right if isinstance(record, ScoredRecord) else None
            return [] if right is None else [right]
        if self.is_error:
            return [float(not record.ok)]
        return list(METRICS[self.figure](user_timing(record, spaceport(record)))) if record.ok else []

    def missed_share(self, record: Record) -> float | None:
        """Return the share of the request's values that miss; 1 for a failed request, None if it has no values."""
        if self.is_quality:
            return self._missed_quality(record)
        if not record.ok:
            return 1.0
        values = self.values(record)
        if self.quantile is None or not values:
            return 0.0 if values else None
        met = sum(value <= self.limit if self.inclusive else value < self.limit for value in values)
        return 1 - met / len(values)

    def _missed_quality(self, record: Record) -> float | None:
        """Return how much worse the answer is than it may be, from 0 to 1; None if nobody knows."""
        right, expected = (record.right, record.expected) if isinstance(record, ScoredRecord) else (None, None)
        if right is None:
            return None
        if not self.relative:
            return 1 - right
        return None if expected is None else (1 + self.limit * expected - right) / (1 + self.limit)

    def uncertainty(self, record: Record) -> float:
        """Return how far the expected share of misses may be off, because the baseline was measured too."""
        if not (self.relative and isinstance(record, ScoredRecord)):
            return 0.0
        return self.limit * record.uncertainty / (1 + self.limit)


def parse_slo(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a service level; `PlanError` names the first one that can't be used."""
    parts = [part.strip() for part in text.split(",")]
    if not any(parts):
        raise PlanError("The service level is empty.", f"Write it like {EXAMPLE}.")
    clauses = [_clause(part) for part in parts if part]
    _check_contradictions(clauses)
    return tuple(clauses)


def slo_text(clauses: Iterable[Clause]) -> str:
    return ", ".join(clause.text for clause in clauses)


def _clause(text: str) -> Clause:
    match = _CLAUSE.fullmatch(text)
    if not match:
        raise PlanError(f"{text!r} isn't a condition.", f"Write conditions like {EXAMPLE}.")
    figure, sign, number, unit = (match[name].strip() for name in ("figure", "sign", "number", "unit"))
    if figure not in FIGURES:
        raise PlanError(f"There is no figure {figure!r}.", _suggestion(figure) + _ALL)
    if figure == QUALITY:
        return _quality_clause(text, sign, number, unit)
    if sign not in ("<", "<="):
        raise PlanError(f"{text!r} asks for more than a limit.", f"{figure} has an upper limit: {figure}<…")
    limit = _limit(text, figure, number, unit)
    quantile = None if figure == ERROR else QUANTILES[figure.partition("_")[2]]
    return Clause(re.sub(r"\s+", "", text), figure.partition("_")[0], quantile, limit, sign == "<=")


def _quality_clause(text: str, sign: str, number: str, unit: str) -> Clause:
    """Return a lower limit of the share of right answers, or a factor of the baseline."""
    if sign not in (">", ">="):
        raise PlanError(f"{text!r} limits the right answers from above.", f"Write it like {QUALITY_EXAMPLE}.")
    percent, _, of = (part.strip() for part in unit.partition("*"))
    if percent not in ("%", "") or of not in (BASELINE, "") or ("*" in unit) != bool(of):
        raise PlanError(f"{text!r}: quality is a share of right answers.", f"Write it like {QUALITY_EXAMPLE}.")
    limit = _number(text, number) / (100 if percent else 1)
    if not LEAST_SHARE <= limit <= 1 - LEAST_SHARE:
        raise PlanError(
            f"{text!r} can't be shown by any number of answers.", f"Use a share between 0 and 1: {QUALITY_EXAMPLE}."
        )
    return Clause(re.sub(r"\s+", "", text), QUALITY, None, limit, sign == ">=", bool(of))


def _suggestion(figure: str) -> str:
    near = [figure + "_p95"] if figure in METRICS else difflib.get_close_matches(figure, FIGURES, 1)
    return f"Did you mean {near[0]}? " if near else ""


def _limit(text: str, figure: str, number: str, unit: str) -> float:
    """Return the limit in seconds, or as a share."""
    value = _number(text, number)
    if figure == ERROR:
        if unit not in ("%", ""):
            raise PlanError(f"{text!r}: error is a share of the requests.", "Write it like error<1% or error<0.01.")
        share = value / 100 if unit else value
        if not LEAST_SHARE <= share < 1:
            raise PlanError(
                f"{text!r} can't be shown by any number of requests.",
                f"Use at least {100 * LEAST_SHARE:.4f}%, like 1%.",
            )
        return share
    if unit not in _SECONDS:
        raise PlanError(f"{text!r}: {figure} is a time.", f"Write it with a unit, s or ms: {figure}<800ms.")
    if not (value > 0 and math.isfinite(value)):
        raise PlanError(f"{text!r} can't be met.", "Use a time above 0.")
    return value * _SECONDS[unit]


def _number(text: str, number: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise PlanError(f"{number!r} in {text!r} isn't a number.", f"Write conditions like {EXAMPLE}.") from None


def _check_contradictions(clauses: Sequence[Clause]) -> None:
    seen: dict[tuple[str, float | None], Clause] = {}
    for clause in clauses:
        key = clause.figure, clause.quantile
        if key in seen:
            raise PlanError(f"{seen[key].text} and {clause.text} limit the same figure.", "Name each figure once.")
        seen[key] = clause
    for low in clauses:
        for high in clauses:
            if low.figure == high.figure and (low.quantile or 0) < (high.quantile or 0) and low.limit > high.limit:
                raise PlanError(
                    f"{low.text} contradicts {high.text}: the lower percentile is never the larger one.",
                    f"Leave out {low.text}.",
                )
