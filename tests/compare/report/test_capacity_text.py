"""The sentences about the answers of a search."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compare.capacity.curve import Curve
from compare.capacity.grid import Grid
from compare.capacity.result import Capacity, MeasuredLoad, Reliability, conclude
from compare.capacity.slo import parse_slo
from compare.report.views.render import curve_html
from compare.report.words.capacity_text import answer_lines, capacity_json, comparison_lines
from tests.compare.make_runs import record

SLO = "ttft_p95<1s"


def answer(target: str, holds: float, reliability: Reliability = Reliability.GOOD) -> Capacity:
    curve = Curve(parse_slo(SLO), Grid("users", 64), 2)
    for value, seconds in ((holds, 0.5), (holds + 1, 2.0)):
        curve.add(value, [record(seconds) for _ in range(200)])
    return replace(conclude(target, curve), reliability=reliability)


@pytest.mark.parametrize("reliability", [Reliability.GOOD, Reliability.INCOMPLETE])
def test_what_is_clear_is_compared(reliability: Reliability) -> None:
    assert comparison_lines([answer("A", 2), answer("B", 8, reliability)]) == ["B holds more than A."]
    assert comparison_lines([answer("A", 8), answer("B", 8, reliability)]) == ["No difference shown between A and B."]


@pytest.mark.parametrize(
    ("reliability", "reason"),
    [
        (Reliability.DRIFTED, "B changed during the search"),
        (Reliability.NOT_MONOTONE, "a higher load of B held where a lower one didn't"),
        (Reliability.DIED, "B stopped answering"),
        (Reliability.NO_VALUES, "B gives no values for a condition"),
        (Reliability.NO_BASELINE, "no answer of B was right at the first load"),
    ],
)
def test_an_answer_that_cannot_be_relied_on_is_not_compared(reliability: Reliability, reason: str) -> None:
    answers = [answer("A", 2), answer("B", 8, reliability), answer("C", 16)]
    assert comparison_lines(answers) == [
        f"A and B can't be compared: {reason}.",
        "C holds more than A.",
        f"B and C can't be compared: {reason}.",
    ]


def test_both_reasons_are_given() -> None:
    (line,) = comparison_lines([answer("A", 2, Reliability.DIED), answer("B", 8, Reliability.DRIFTED)])
    assert line == "A and B can't be compared: A stopped answering and B changed during the search."


def test_an_answer_at_the_limit_says_what_is_sure() -> None:
    at_limit = replace(answer("A", 32), holds=64, high=None, missed_at=None, at_limit=True)
    assert answer_lines(at_limit) == [f"A holds at least 64 users, the limit (32 or more, 95% sure), at {SLO}."]
    assert answer_lines(replace(at_limit, low=64)) == [f"A holds at least 64 users, the limit, at {SLO}."]


def test_the_page_shows_the_curve_of_a_search() -> None:
    html = curve_html(answer("<A>", 2), "curve")
    assert "<li>&lt;A&gt; holds 2 users" in html
    assert html.count('<tr class="sp-row">') == 2
    assert ">holds</td>" in html
    assert ">misses</td>" in html
    assert ' popovertarget="sp-tip-curve-2"' in html  # "failed"


def test_a_contradictory_load_is_named() -> None:
    drifted = answer("A", 2, Reliability.DRIFTED)
    curve: list[MeasuredLoad] = [replace(load, contradictory=load.value == 3) for load in drifted.curve]
    drifted = replace(drifted, curve=tuple(curve))
    assert "measured again, 3 users gave another answer" in answer_lines(drifted)[1]
    assert [load["contradictory"] for load in capacity_json([drifted])["targets"]["A"]["curve"]] == [False, True]
