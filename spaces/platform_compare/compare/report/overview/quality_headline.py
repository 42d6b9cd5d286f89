"""The part of the headline about right answers: who answers more questions right, and how certain that is."""

from __future__ import annotations

from dataclasses import dataclass

from compare.analyse.quality.quality import Measure, coverage
from compare.analyse.quality.quality_verdict import QualityFinding, QualityVerdict
from compare.report.overview import strings
from compare.report.report import Report
from compare.report.words.formats import usd
from compare.report.words.quality_text import points


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence: what it's about, "" if about nobody in particular, and what it says."""

    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.subject} {self.text}".strip()


def quality_clause(report: Report, subject: str) -> Clause | None:
    """Return who answers more questions right; None without scores. `subject` is whom the times are about."""
    verdicts = report.quality_verdicts or report.quality_changes
    right = [each for each in verdicts if each.measure is Measure.RIGHT]
    if not right:
        return Clause("", strings.NOT_JUDGED) if coverage(report.run).answered else None
    return _compare_two(report, right[0], subject) if len(right) == 1 else _compare_several(report, right)


def _compare_two(report: Report, verdict: QualityVerdict, subject: str) -> Clause:
    one, other = verdict.better, verdict.worse
    difference = verdict.difference
    match verdict.finding:
        case QualityFinding.BETTER:
            span = strings.span(difference.low, difference.high)
            return Clause(one, strings.more_right(points(difference.value), other, span))
        case QualityFinding.AS_GOOD:
            if subject == other:
                one, other = other, one
            return Clause(one, strings.as_good(other, points(report.margin)))
        case QualityFinding.NOT_DISTINGUISHABLE:
            return _undecided(report, [verdict])


def _compare_several(report: Report, right: list[QualityVerdict]) -> Clause:
    """Return who answers more questions right than all others, or than some."""
    names = [name for name in report.run.targets if any(name in (each.better, each.worse) for each in right)]
    wins = [each for each in right if each.finding is QualityFinding.BETTER]
    leader = next((name for name in names if sum(each.better == name for each in wins) == len(names) - 1), "")
    if leader:
        return Clause(leader, strings.MOST_RIGHT)
    if beaten := {each.worse for each in wins}:
        return Clause("", strings.fewer_right(sorted(beaten)))
    if all(each.finding is QualityFinding.AS_GOOD for each in right):
        return Clause("", strings.all_as_good(points(report.margin)))
    return _undecided(report, right)


def _undecided(report: Report, right: list[QualityVerdict]) -> Clause:
    """Return the shares that were found, and how many questions would decide."""
    shares = [
        (target, f"{each[Measure.RIGHT].value:.0%}") for target, each in report.quality.items() if Measure.RIGHT in each
    ]
    required = max(each.required for each in right)
    enough = required <= min(each.difference.questions for each in right)
    return Clause("", strings.right_undecided(shares, points(report.margin), None if enough else required))


def asked_questions(report: Report) -> int | None:
    """Return how many questions the clause is about; None without a verdict on right answers."""
    verdicts = report.quality_verdicts or report.quality_changes
    counts = [each.difference.questions for each in verdicts if each.measure is Measure.RIGHT]
    return min(counts, default=None)


def cost_sentence(report: Report) -> str:
    """Return what 1,000 questions cost on each target with a price; "" if fewer than two have one."""
    costs = {
        target: cost.per_1000_requests
        for (target, load), cost in report.costs.items()
        if load == report.main_load and cost.per_1000_requests is not None
    }
    return strings.costs_text([(target, usd(cost)) for target, cost in costs.items()]) if len(costs) > 1 else ""


def share_sentence(report: Report) -> str:
    """Return how many questions a single target answers right; "" without judged answers."""
    target = report.run.targets[0]
    share = report.quality.get(target, {}).get(Measure.RIGHT)
    if share is None:
        return ""
    return strings.share_text(target, share.questions, share.value, share.low, share.high)
