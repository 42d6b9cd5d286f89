"""Searches of simulated servers: where they look, when they stop, and what they conclude."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from compare.capacity.answer_scores import with_score
from compare.capacity.curve import Curve
from compare.capacity.evidence import Evidence
from compare.capacity.grid import Grid
from compare.capacity.knee import estimate_knee
from compare.capacity.point import State
from compare.capacity.result import Reliability, conclude
from compare.capacity.slo import parse_slo
from compare.errors import PlanError
from compare.report.words.capacity_text import capacity_text
from compare.runs.records import Score
from tests.compare.capacity.simulated import SLO, SimulatedSearch
from tests.compare.make_runs import failure, record

USERS = Grid("users", 64)


def knee(value: float, below: float = 0.01, above: float = 0.5) -> Callable[[float, int], float]:
    """Return the share of requests that miss at each load: it jumps after `value`."""
    return lambda load, _: above if load > value else below


@pytest.mark.parametrize("true_value", [1, 2, 6, 7, 31, 63])
def test_a_sharp_knee_is_found_exactly(true_value: int) -> None:
    answer = SimulatedSearch(knee(true_value), USERS).run()
    assert answer.holds == pytest.approx(true_value, rel=0.05)
    assert answer.low <= true_value <= (answer.high or 0)
    assert answer.reliability is Reliability.GOOD
    assert [clause.text for clause in answer.limited_by] == [SLO]


def test_a_rate_is_found_within_its_resolution() -> None:
    answer = SimulatedSearch(knee(7.3), Grid("requests/s", 100)).run()
    assert answer.holds == pytest.approx(7.3, rel=0.05)
    assert answer.low <= 7.3 <= (answer.high or 0)


def test_a_rate_below_the_start_is_found() -> None:
    answer = SimulatedSearch(knee(0.3), Grid("requests/s", 100)).run()
    assert answer.holds == pytest.approx(0.3, rel=0.05)


def test_the_load_at_most_doubles_until_one_is_bad() -> None:
    search = SimulatedSearch(knee(20), USERS)
    search.run()
    loads = [batch.value for batch in search.batches]
    assert loads[0] == 1
    highest = [max(loads[: place + 1]) for place in range(len(loads))]
    assert all(later <= 2 * earlier for earlier, later in pairwise(highest))
    assert max(loads) == 32


def test_a_server_that_never_meets_it_holds_nobody() -> None:
    search = SimulatedSearch(knee(0), USERS)
    answer = search.run()
    assert (answer.holds, answer.low, answer.high, answer.missed_at) == (0, 0, 0, 1)
    assert {batch.value for batch in search.batches} == {1}
    assert search.requests < 100  # it is clear soon


def test_a_server_that_always_meets_it_holds_at_least_the_limit() -> None:
    answer = SimulatedSearch(knee(1000, below=0), USERS).run()
    assert answer.at_limit
    assert (answer.holds, answer.low, answer.high) == (64, 64, None)


def test_a_share_that_is_just_allowed_stays_unclear_and_the_search_ends() -> None:
    search = SimulatedSearch(lambda load, _: 0.05, Grid("users", 4))
    search.run(max_requests=200)
    assert max(point.requests for point in search.curve.points) <= 200 + 60  # with the check at the end


def test_a_server_that_becomes_slower_is_said_to_have_changed() -> None:
    search = SimulatedSearch(lambda load, sent: 0.9 if load > 8 or (sent > 250 and load > 3) else 0.0, USERS)
    answer = search.run()
    assert answer.reliability is not Reliability.GOOD


def test_chance_is_not_drift() -> None:
    answers = [SimulatedSearch(knee(8, 0.2, 0.7), USERS, seed, "ttft_p50<1s").run() for seed in range(20)]
    assert sum(answer.reliability is not Reliability.GOOD for answer in answers) <= 1


def test_a_higher_load_that_holds_above_one_that_does_not() -> None:
    curve = Curve(parse_slo(SLO), USERS)
    for value, seconds in ((1, 0.5), (2, 2.0), (8, 0.5)):
        curve.add(value, [record(seconds) for _ in range(200)])
    answer = conclude("a", curve)
    assert answer.reliability is Reliability.NOT_MONOTONE
    assert answer.low <= 1
    assert answer.high is None


def test_one_unlucky_load_does_not_decide() -> None:
    curve = Curve(parse_slo(SLO), USERS)
    for value, misses, requests in ((4, 0, 200), (5, 5, 60), (6, 2, 200), (8, 100, 100)):
        curve.add(value, [record(2.0 if number < misses else 0.5) for number in range(requests)])
    assert curve.point(5).look is State.MISSED
    assert curve.bracket() == (6, 8)


def test_the_interval_is_rarely_wrong() -> None:
    """At 95 %, of 30 searches more than 4 miss with a probability of 2 %."""
    answers = [
        SimulatedSearch(lambda load, _: min(0.9, 0.04 * load), USERS, seed, "ttft_p50<1s").run() for seed in range(30)
    ]  # half of the requests miss at 12.5 users
    assert sum(not answer.low <= 12 <= (answer.high or 99) for answer in answers) <= 4
    assert any(answer.high is not None and answer.low < answer.high for answer in answers)


def answers_right(load: float, question: int) -> float:
    """Three of four questions are always right up to 12 users, and most of them wrong beyond."""
    return 0.0 if question % 4 == 0 else 1.0 if load <= 12 else 0.4


def test_worse_answers_limit_a_search() -> None:
    answer = SimulatedSearch(knee(50), USERS, 0, "ttft_p95<1s, quality>=0.9*baseline", answers_right).run()
    assert (answer.low, answer.holds, answer.high) == (12, 12, 12)
    assert [clause.text for clause in answer.limited_by] == ["quality>=0.9*baseline"]
    assert answer.baseline == 0.75
    text = capacity_text([answer])
    assert text.startswith("a holds 12 users (12 to 12) at ttft_p95<1s, quality>=0.9*baseline; at 13 users 2")
    assert text.endswith("% of the answers were right (baseline 75.0%).")


def test_a_share_of_right_answers_is_a_condition_too() -> None:
    answer = SimulatedSearch(knee(50), USERS, 0, "quality>=60%", answers_right).run()
    assert answer.holds == pytest.approx(12, abs=1)
    never = SimulatedSearch(knee(50), USERS, 0, "quality>=90%", answers_right).run()
    assert (never.holds, never.high) == (0, 0)


def test_an_uncertain_baseline_widens_the_interval_and_is_rarely_wrong() -> None:
    """At 95 %, of 8 searches more than 2 miss with a probability of 1 %."""

    def noisy(load: float, question: int) -> float:
        return 0.8 if load <= 12 else 0.6

    answers = [SimulatedSearch(knee(50), USERS, seed, "quality>=0.9*baseline", noisy).run() for seed in range(8)]
    assert sum(not answer.low <= 12 <= (answer.high or 99) for answer in answers) <= 2
    assert any(answer.low < answer.holds for answer in answers if answer.holds)


def test_the_answer_is_fitted_to_all_loads_nearby() -> None:
    """One load alone says too little about a share of 5 %: by its own requests, 8 misses and 9 holds."""
    curve = Curve(parse_slo(SLO), Grid("requests/s", 100))
    for value, misses in ((4, 0), (6, 1), (8, 9), (9, 4), (10, 9), (12, 25), (16, 80)):
        curve.add(value, [record(2.0 if number < misses else 0.5) for number in range(150)])
    answer = conclude("a", curve)
    assert answer.holds == pytest.approx(9.14, abs=0.01)
    assert answer.low <= answer.holds <= (answer.high or 99)
    assert answer.missed_at == 10
    assert answer.limited_by


def add_shares(curve: Curve, value: float, slow: float, failed: float = 0.0) -> None:
    """Add five batches of which these shares are slow or failed, spread evenly over 1,000 requests."""

    def hits(share: float, number: int) -> bool:
        return int((number + 1) * share) > int(number * share)

    requests = [
        failure() if hits(failed, each) else record(2.0 if hits(slow, each) else 0.5) for each in range(1, 1001)
    ]
    for start in range(0, 1000, 200):
        curve.add(value, requests[start : start + 200])


def test_a_clause_that_jumps_is_not_replaced_by_the_knee_of_another_one() -> None:
    curve = Curve(parse_slo("ttft_p95<1s, error<1%"), Grid("requests/s", 100))
    for value, slow, failed in (
        *((2, 0, 0), (4, 0, 0), (8, 0, 0), (10, 0.02, 0.002)),
        *((10.5, 0.40, 0.003), (12, 0.42, 0.004), (16, 0.45, 0.03)),
    ):
        add_shares(curve, value, slow, failed)
    assert curve.point(10.5).state is State.MISSED
    answer = conclude("a", curve)
    assert (answer.holds, answer.missed_at) == (10, 10.5)
    assert [clause.text for clause in answer.limited_by] == ["ttft_p95<1s"]


def test_a_rate_that_was_clearly_missed_is_not_held() -> None:
    """Its later requests were good, so that by all of them it seems to hold."""
    curve = Curve(parse_slo(SLO), Grid("requests/s", 100))
    for value, slow in ((8, 0), (10, 0.02), (10.5, 0.1), (10.5, 0.02), (10.5, 0.02), (10.5, 0.02), (12, 0.2)):
        add_shares(curve, value, slow)
    assert curve.bracket() == (10.5, 12)
    assert curve.point(10.5).state is State.MISSED
    answer = conclude("a", curve)
    assert (answer.holds, answer.missed_at) == (10, 10.5)


@pytest.mark.parametrize("requests", [40, 60, 80, 500])
def test_a_baseline_without_right_answers_gives_no_verdict(requests: int) -> None:
    """Each value is what is just allowed, so that rounding would decide."""
    curve = Curve(parse_slo("ttft_p95<1s, quality>=0.9*baseline"), USERS)
    wrong = with_score(record(0.5), None, Score(0, False, None, False, None, 1))
    curve.add(1, [wrong for _ in range(requests)])
    answer = conclude("a", curve)
    assert (answer.holds, answer.missed_at, answer.limited_by) == (None, None, ())
    assert answer.reliability is Reliability.NO_BASELINE
    assert capacity_text([answer]).startswith(
        "a: no answer at ttft_p95<1s, quality>=0.9*baseline.\nNo answer of a was right at the first load"
    )


@pytest.mark.parametrize(
    ("loads", "misses"),
    [([1, 2, 4], [0, 0, 0]), ([1, 2, 4], [9, 9, 9]), ([4], [5]), ([1, 2, 4], [9, 0, 9]), ([1, 2], [0, 0])],
    ids=["none misses", "all miss", "one load", "no order", "nothing"],
)
def test_loads_that_show_no_knee(loads: list[float], misses: list[float]) -> None:
    knee = estimate_knee(loads, misses, [10] * len(loads), 0.5)
    assert knee is None or 1 <= knee <= 4


def test_a_sharp_knee_is_between_the_loads_beside_it() -> None:
    assert 6 <= (estimate_knee([1, 4, 6, 7, 8], [0, 0, 0, 100, 100], [100] * 5, 0.05) or 0) < 7


def test_errors_limit_where_only_failed_requests_miss() -> None:
    curve = Curve(parse_slo("ttft_p95<1s, error<1%"), USERS)
    curve.add(1, [record(0.5) for _ in range(1000)])
    curve.add(2, [failure() if number % 2 else record(0.5) for number in range(100)])
    answer = conclude("a", curve)
    assert (answer.holds, answer.missed_at) == (1, 2)
    assert [clause.text for clause in answer.limited_by] == ["error<1%"]  # the answers were fast


def test_several_clauses_limit_the_worst_first() -> None:
    curve = Curve(parse_slo("ttft_p95<1s, error<1%"), USERS)
    curve.add(1, [failure() if number % 2 else record(1.5) for number in range(100)])
    assert [clause.text for clause in conclude("a", curve).limited_by] == ["error<1%", "ttft_p95<1s"]


def test_requests_that_miss_together_are_weaker_evidence() -> None:
    together, apart = (Curve(parse_slo(SLO), USERS).point(10) for _ in range(2))
    together.add([record(2.0 if number < 40 else 0.5) for number in range(200)])
    apart.add([record(2.0 if number % 5 == 0 else 0.5) for number in range(200)])
    assert apart.state is State.MISSED
    assert together.state is State.UNCLEAR


def test_the_design_effect_is_computed_once_per_batch() -> None:
    evidence, same = Evidence(0.05, 10), Evidence(0.05, 10)
    for misses in ([1.0] * 20, [0.0] * 20):
        for each in (evidence, same):
            each.add(misses)
    before = evidence.design_effect
    copied = evidence.copy()
    copied.add([0.0] * 40)
    same.add([0.0] * 40)
    assert copied.design_effect == same.design_effect != before
    evidence.batches.clear()  # nobody reads them again
    assert evidence.design_effect == before


@pytest.mark.parametrize(
    ("limit", "start", "message"),
    [
        (0, 1, "concurrency 0"),
        (300, 1, "concurrency 300"),
        (8, 9, "can't start at 9"),
        (8, 0, "can't start at 0"),
        (8, 1.5, "concurrency 1.5"),
    ],
)
def test_loads_that_cannot_be_searched(limit: float, start: float, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Grid("users", limit, start)
