"""What a reader must know before trusting a run: each caveat, and runs that have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backends.token_prices import PerToken
from compare.analyse.caveats import find_caveats
from compare.analyse.costs.prices import Hourly
from compare.report.report import Report
from compare.report.words.caveat_text import caveat_text
from compare.runs.records import Run
from tests.compare.make_runs import block, build_run, failure, record, simulate

TODAY = date(2026, 6, 1)
MACHINE = Hourly("machine", 0.0585, "a bill")
TOKENS = PerToken("model", 0.5, 2.0, "a bill")


def caveat_texts(run: Run) -> list[str]:
    return [caveat_text(caveat) for caveat in find_caveats(run)]


def clean(**more: Any) -> Run:
    """Return a run without caveats; its texts arrive 10 ms apart."""
    return simulate({"a": 1.0, "b": 1.0}, **more)


def test_a_clean_run_has_no_caveat() -> None:
    assert caveat_texts(clean()) == []


@pytest.mark.parametrize(("lag", "count", "flagged"), [(0.0016, 100, True), (0.0009, 100, False), (0.0016, 99, False)])
def test_a_client_lag_above_a_twentieth_of_the_gaps_is_flagged(lag: float, count: int, flagged: bool) -> None:
    run = clean()
    run.blocks.append(block(1.0, target="b", lags=[lag] * count))
    expected = (
        "b, concurrency 1: timing may be off: this machine was overloaded. The client's event loop lag (p99 1.6 ms) is "
        "16% of the mean inter-token latency (10.0 ms). Use a separate machine."
    )
    assert caveat_texts(run) == ([expected] if flagged else [])


def test_an_in_process_model_needs_no_separate_machine() -> None:
    run = clean()
    run.header["targets"]["b"]["settings"]["kind"] = "embedded"
    run.blocks.append(block(1.0, target="b", lags=[0.0016] * 100))
    assert caveat_texts(run)[0].endswith("The model runs in the client's process.")


def answers(*lengths: int) -> Run:
    names = "ab"[: len(lengths)]
    return build_run(
        *[record(0.1, 0.2, target=name, tokens=count) for name, count in zip(names, lengths, strict=True)], block(1.0)
    )


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ((100, 110), []),
        (
            (100, 111),
            ["Answers differ in length (mean tokens: a 100, b 111), so end-to-end times don't cover equal work."],
        ),
        ((100,), []),
    ],
)
def test_answers_of_different_length_are_a_caveat(lengths: Sequence[int], expected: list[str]) -> None:
    assert caveat_texts(answers(*lengths)) == expected


def test_failed_requests_report_the_first_error() -> None:
    run = build_run(
        *[failure("Rejected", "No such key.", "Set one.") for _ in range(4)],
        *[record(0.1, target="b", tokens=2)] * 4,
    )
    assert caveat_texts(run) == ["a: every request failed. First error: No such key. Set one."]


def test_some_failures_are_counted_by_kind() -> None:
    run = build_run(record(0.1, tokens=2), failure("TimedOut", "Late."), failure("TimedOut", "Late."), record(tokens=0))
    assert caveat_texts(run) == ["a: 3 of 4 requests failed (2 TimedOut, 1 Empty). First error: Late."]


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ("finished", []),
        ("stopped", ["The run was stopped early; the metrics cover what was measured until then."]),
        ("out of time", ["The run reached its maximum duration; the metrics cover what was measured until then."]),
        ("", ["The run has no end record; the metrics cover what was stored."]),
    ],
)
def test_a_run_that_did_not_finish(ended: str, expected: list[str]) -> None:
    run = clean()
    run.ended = ended
    assert caveat_texts(run) == expected


def test_targets_that_were_given_up_or_never_measured() -> None:
    run = clean()
    run.records = [each for each in run.records if each.target == "a" or each.block < 5]
    assert caveat_texts(run) == [
        "b: 5 requests in a row failed, so the run stopped sending to it after 10 of 40 requests."
    ]
    run.records = [each for each in run.records if each.target == "a"]
    assert caveat_texts(run) == ["b: nothing was measured."]
    run.records.append(failure("Unreachable", "Nothing answers.", "Start it.", target="b", phase="cold"))
    assert caveat_texts(run) == ["b: nothing was measured. First error: Nothing answers. Start it."]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            record(0.1, 0.2),
            "a: the server doesn't report tokens: no time per output token, no tokens/s, no cost per token.",
        ),
        (
            record(0.1, 0.2, tokens=4, cached=6),
            "a: 60% of the input tokens came from a cache, despite the nonces.",
        ),
        (record(0.1, 0.2, tokens=4, cached=5), None),
        (
            record(0.1, 0.2, tokens=4, sent=1.0, delay=0.03, marks={"connected": -0.02, "headers": 0.05}),
            "a: 1 of 1 requests opened a new connection, 10.0 ms before each was sent.",
        ),
        (record(0.1, 0.2, tokens=4, delay=0.001, marks={"connected": 0.0, "headers": 0.05}), None),
    ],
    ids=["no tokens", "cached", "half cached", "new connection", "quick connection"],
)
def test_traffic_caveats(entry: Any, expected: str | None) -> None:
    assert caveat_texts(build_run(entry)) == ([expected] if expected else [])


def test_doubtful_and_missing_prices_are_reported_once() -> None:
    old = replace(MACHINE, as_of=date(2025, 1, 26))
    run = simulate({"a": 1.0, "b": 1.0, "c": 1.0})
    assert Report(run, prices={"a": old, "b": old}, today=TODAY).caveats == [
        "The price of machine is from 2025-01-26 (491 days old). Check it.",
        "c has no price, so its cost is unknown.",
    ]
    assert Report(run, today=TODAY).caveats == []
    fresh = replace(MACHINE, as_of=date(2026, 5, 1))
    assert Report(run, prices=dict.fromkeys("abc", fresh), today=TODAY).caveats == []


def test_runs_with_different_settings_are_a_caveat() -> None:
    earlier = clean()
    earlier.header["plan"]["max_tokens"] = 4
    earlier.header["workload"]["hash"] = "another"
    result = Report(clean(), earlier=earlier, today=TODAY).caveats[0]
    assert result.startswith("The two runs differ in more than time: the workload (")
    assert "the maximum length (4 before, None now)" in result
    assert Report(clean(), earlier=clean(seed=1), today=TODAY).caveats == []


def test_a_break_even_needs_an_hourly_price() -> None:
    assert "no target has an hourly price" in " ".join(Report(clean(), alternatives=[TOKENS]).caveats)


def test_an_overloaded_open_loop_is_a_caveat() -> None:
    run = build_run(
        *[
            record(0.5 + place, load="4 requests/s, constant", sent=place / 4, concurrency=None, block=number)
            for number in range(2)
            for place in range(10)
        ]
    )
    run.header["loads"] = ["4 requests/s, constant"]
    result = " ".join(caveat_texts(run))
    assert "the target did not keep up: 4 requests/s were due and 0.8 were answered" in result


def test_empty_answers_are_no_failures() -> None:
    result = " ".join(caveat_texts(build_run(record(), record())))
    assert "all 2 answers were empty: they ended without text" in result


def test_coalesced_texts_are_a_caveat() -> None:
    run = build_run(*[record(0.1, 0.1, 0.2, 0.2, block=number) for number in range(12)])
    assert "67% of the texts arrived together" in " ".join(caveat_texts(run))
