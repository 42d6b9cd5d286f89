"""Verdicts on the quality of answers: which of two targets answers more questions right, and how certain that is.

The differences hold together with each other and with the verdicts on times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from compare.analyse.paired import Difference, difference, required_questions
from compare.analyse.quality import BAD, Measure, question_values
from compare.errors import CompareError
from compare.records import Run

MARGIN = 0.05  # targets that differ by less are as good as each other, unless the reader says otherwise
Side = tuple[Run, str]


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
    if not 0 < margin < 1:
        raise CompareError(f"A margin of {margin * 100:g} points isn't possible.", "Use points between 0 and 100.")
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
    first, second = (question_values(*side)[measure] for side in (one, other))
    questions = shared_questions(one, other, measure)
    return difference([first[at] for at in questions], [second[at] for at in questions], tail)


def _verdict(measure: Measure, one: str, other: str, found: Difference, tail: float, margin: float) -> QualityVerdict:
    required = required_questions(found, margin, tail)
    if (found.value < 0) != (measure in BAD) and found.value != 0:
        one, other, found = other, one, found.reversed()
    finding = QualityFinding.BETTER if found.is_shown else QualityFinding.NOT_DISTINGUISHABLE
    if -margin < found.low and found.high < margin:
        finding = QualityFinding.AS_GOOD
    return QualityVerdict(measure, finding, one, other, found, required)
