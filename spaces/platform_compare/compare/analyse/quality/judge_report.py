"""What a judge prefers, how much of that is the order of the answers, and how far it agrees with the exact scores.

A judge is a model, so none of this is mixed with the scores. A preference counts if the judge has it in both orders;
otherwise the two answers count as a tie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from compare.analyse.quality.paired import Difference, Share, difference, share
from compare.runs.records import Judgment, Preference, Run

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class PositionBias:
    """How often the order decided: `flipped` of `pairs` got another answer when swapped, and `first` of those that
    took the same place twice took the first."""

    pairs: int
    flipped: int
    same_place: int
    first: int
    share: Share | None

    @property
    def is_shown(self) -> bool:
        """Whether the judge is shown to prefer a place."""
        return self.share is not None and not self.share.low <= 0.5 <= self.share.high


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a judge agrees with the exact scores, over the `pairs` of answers that both judged.

    Of the `decided` pairs, exactly one answer is right by its score; the judge preferred it in `right` of them and the
    other one in `wrong`. `kappa` is Cohen's, over better, worse and equal; None if chance alone would always agree.
    """

    pairs: int
    decided: int
    right: int
    wrong: int
    share: Share | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A judge's preferences between two targets, over `questions`; `unread` more got no answer that can be read.

    `difference` is the share preferred of `one` minus that of `other`. The intervals of a judge hold together.
    """

    judge: str
    model: str
    one: str
    other: str
    questions: int
    unread: int
    for_one: int
    for_other: int
    ties: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """All that a judge says of a run. `is_target` is true if it judged its own answers."""

    judge: str
    model: str
    rubrics: int
    is_target: bool
    pairs: tuple[JudgedPair, ...]
    bias: PositionBias
    agreement: Agreement


def judge_reports(run: Run) -> list[JudgeReport]:
    """Return a report for each judge of a run."""
    ordered = sorted(run.judgments.values(), key=lambda each: each.judge)
    return [_judge_report(run, name, list(each)) for name, each in groupby(ordered, key=lambda each: each.judge)]


def preference(judgment: Judgment) -> Preference | None:
    """Return whom the judge prefers in both orders, "tie" if they differ, None if one of them can't be read."""
    if judgment.first is None or judgment.second is None:
        return None
    return judgment.first if judgment.first == judgment.second else "tie"


def _judge_report(run: Run, name: str, judgments: list[Judgment]) -> JudgeReport:
    names = list(dict.fromkeys((each.one, each.other) for each in judgments))
    tail = (1 - LEVEL) / 2 / len(names)
    pairs = [_judged_pair([each for each in judgments if (each.one, each.other) == pair], tail) for pair in names]
    return JudgeReport(
        name,
        judgments[-1].model,
        len({each.rubric for each in judgments}),
        name in run.targets,
        tuple(pair for pair in pairs if pair),
        position_bias(judgments),
        agreement(run, judgments),
    )


def _judged_pair(judgments: list[Judgment], tail: float) -> JudgedPair | None:
    """Return the preferences between two targets; None if nothing that the judge said can be read."""
    preferences = [each for each in map(preference, judgments) if each]
    if not preferences:
        return None
    counts, last = Counter(preferences), judgments[-1]
    sides = [[float(each == side) for each in preferences] for side in ("one", "other")]
    return JudgedPair(
        last.judge, last.model, last.one, last.other, len(preferences), len(judgments) - len(preferences),
        counts["one"], counts["other"], counts["tie"], difference(sides[0], sides[1], tail),
    )  # fmt: skip


def position_bias(judgments: Sequence[Judgment]) -> PositionBias:
    """Return how often the order of the answers decided."""
    read = [each for each in judgments if each.first and each.second]
    # "one" was shown first at first, "other" at second.
    places = [
        (each.prompt, (each.first, each.second) == ("one", "other"))
        for each in read
        if {each.first, each.second} == {"one", "other"}
    ]
    firsts = sum(is_first for _, is_first in places)
    return PositionBias(
        len(read), sum(each.first != each.second for each in read), len(places), firsts, _share_of_questions(places)
    )


def agreement(run: Run, judgments: Sequence[Judgment]) -> Agreement:
    """Return how far a judge agrees with the exact scores of the same answers."""
    both = [
        (each.prompt, exact, judged)
        for each in judgments
        if (exact := _exact(run, each)) is not None and (judged := preference(each)) is not None
    ]
    decided = [each for each in both if each[1] != "tie"]
    right = sum(exact == judged for _, exact, judged in decided)
    wrong = sum(judged != "tie" and exact != judged for _, exact, judged in decided)
    right_share = _share_of_questions([(prompt, exact == judged) for prompt, exact, judged in decided])
    kappa = cohens_kappa([(exact, judged) for _, exact, judged in both])
    return Agreement(len(both), len(decided), right, wrong, right_share, kappa)


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return how much more often two raters agree than by chance; None if chance alone would always agree."""
    count = len(pairs)
    if not count:
        return None
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    observed = sum(one == other for one, other in pairs) / count
    expected = sum(ones[name] * others[name] for name in ones) / count**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def _share_of_questions(values: Sequence[tuple[int, bool]]) -> Share | None:
    """Return the share of true values, a question counting once however many pairs of targets answered it."""
    by_question: dict[int, list[bool]] = {}
    for prompt, value in values:
        by_question.setdefault(prompt, []).append(value)
    return share([fmean(each) for each in by_question.values()]) if by_question else None


def _exact(run: Run, judgment: Judgment) -> Preference | None:
    """Return which of the judged answers is right by its score, "tie" if both or none; None without both scores."""
    scores = [run.scores.get(number) for number in judgment.requests]
    marks = [score.correct if score else None for score in scores]
    if None in marks:
        return None
    return "tie" if marks[0] == marks[1] else "one" if marks[0] else "other"
