"""Questions that targets answer differently well, with an answer of each and its marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from compare.analyse.quality.quality import Measure, question_values
from compare.runs.records import Question, Record, Run, Score


@dataclass(frozen=True, slots=True)
class Answered:
    """One target's answers to a question: a typical one with its score, and how many of how many are right."""

    text: str | None
    score: Score | None
    right: int
    requests: int
    failed: int


@dataclass(frozen=True, slots=True)
class DifferingQuestion:
    """A question that one target answers right more often than another; `answers` by target."""

    number: int
    question: Question
    answers: dict[str, Answered]


def differing_questions(run: Run) -> list[DifferingQuestion]:
    """Return the questions whose share of right answers differs between targets, in their order."""
    values = {target: question_values(run, target)[Measure.RIGHT] for target in run.targets}
    entries = requests_by_question(run)
    differing = []
    for number, question in enumerate(run.questions):
        judged = [target for target in run.targets if number in values[target]]
        if len({values[target][number] for target in judged}) > 1:
            answers = {target: _answered(entries[target, number]) for target in judged}
            differing.append(DifferingQuestion(number, question, answers))
    return differing


def judged_questions(run: Run) -> int:
    """Return how many questions were judged for two targets or more."""
    targets = Counter(number for target in run.targets for number in question_values(run, target)[Measure.RIGHT])
    return sum(count > 1 for count in targets.values())


def requests_by_question(run: Run) -> dict[tuple[str, int], list[tuple[Record, Score | None]]]:
    """Return the measured requests of each target and question, with their scores."""
    entries: dict[tuple[str, int], list[tuple[Record, Score | None]]] = {}
    for number, record in enumerate(run.records):
        if record.phase == "measured":
            entries.setdefault((record.target, record.prompt), []).append((record, run.scores.get(number)))
    return entries


def _answered(requests: list[tuple[Record, Score | None]]) -> Answered:
    scored = [(record, score) for record, score in requests if score]
    right = sum(bool(score.correct) for _, score in scored)
    failed = sum(not record.ok for record, _ in requests)
    is_typical = right * 2 > len(scored)
    record, score = next((pair for pair in scored if bool(pair[1].correct) == is_typical), (None, None))
    return Answered(record.answer if record else None, score, right, len(scored) + failed, failed)


def varying_questions(run: Run) -> dict[str, tuple[int, int]]:
    """Return how many repeated questions each target answered in several ways, and how many were repeated."""
    counts = dict.fromkeys(run.targets, (0, 0))
    for (target, _), requests in requests_by_question(run).items():
        answers = list(_answers(requests))
        if len(answers) > 1 and target in counts:
            differing, repeated = counts[target]
            counts[target] = differing + (len(set(answers)) > 1), repeated + 1
    return counts


def _answers(requests: list[tuple[Record, Score | None]]) -> Iterator[object]:
    """Yield what distinguishes the answers: the text, or the marks of a run that was shared without texts."""
    for record, score in requests:
        if record.ok and (record.answer is not None or score):
            yield record.answer if score is None or record.answer is not None else (
                score.correct, score.supported, score.refused, score.well_formed, score.words
            )  # fmt: skip
