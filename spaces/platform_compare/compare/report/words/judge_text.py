"""Words about what a judge says, apart from those about the scores."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import Any

from compare.analyse.quality.judge_report import Agreement, JudgedPair, JudgeReport, PositionBias
from compare.report.report import Report
from compare.report.views.render import note, subtitle
from compare.report.words.formats import signed_points
from compare.report.words.quality_text import points, share_text

TITLE = "What a judge says"
NOTE = (
    "A judge is a model that compares answers, so it can be wrong: its preferences are apart from the shares of right "
    "answers. Each pair was shown in both orders, and a preference counts if it's the same in both."
)
ITSELF = "{judge} is one of the targets that it judged: a model prefers its own answers."
RUBRICS = "{judge} judged by several rubrics: its preferences for some pairs follow another one."


def judge_lines(report: Report) -> list[str]:
    """Return the sentences about all judges of a run; empty without a judge."""
    return [line for each in report.judges for line in _lines(each)]


def judge_html(report: Report) -> str:
    """Return the sentences about all judges, or ""."""
    items = "".join(f"<li>{escape(line)}</li>" for line in judge_lines(report))
    return f"{subtitle(TITLE)}<ul>{items}</ul>{note(NOTE)}" if items else ""


def judges_json(report: Report) -> list[dict[str, Any]]:
    """Return what the judges say as plain values."""
    return [asdict(each) | {"text": _lines(each)} for each in report.judges]


def _lines(report: JudgeReport) -> list[str]:
    name = f"{report.judge} ({report.model})" if report.model not in ("", report.judge) else report.judge
    return [
        *(pair_text(name, pair) for pair in report.pairs),
        *filter(None, [bias_text(name, report.bias), agreement_text(name, report.agreement)]),
        *([ITSELF.format(judge=name)] if report.is_target else []),
        *([RUBRICS.format(judge=name)] if report.rubrics > 1 else []),
    ]


def pair_text(judge: str, pair: JudgedPair) -> str:
    """Return whom a judge prefers."""
    difference = pair.difference if pair.difference.value >= 0 else pair.difference.reversed()
    one, other = (pair.one, pair.other) if difference is pair.difference else (pair.other, pair.one)
    counts = sorted((pair.for_one, pair.for_other), reverse=True)
    span = f"{signed_points(difference.low)} to {signed_points(difference.high)} points"
    preference = f"prefers {one} to {other}, by {points(difference.value)}"
    verdict = preference if difference.is_shown else "shows no clear preference"
    unread = f"; {pair.unread:,} more got no reply that can be read" if pair.unread else ""
    return (
        f"{judge} {verdict} ({span}): of {pair.questions:,} questions, {counts[0]:,} for {one}, {counts[1]:,} for "
        f"{other}, {pair.ties:,} ties{unread}."
    )


def bias_text(judge: str, bias: PositionBias) -> str:
    """Return how often the order of the answers decided; "" if nothing can be read."""
    if not bias.pairs:
        return f"{judge} gave no reply that can be read."
    text = f"{judge} changed its mind in {bias.flipped:,} of {bias.pairs:,} pairs when the answers changed places"
    if bias.same_place:
        text += f"; it took the first place {bias.first:,} of {bias.same_place:,} times"
    return f"{text}: it prefers a place, not an answer." if bias.is_shown else f"{text}."


def agreement_text(judge: str, agreement: Agreement) -> str:
    """Return how far the judge agrees with the exact scores; "" without answers that have both."""
    if not agreement.pairs:
        return ""
    kappa = "" if agreement.kappa is None else f" Cohen's kappa over {agreement.pairs:,} pairs: {agreement.kappa:.2f}."
    if not agreement.share:
        return f"By the exact scores, no pair has a better answer, so nobody knows whether {judge} is right.{kappa}"
    return (
        f"Where exactly one of two answers is right by its score, {judge} prefers it {agreement.right:,} of "
        f"{agreement.decided:,} times, {share_text(agreement.share)}, and the wrong one {agreement.wrong:,} times."
        f"{kappa}"
    )
