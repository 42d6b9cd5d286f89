"""Verdicts on the quality of answers: which of two targets answers more questions right, and how certain that is.

The differences hold together with each other and with the verdicts on times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from weakref import WeakKeyDictionary

from compare.analyse.quality.paired import Difference, difference, required_questions
from compare.analyse.quality.quality import BAD, Measure, question_values
from compare.errors import CompareError
from compare.runs.records import Run

MARGIN = 0.05  # targets that differ by less are as good as each other, unless the reader says otherwise
MIN_MARGIN = 0.001  # ten of 10,000 questions, the most that a run has
Side = tuple[Run, str]
# By both targets, measure and tail. They are kept as long as both runs.
Differences = dict[tuple[str, str, Measure, float], Difference]
_differences: WeakKeyDictionary[Run, WeakKeyDictionary[Run, Differences]] = WeakKeyDictionary()


class QualityFinding(StrEnum):
    """What a comparison shows; the values are those of the JSON output."""

    BETTER = "better"
    AS_GOOD = "as good"
    NOT_DISTINGUISHABLE = "not distinguishable"


@dataclass(frozen=True, slots=True)
class QualityVerdict:
    """One comparison of two targets over the same questions; `better` has the better share, or as good a one.

    `difference` is the share of `better` minus that of `worse`; less than 0 for something bad. `required` is the number
    of questions that would show a difference of the margin, or that there is none.
    """

    measure: Measure
    finding: QualityFinding
    better: str
    worse: str
    difference: Difference
    required: int


def check_margin(margin: float) -> float:
    """Return a margin, a share between 0 and 1; raise `CompareError` for another number."""
    if not MIN_MARGIN <= margin < 1:
        remedy = f"Use at least {MIN_MARGIN * 100:g} points, and fewer than 100."
        raise CompareError(f"A margin of {margin * 100:g} points isn't possible.", remedy)
    return margin


def count_comparisons(pairs: Iterable[tuple[Side, Side]]) -> int:
    """Return how many comparisons these pairs of targets make, for an interval that holds for all of them."""
    return sum(bool(shared_questions(one, other, measure)) for one, other in pairs for measure in Measure)


def shared_questions(one: Side, other: Side, measure: Measure) -> list[int]:
    """Return the questions that both targets were asked and that can be judged; none if their workloads differ."""
    hashes = [run.header["workload"].get("hash") for run, _ in (one, other)]
    first, second = (question_values(*side).get(measure, {}) for side in (one, other))
    return sorted(first.keys() & second.keys()) if hashes[0] == hashes[1] else []


def target_pairs(run: Run) -> list[tuple[Side, Side]]:
    """Return every pair of targets of a run."""
    return [((run, one), (run, other)) for one, other in combinations(run.targets, 2)]


def quality_verdicts(
    pairs: Iterable[tuple[Side, Side]],
    tail: float,
    margin: float = MARGIN,
    labels: tuple[Callable[[str], str], Callable[[str], str]] = (str, str),
) -> tuple[QualityVerdict, ...]:
    """Compare pairs of targets in each measure; every interval leaves out `tail` at each end.

    `labels` name the first and the second target of each pair.
    """
    return tuple(
        _verdict(
            measure, labels[0](one[1]), labels[1](other[1]), compare_sides(one, other, measure, tail), tail, margin
        )
        for one, other in pairs
        for measure in Measure
        if shared_questions(one, other, measure)
    )


def compare_sides(one: Side, other: Side, measure: Measure, tail: float) -> Difference:
    """Return how much larger a share of `one` is than that of `other`, over the questions that both answered."""
    differences = _differences.setdefault(one[0], WeakKeyDictionary()).setdefault(other[0], {})
    key = (one[1], other[1], measure, tail)
    if key not in differences:
        first, second = (question_values(*side)[measure] for side in (one, other))
        questions = shared_questions(one, other, measure)
        differences[key] = difference([first[at] for at in questions], [second[at] for at in questions], tail)
    return differences[key]


def _verdict(
    measure: Measure, one: str, other: str, difference: Difference, tail: float, margin: float
) -> QualityVerdict:
    required = required_questions(difference, margin, tail)
    if (difference.value < 0) != (measure in BAD) and difference.value != 0:
        one, other, difference = other, one, difference.reversed()
    finding = QualityFinding.BETTER if difference.is_shown else QualityFinding.NOT_DISTINGUISHABLE
    if -margin < difference.low and difference.high < margin:
        finding = QualityFinding.AS_GOOD
    return QualityVerdict(measure, finding, one, other, difference, required)
