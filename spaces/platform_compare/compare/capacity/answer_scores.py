"""Requests of a search with what their answers are worth, and the baseline that later answers are compared with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean

from compare.runs.records import Question, Record, Score

# How many standard errors the baseline may be off: it's exceeded in 1 % of searches.
BASELINE_ERRORS = 2.5


@dataclass(frozen=True, slots=True)
class ScoredRecord(Record):
    """A request with whether its answer is right, from 0 to 1; None if nobody knows.

    `expected` is what the target's answers to the question were worth at the first load, None if it wasn't asked.
    The mean of `expected` over all questions may be off by `uncertainty`.
    """

    right: float | None = None
    expected: float | None = None
    uncertainty: float = 0.0


def with_score(record: Record, question: Question | None, score: Score | None) -> ScoredRecord:
    """Return a request with its mark. One that failed has no right answer, if its question has one."""
    if score is not None:
        right = None if score.correct is None else float(score.correct)
    else:
        known = question is not None and (bool(question.answers) or question.answerable is not None)
        right = 0.0 if known and not record.ok else None
    return _copy(record, right=right)


class Baseline:
    """How many answers to each question are right at the first load."""

    def __init__(self, records: Iterable[Record]) -> None:
        values: dict[int, list[float]] = {}
        for record in records:
            if isinstance(record, ScoredRecord) and record.right is not None:
                values.setdefault(record.prompt, []).append(record.right)
        self._expected = {prompt: fmean(each) for prompt, each in values.items()}
        self._uncertainty = BASELINE_ERRORS * _standard_error(values)

    @property
    def right(self) -> float | None:
        """The share of right answers, each question counted once; None without any."""
        return fmean(self._expected.values()) if self._expected else None

    def add_to(self, records: Sequence[Record]) -> list[Record]:
        """Return the requests with what is expected of them."""
        return [
            _copy(
                record,
                right=record.right,
                expected=self._expected.get(record.prompt),
                uncertainty=self._uncertainty,
            )
            if isinstance(record, ScoredRecord)
            else record
            for record in records
        ]


def _standard_error(values: Mapping[int, Sequence[float]]) -> float:
    """Return the standard error of the mean over questions, from how much answers to the same question differ."""
    variances = [
        fmean((each - fmean(some)) ** 2 for each in some) / (len(some) - 1) for some in values.values() if len(some) > 1
    ]
    return math.sqrt(sum(variances)) / len(variances) if variances else 0.0


def _copy(record: Record, **more: float | None) -> ScoredRecord:
    return ScoredRecord(**{field.name: getattr(record, field.name) for field in fields(Record)}, **more)  # type: ignore[arg-type]
