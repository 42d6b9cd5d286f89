"""How good a target's answers are: what the scores of a run say of each question, and shares of all questions.

A request that failed has no right answer, and answers at all loads count alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from weakref import WeakKeyDictionary

from compare.analyse.quality.paired import Share, share
from compare.runs.records import Question, Run, Score


class Measure(StrEnum):
    """What is good about answers, or bad; the values are those of the JSON output."""

    RIGHT = "right"
    SUPPORTED = "supported"
    WRONGLY_REFUSED = "wrongly refused"
    WELL_FORMED = "well formed"


# Of these, less is better.
BAD = (Measure.WRONGLY_REFUSED,)
Values = Mapping[int, float]  # by the number of the question


@dataclass(frozen=True, slots=True)
class _Judged:
    """What can be judged of a question: whether answers are right, whether they should exist, and their format."""

    has_gold: bool
    is_answerable: bool
    has_schema: bool


_values: WeakKeyDictionary[Run, dict[str, dict[Measure, Values]]] = WeakKeyDictionary()


def question_values(run: Run, target: str) -> Mapping[Measure, Values]:
    """Return a target's value from 0 to 1 of each question that can be judged, averaged over its repeated answers."""
    if run not in _values:
        _values[run] = _all_values(run)
    return _values[run].get(target, {measure: {} for measure in Measure})


def shares(run: Run, target: str) -> dict[Measure, Share]:
    """Return a target's share of each measure over all questions, with an interval that holds with 95 % certainty."""
    values = question_values(run, target)
    return {measure: share(list(each.values())) for measure, each in values.items() if each}


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many questions a run has, how many of them were answered, and of these how many can be judged."""

    questions: int
    answered: int
    judged: int


def coverage(run: Run) -> Coverage:
    """Return how much the shares of right answers are about."""
    answered = {run.records[number].prompt for number in run.scores}
    judged = _judge_questions(run)
    return Coverage(len(judged), len(answered), sum(judged[at].has_gold for at in answered if at in judged))


def _all_values(run: Run) -> dict[str, dict[Measure, Values]]:
    if not run.scores:
        return {}
    judged = _judge_questions(run)
    marks: dict[str, dict[Measure, dict[int, list[float]]]] = {
        target: {measure: {} for measure in Measure} for target in run.targets
    }
    for number, record in enumerate(run.records):
        score = run.scores.get(number)
        # A complete answer without a score wasn't judged; a failed request has nothing to judge.
        if record.phase == "measured" and record.target in marks and (score or not record.ok):
            for measure, value in _marks(judged.get(record.prompt), score):
                marks[record.target][measure].setdefault(record.prompt, []).append(value)
    return {
        target: {
            measure: {prompt: fmean(values) for prompt, values in each.items()} for measure, each in by_measure.items()
        }
        for target, by_measure in marks.items()
    }


def _marks(question: _Judged | None, score: Score | None) -> Iterable[tuple[Measure, float]]:
    """Yield what counts for a request; `score` is None if it failed."""
    if question is None:
        return
    if question.has_gold:
        yield Measure.RIGHT, float(bool(score and score.correct))
    if question.is_answerable:
        yield Measure.WRONGLY_REFUSED, float(bool(score and score.refused))
    if question.has_schema:
        yield Measure.WELL_FORMED, float(bool(score and score.well_formed))
    if score and score.supported is not None:
        yield Measure.SUPPORTED, score.supported


def _judge_questions(run: Run) -> dict[int, _Judged]:
    """Return what can be judged of each question: what its scores and its gold answers say.

    If one answer to a question can't be judged, none of them counts: a refusal alone would always count as wrong.
    """
    scores: dict[int, list[Score]] = {}
    for number, score in run.scores.items():
        scores.setdefault(run.records[number].prompt, []).append(score)
    return {prompt: _judge(question, scores.get(prompt, [])) for prompt, question in enumerate(run.questions)}


def _judge(question: Question, scores: list[Score]) -> _Judged:
    has_reference = bool(question.answers) or question.answerable is not None
    has_gold = all(score.correct is not None for score in scores) and (has_reference or bool(scores))
    is_answerable = question.answerable is True or (has_gold and question.answerable is None)
    return _Judged(has_gold, is_answerable, any(score.well_formed is not None for score in scores))
