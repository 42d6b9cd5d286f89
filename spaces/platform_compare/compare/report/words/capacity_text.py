"""Answers of a capacity search as sentences, a table and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from compare.capacity.point import State
from compare.capacity.result import Capacity, Figure, MeasuredLoad, Reliability
from compare.capacity.slo import slo_text
from compare.report.tables import markdown_table
from compare.report.words.formats import MISSING

FIGURE_NAMES = {
    "ttft": "the first token took",
    "itl": "the gap between tokens was",
    "tpot": "the time per output token was",
    "e2e": "the whole answer took",
}
STATE_NAMES = {State.MET: "holds", State.MISSED: "misses", State.UNCLEAR: "unclear"}
CHANGED = (
    "The target changed during the search: measured again, {loads} gave another answer. Search again when nothing else "
    "runs on it."
)
NOT_MONOTONE = (
    "A higher load held where a lower one didn't, so the answer depends on more than the load (a cache, an autoscaler, "
    "other users)."
)
DIED = "{target} stopped answering at {load}, and didn't answer again."
NO_VALUES = "{target} gives no values for {clauses}: {reason}."
NO_VALUES_REASONS = {
    "tpot": "it doesn't report token counts",
    "itl": "each answer is a single text",
    "quality": "none of its answers could be judged",
}
NO_BASELINE = (
    "No answer of {target} was right at the first load, so {clauses} has nothing to compare with. Check the answers of "
    "the questions, or use a share: quality>=80%."
)
INCOMPLETE = "The search ended before its answer was clear."
# The interval of a search that ended early holds too; only less is known.
COMPARABLE = {Reliability.GOOD, Reliability.INCOMPLETE}
NOT_COMPARABLE = {
    Reliability.DRIFTED: "{target} changed during the search",
    Reliability.NOT_MONOTONE: "a higher load of {target} held where a lower one didn't",
    Reliability.DIED: "{target} stopped answering",
    Reliability.NO_VALUES: "{target} gives no values for a condition",
    Reliability.NO_BASELINE: "no answer of {target} was right at the first load",
}


def capacity_text(answers: Sequence[Capacity], sep: str = "\n") -> str:
    """Return the answers as sentences."""
    return sep.join([*(line for answer in answers for line in answer_lines(answer)), *comparison_lines(answers)])


def answer_lines(answer: Capacity) -> list[str]:
    """Return the sentences about one target."""
    level = slo_text(answer.clauses)
    if answer.holds is None:
        sentence = f"{answer.target}: no answer at {level}."
    elif answer.holds == 0:
        sentence = (
            f"{answer.target} doesn't hold {_amount(answer.missed_at or 0, answer.unit)} at {level}{_reason(answer)}."
        )
    elif answer.at_limit:
        sure = "" if answer.low == answer.holds else f" ({_number(answer.low)} or more, 95% sure)"
        sentence = f"{answer.target} holds at least {_amount(answer.holds, answer.unit)}, the limit{sure}, at {level}."
    else:
        holds = f"{_amount(answer.holds, answer.unit)} ({_interval(answer)})"
        sentence = f"{answer.target} holds {holds} at {level}{_reason(answer)}."
    return [sentence, *reliability_lines(answer)]


def reliability_lines(answer: Capacity) -> list[str]:
    """Return what keeps the answer from being relied on, if something does."""
    match answer.reliability:
        case Reliability.DRIFTED:
            loads = [_amount(load.value, answer.unit) for load in answer.curve if load.contradictory]
            return [CHANGED.format(loads=" and ".join(loads))]
        case Reliability.NOT_MONOTONE:
            return [NOT_MONOTONE]
        case Reliability.DIED:
            return [DIED.format(target=answer.target, load=_amount(answer.stopped_at or 0, answer.unit))]
        case Reliability.NO_VALUES:
            reason = NO_VALUES_REASONS.get(answer.clauses_without_values[0].figure, "it sends none")
            return [
                NO_VALUES.format(target=answer.target, clauses=slo_text(answer.clauses_without_values), reason=reason)
            ]
        case Reliability.NO_BASELINE:
            return [NO_BASELINE.format(target=answer.target, clauses=slo_text(answer.clauses_without_baseline))]
        case Reliability.INCOMPLETE:
            return [INCOMPLETE]
        case Reliability.GOOD:
            return []


def comparison_lines(answers: Sequence[Capacity]) -> list[str]:
    """Return a sentence for each two targets; their intervals hold together."""
    return [_comparison(one, other) for one, other in combinations(answers, 2)]


def _comparison(one: Capacity, other: Capacity) -> str:
    if bad := [each for each in (one, other) if each.reliability not in COMPARABLE]:
        reasons = " and ".join(NOT_COMPARABLE[each.reliability].format(target=each.target) for each in bad)
        return f"{one.target} and {other.target} can't be compared: {reasons}."
    first, second = (one, other) if one.low >= other.low else (other, one)
    if second.high is not None and first.low > second.high:
        return f"{first.target} holds more than {second.target}."
    return f"No difference shown between {one.target} and {other.target}."


def curve_headers(answer: Capacity) -> list[str]:
    """Return the headers of `curve_rows`."""
    return [answer.unit, "requests", "failed", *(clause.text for clause in answer.clauses), ""]


def curve_rows(answer: Capacity) -> list[list[str]]:
    """Return a row for each load that was measured, and whether it meets the conditions."""
    return [
        [
            _number(load.value),
            f"{load.requests:,}",
            f"{load.failed:,}",
            *(_figure_cell(figure) for figure in load.figures),
            STATE_NAMES[_implied_state(answer, load)],
        ]
        for load in answer.curve
    ]


def curve_table(answer: Capacity) -> str:
    """Return the curve as a Markdown table."""
    return markdown_table(curve_headers(answer), curve_rows(answer))


def capacity_json(answers: Sequence[Capacity]) -> dict[str, Any]:
    """Return the answers as plain values; times in seconds, errors as shares."""
    return {
        "version": 1,
        "slo": slo_text(answers[0].clauses),
        "text": capacity_text(answers),
        "targets": {answer.target: _answer_json(answer) for answer in answers},
    }


def _answer_json(answer: Capacity) -> dict[str, Any]:
    return {
        "unit": answer.unit,
        "holds": answer.holds,
        "low": answer.low,
        "high": answer.high,
        "at_limit": answer.at_limit,
        "missed_at": answer.missed_at,
        "limited_by": [clause.text for clause in answer.limited_by],
        "reliability": answer.reliability,
        "baseline": answer.baseline,
        "requests": answer.requests,
        "curve": [_load_json(load) for load in answer.curve],
    }


def _load_json(load: MeasuredLoad) -> dict[str, Any]:
    figures = {
        figure.clause.text: {key: value for key, value in asdict(figure).items() if key != "clause"}
        for figure in load.figures
    }
    keys = ("value", "requests", "failed", "state", "contradictory")
    return {key: getattr(load, key) for key in keys} | {"figures": figures}


def _implied_state(answer: Capacity, load: MeasuredLoad) -> State:
    """Return what is clear about a load: it also holds if a higher one does, unless the answer can't be relied on."""
    if load.state is State.UNCLEAR and load.value <= answer.low and answer.reliability is Reliability.GOOD:
        return State.MET
    return load.state


