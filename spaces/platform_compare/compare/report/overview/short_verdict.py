"""The verdict of a run in a few words, for a badge and for a row of a leaderboard."""

from __future__ import annotations

from compare.analyse.quality.quality import Measure
from compare.analyse.quality.quality_verdict import QualityFinding
from compare.report.overview import strings
from compare.report.overview.headline import standing
from compare.report.report import Report
from compare.report.words.formats import milliseconds


def short_verdict(report: Report) -> str:
    """Return who leads in what, no more than the headline says; of a single target, its figures."""
    if not any(metrics.succeeded for metrics in report.overall.values()):
        return strings.FAILED_SHORT
    if len(report.run.targets) == 1:
        return _figures(report)
    leads: dict[str, list[str]] = {}
    leaders = (
        (strings.MOST_RIGHT_SHORT, _right_leader(report)),
        (strings.FASTEST_SHORT, standing(report.verdicts, "e2e", report.main_load).leader),
        (strings.STARTS_FIRST_SHORT, standing(report.verdicts, "ttft", report.main_load).leader),
    )
    for what, target in leaders:
        if target:
            leads.setdefault(target, []).append(what)
    return "; ".join(f"{target} {', '.join(what)}" for target, what in leads.items()) or strings.NO_DIFFERENCE_SHORT


def _right_leader(report: Report) -> str:
    """Return who is shown to answer more questions right than all others, or ""."""
    wins = [
        each.better
        for each in report.quality_verdicts
        if each.measure is Measure.RIGHT and each.finding is QualityFinding.BETTER
    ]
    others = len(report.run.targets) - 1
    return next((target for target in report.run.targets if wins.count(target) == others), "")


def _figures(report: Report) -> str:
    target = report.run.targets[0]
    if report.capacities and report.capacities[0].holds is not None:
        return strings.holds_short(report.capacities[0].holds, report.capacities[0].unit)
    right = report.quality.get(target, {}).get(Measure.RIGHT)
    metrics = report.cells.get((target, report.main_load), report.overall[target])
    first = metrics.ttft_ms.p50
    parts = (
        f"{right.value:.0%} {strings.RIGHT_SHORT}" if right else "",
        f"{strings.FIRST_TOKEN.lower()} {milliseconds(first)} ms" if first else "",
    )
    return ", ".join(filter(None, parts)) or strings.TOO_FEW_SHORT
