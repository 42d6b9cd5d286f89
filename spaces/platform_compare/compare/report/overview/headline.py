"""The headline of a run: who answers more questions right, starts sooner, finishes sooner, and how certain that is.

It says no more than the verdicts, whose intervals hold together with 95 % certainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compare.analyse.verdicts.verdict import Finding, Verdict
from compare.report.overview import strings
from compare.report.overview.quality_headline import (
    Clause,
    asked_questions,
    cost_sentence,
    quality_clause,
    share_sentence,
)
from compare.report.report import Report
from compare.report.words.capacity_text import capacity_text
from compare.report.words.formats import ratio
from compare.report.words.verdict_text import ONE_TARGET


@dataclass(frozen=True, slots=True)
class Standing:
    """How targets compare in one metric: `leader` is faster than every other; "" if none is.

    `wins` are the leader's verdicts. `ahead` are the targets that no other beats, if somebody beats somebody.
    """

    leader: str
    wins: tuple[Verdict, ...]
    ahead: tuple[str, ...]
    equal: bool

    @property
    def is_decided(self) -> bool:
        return bool(self.ahead) or self.equal


def standing(verdicts: Sequence[Verdict], metric: str, load: str) -> Standing:
    """Return the standing of the targets by the medians of one metric at one load."""
    rows = [each for each in verdicts if (each.metric, each.quantile, each.load) == (metric, 0.5, load)]
    wins = [each for each in rows if each.decision is Finding.FASTER]
    names = sorted({name for each in rows for name in (each.faster, each.slower)})
    beaten = {each.slower for each in wins}
    leader = next((name for name in names if sum(each.faster == name for each in wins) == len(names) - 1), "")
    return Standing(
        leader,
        tuple(each for each in wins if each.faster == leader),
        tuple(name for name in names if name not in beaten) if beaten else (),
        bool(rows) and all(each.decision is Finding.EQUALLY_FAST for each in rows),
    )


def headline(report: Report) -> str:
    """Return the headline of a run; of its comparison with the earlier run if it has a single target.

    That of a search is its answer.
    """
    if report.capacities:
        return capacity_text(report.capacities, sep=" ")
    silent = [name for name in report.run.targets if not report.overall[name].succeeded]
    if len(silent) == len(report.run.targets):
        return strings.NOTHING_MEASURED
    if silent:
        return strings.no_answer_text(silent)
    verdicts = report.verdicts or report.changes
    if not verdicts:
        return " ".join(filter(None, [share_sentence(report), ONE_TARGET]))
    load = report.main_load
    first, end = (standing(verdicts, metric, load) for metric in ("ttft", "e2e"))
    costs = cost_sentence(report) if report.quality else ""
    parts = (_comparison(report, first, end), costs, _other_loads(report, end), _failures(report))
    return " ".join(filter(None, parts))


def _comparison(report: Report, first: Standing, end: Standing) -> str:
    """Return who answers more questions right, if the run has scores, and who is faster."""
    load = report.main_load
    counts = [metrics.requests for (_, at), metrics in report.cells.items() if at == load]
    names = sorted({name for each in (report.verdicts or report.changes) for name in (each.faster, each.slower)})
    several = len(report.run.loads) > 1
    if not (first.is_decided or end.is_decided):
        quality = quality_clause(report, "")
        where = _undecided(report, quality is not None)
        nothing = strings.no_difference_text(where, counts, report.recommended_requests)
        return f"{strings.capitalize(str(quality), names)}. {nothing}" if quality else nothing
    times = _compare_two(first, end, names) if len(names) == 2 else Clause("", _compare_several(first, end))
    quality = quality_clause(report, times.subject)
    requests, at = strings.request_counts(counts), load if several else ""
    return strings.headline_text(_join(quality, times), requests, at, asked_questions(report))


def _undecided(report: Report, has_quality: bool) -> str:
    """Return in what no difference was shown: a headline must not deny what the verdicts say, such as a lower cost."""
    if any(each.decision is Finding.FASTER for each in report.verdicts or report.changes):
        return strings.START_AND_END
    return strings.TIMES if has_quality else ""


def _join(quality: Clause | None, times: Clause) -> str:
    """Join both parts: what is shown comes first, and one subject has one name."""
    if quality is None:
        return str(times)
    if quality.subject and quality.subject == times.subject:
        return f"{quality}, {times.text}"
    return f"{quality}; {times}" if quality.subject else f"{times}; {quality}"


def _compare_two(first: Standing, end: Standing, names: Sequence[str]) -> Clause:
    """Compare two targets, from the view of the one that finishes sooner."""
    subject = end.leader or first.leader
    if not subject:  # equally fast in one of the two, undecided or equally fast in the other
        return Clause("", strings.neither_text(names, starts_equal=first.equal, ends_equal=end.equal))
    other = names[1] if subject == names[0] else names[0]
    start = strings.start_text(ratio(first.wins[0].ratio), sooner=first.leader == subject) if first.leader else ""
    finish = strings.end_text(ratio(end.wins[0].ratio)) if end.leader else ""
    if start and finish:
        return Clause(subject, f"{start} than {other} {'and' if first.leader == subject else 'but'} {finish}")
    if finish:
        rest = strings.EQUAL_START if first.equal else strings.UNDECIDED_START
        return Clause(subject, f"{finish} than {other}; {rest}")
    return Clause(subject, f"{start} than {other}; {strings.EQUAL_END if end.equal else strings.UNDECIDED_END}")


def _compare_several(first: Standing, end: Standing) -> str:
    parts = []
    for each, words in ((end, strings.END), (first, strings.START)):
        if each.leader:
            ratios = sorted(verdict.ratio or 1 for verdict in each.wins)
            parts.append(strings.leader_text(each.leader, words, ratio(ratios[0]), ratio(ratios[-1])))
        elif each.ahead:
            parts.append(strings.ahead_text(each.ahead, words))
        else:
            parts.append(words.equal if each.equal else words.undecided)
    return "; ".join(parts)


def _other_loads(report: Report, end: Standing) -> str:
    """Name the loads at which another target finishes first: the headline must not hide them."""
    leaders = {load: standing(report.verdicts, "e2e", load).leader for load in report.run.loads}
    others = [load for load, leader in leaders.items() if leader and end.leader and leader != end.leader]
    return strings.other_leader_text(others) if others else ""


def _failures(report: Report) -> str:
    failed = [
        (name, metrics.requests - metrics.succeeded, metrics.requests)
        for name, metrics in report.overall.items()
        if metrics.succeeded < metrics.requests
    ]
    return strings.failures_text(failed)
