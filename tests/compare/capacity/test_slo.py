"""Service levels: what they ask for, and the errors of those that can't be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compare.capacity.answer_scores import ScoredRecord, with_score
from compare.capacity.slo import parse_slo, slo_text
from compare.errors import PlanError
from compare.runs.records import Question, Score
from tests.compare.make_runs import failure, record


def test_a_service_level_is_a_list_of_clauses() -> None:
    first, gap, error = parse_slo(" ttft_p95 < 1s, itl_p99<=80ms,error<1%, ")
    assert (first.figure, first.quantile, first.limit, first.inclusive) == ("ttft", 0.95, 1.0, False)
    assert (gap.figure, gap.quantile, gap.limit, gap.inclusive) == ("itl", 0.99, 0.08, True)
    assert (error.figure, error.quantile, error.allowed) == ("error", None, 0.01)
    assert first.allowed == pytest.approx(0.05)
    assert slo_text((first, gap, error)) == "ttft_p95<1s, itl_p99<=80ms, error<1%"


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("", "is empty", "ttft_p95<1s"),
        (" , ", "is empty", "ttft_p95<1s"),
        ("fast", "isn't a condition", "ttft_p95<1s"),
        ("ttf_p95<1s", "no figure 'ttf_p95'", "Did you mean ttft_p95?"),
        ("latency_p95<1s", "no figure 'latency_p95'", "Use ttft, itl, e2e, tpot with _p50, _p90, _p95, _p99"),
        ("ttft<1s", "no figure 'ttft'", "Did you mean ttft_p95?"),
        ("errors<1%", "no figure 'errors'", "Did you mean error?"),
        ("ttft_p95<1%", "is a time", "s or ms"),
        ("ttft_p95<1", "is a time", "s or ms"),
        ("ttft_p95<1min", "is a time", "s or ms"),
        ("error<1s", "is a share", "error<1%"),
        ("error<0%", "by any number of requests", "1%"),
        ("error<0.00009%", "by any number of requests", "at least 0.0001%"),
        ("error<1E-310", "by any number of requests", "at least 0.0001%"),
        ("error<150%", "by any number of requests", "1%"),
        ("ttft_p95<0s", "can't be met", "above 0"),
        ("ttft_p95<-1s", "can't be met", "above 0"),
        ("ttft_p95<nans", "isn't a condition", "ttft_p95<1s"),
        ("ttft_p95<1,5s", "is a time", "s or ms"),
        ("ttft_p95<1.5.2s", "isn't a number", "ttft_p95<1s"),
        ("ttft_p95>1s", "more than a limit", "ttft_p95<"),
        ("ttft_p95=1s", "more than a limit", "ttft_p95<"),
        ("ttft_p95<1s, ttft_p95<2s", "limit the same figure", "once"),
        ("error<1%, error<2%", "limit the same figure", "once"),
        ("ttft_p50<2s, ttft_p95<1s", "ttft_p50<2s contradicts ttft_p95<1s", "Leave out ttft_p50<2s"),
        ("quality<0.9", "limits the right answers from above", "quality>=80%"),
        ("quality>=0.9*best", "quality is a share of right answers", "0.9*baseline"),
        ("quality>=0.9s", "quality is a share of right answers", "0.9*baseline"),
        ("quality>=1*baseline", "can't be shown by any number of answers", "between 0 and 1"),
        ("quality>=0.9.1", "'0.9.1' in 'quality>=0.9.1' isn't a number", "conditions like"),
    ],
)
def test_a_service_level_that_cannot_be_used(text: str, message: str, remedy: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_slo(text)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_which_share_of_a_request_misses_a_clause() -> None:
    (first,) = parse_slo("ttft_p95<100ms")
    assert [first.missed_share(record(at)) for at in (0.099, 0.1, 0.2)] == [0, 1, 1]
    (inclusive,) = parse_slo("ttft_p95<=100ms")
    assert inclusive.missed_share(record(0.1)) == 0
    (gap,) = parse_slo("itl_p95<50ms")
    assert gap.missed_share(record(0.1, 0.12, 0.2, 0.21, 0.22)) == 0.25
    assert gap.missed_share(record(0.1)) is None  # a single text has no gap
    (pace,) = parse_slo("tpot_p95<50ms")
    assert pace.missed_share(record(0.1, 0.2)) is None  # the server counts no tokens


def scored(right: float | None, expected: float | None = None) -> ScoredRecord:
    known = Question("1", "Why?", ("So.",))
    score = None if right is None else Score(0, bool(right), None, False, None, 1)
    only = with_score(record(0.5), known, score)
    return replace(only, right=right, expected=expected)


def test_a_right_answer_is_compared_with_a_share_or_with_the_baseline_of_its_question() -> None:
    share, relative = parse_slo("quality >= 80%, ttft_p95<1s")[0], parse_slo("quality>=0.9 * baseline")[0]
    assert (share.text, share.limit, share.allowed, share.relative) == ("quality>=80%", 0.8, pytest.approx(0.2), False)
    assert [share.missed_share(scored(right)) for right in (1, 0, None)] == [0, 1, None]
    assert (relative.text, relative.limit, relative.relative) == ("quality>=0.9*baseline", 0.9, True)
    # Right as before is better than allowed, wrong as before is just allowed, and wrong after right is worse.
    right, wrong, lost = (relative.missed_share(scored(*each)) for each in ((1, 1), (0, 0), (0, 1)))
    assert right is not None and right < relative.allowed
    assert wrong == pytest.approx(relative.allowed)
    assert lost == pytest.approx(1)
    assert relative.missed_share(scored(1)) is None  # the question has no baseline
    assert relative.missed_share(record(0.5)) is None


def test_a_failed_request_misses_every_clause() -> None:
    clauses = parse_slo("ttft_p95<1s, itl_p95<1s, tpot_p50<1s, e2e_p99<1s, error<1%")
    assert [clause.missed_share(failure()) for clause in clauses] == [1.0] * 5
    silent = record()  # it ended without any text
    assert [clause.missed_share(silent) for clause in clauses] == [1.0] * 5


def test_the_wait_counts_in_an_open_loop() -> None:
    (first,) = parse_slo("ttft_p95<100ms")
    assert first.missed_share(record(0.05, delay=0.2, concurrency=None)) == 1
    assert first.missed_share(record(0.05, delay=0.2, concurrency=1)) == 0