def _interval(answer: Capacity) -> str:
    if answer.high is None:
        return f"at least {_number(answer.low)}"
    return f"{_number(answer.low)} to {_number(answer.high)}"


def _reason(answer: Capacity) -> str:
    """Return what is missed at the next higher load."""
    worst = next((load for load in answer.curve if load.value == answer.missed_at), None)
    if worst is None or not answer.limited_by:
        return ""
    figures = [figure for clause in answer.limited_by for figure in worst.figures if figure.clause == clause]
    texts = [_figure_text(figure, answer.baseline) for figure in figures]
    return f"; at {_amount(worst.value, answer.unit)} {', '.join(texts)}"


def _figure_text(figure: Figure, baseline: float | None) -> str:
    clause = figure.clause
    if clause.is_quality:
        before = f" (baseline {percent(baseline)})" if clause.relative and baseline is not None else ""
        return f"{percent(figure.value or 0)} of the answers were right{before}"
    if clause.quantile is None:
        return f"{figure.missed_share:.1%} of the requests failed"
    if figure.value is None or figure.value <= clause.limit:  # the failed requests are what misses
        return f"{figure.missed_share:.0%} missed {clause.text}"
    return f"{FIGURE_NAMES[clause.figure]} {seconds_text(figure.value)} (p{clause.quantile * 100:.0f})"


def _figure_cell(figure: Figure) -> str:
    show = percent if figure.clause.quantile is None else seconds_text
    if figure.value is None:
        return MISSING
    ends = [MISSING if end is None else show(end) for end in (figure.low, figure.high)]
    return f"{show(figure.value)} ({ends[0]} to {ends[1]})"


def percent(share: float) -> str:
    return f"{share:.1%}"


def seconds_text(seconds: float) -> str:
    """Return a time with its unit."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _amount(value: float, unit: str) -> str:
    return "1 user" if (value, unit) == (1, "users") else f"{_number(value)} {unit}"


def _number(value: float) -> str:
    return f"{value:,.4g}"
