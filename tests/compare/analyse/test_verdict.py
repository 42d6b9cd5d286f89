"""Verdicts: a real difference is detected, and a missing one is not invented."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import replace

import numpy as np
import pytest

from compare.analyse.verdicts import intervals, verdict
from compare.analyse.verdicts.resamples import MAX_VALUES, Sample, make_sample
from compare.analyse.verdicts.verdict import Verdict
from compare.report.words import formats
from compare.report.words.verdict_text import METRIC_PHRASES, verdict_text
from compare.runs import run_file
from compare.runs.records import Run
from tests.compare.make_runs import build_run, failure, record, simulate

METRICS_PER_PAIR = 3


def verdicts_by_metric(run: Run) -> dict[tuple[str, float], Verdict]:
    """Return the verdicts on the times of a run of one pair at one load, by metric and quantile."""
    result = {(each.metric, each.quantile): each for each in verdict.verdicts(run) if each.quantile is not None}
    assert len(result) == METRICS_PER_PAIR * len(verdict.QUANTILES)
    assert [each.metric for each in verdict.verdicts(run)][len(result) :] in ([], ["throughput"])
    return result


@pytest.mark.parametrize(
    ("slowness", "faster", "slower"),
    [({"a": 2.0, "b": 1.0}, "b", "a"), ({"a": 1.0, "b": 2.0}, "a", "b")],
    ids=["b is faster", "a is faster"],
)
def test_a_clear_difference_has_a_direction(slowness: dict[str, float], faster: str, slower: str) -> None:
    result = verdicts_by_metric(simulate(slowness, rounds=50, noise=0.05))
    words = {"ttft": "to the first token", "itl": "from token to token", "e2e": "to the end of the answer"}
    for (metric, quantile), each in result.items():
        assert (each.decision, each.faster, each.slower) == ("faster", faster, slower)
        assert each.low is not None
        assert each.high is not None
        assert 1.8 < each.low < 2 < each.high < 2.2
        assert each.ratio == pytest.approx(2, rel=0.05)
        at = " at p95" if quantile == 0.95 else ""
        pattern = rf"{faster} is (1\.9|2\.0|2\.1) times faster {words[metric]}{at} than {slower} \([\d.]+ to [\d.]+\)"
        assert re.fullmatch(pattern, verdict_text(each))


def test_the_sentence_of_a_difference() -> None:
    result = verdicts_by_metric(simulate({"a": 2.0, "b": 1.0}, rounds=50))
    assert verdict_text(result["ttft", 0.5]) == "b is 2.0 times faster to the first token than a (2.0 to 2.0)"
    assert verdict_text(result["itl", 0.5]) == "b is 2.0 times faster from token to token than a (2.0 to 2.0)"
    assert (
        verdict_text(result["e2e", 0.95]) == "b is 2.0 times faster to the end of the answer at p95 than a (2.0 to 2.0)"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "?"), (0.953, "0.95"), (1.0, "1.00"), (1.196, "1.20"), (1.25, "1.2"), (9.94, "9.9"), (1234.5, "1,234")],
)
def test_ratios_have_meaningful_digits(value: float | None, text: str) -> None:
    assert formats.ratio(value) == text


def test_a_target_against_itself_is_not_distinguishable() -> None:
    for (metric, quantile), each in verdicts_by_metric(
        simulate({"a": 1.0, "b": 1.0}, rounds=50, noise=0.2, seed=3)
    ).items():
        assert each.decision == "not distinguishable", (metric, quantile)
        assert each.low is not None
        assert each.high is not None
        assert each.low <= 1 <= each.high
        assert re.fullmatch(
            rf"[ab] and [ab] show no clear difference {METRIC_PHRASES[metric]}( at p95)? \(0\.\d\d to 1\.\d+\)",
            verdict_text(each),
        )


def test_few_runs_of_equal_servers_claim_a_difference() -> None:
    claims = sum(
        any(each.decision == "faster" for each in verdict.verdicts(simulate({"a": 1, "b": 1}, noise=0.2, seed=seed)))
        for seed in range(40)
    )
    assert claims <= 5  # two are expected; six or more come once in seventy times


@pytest.mark.parametrize(("rounds", "size", "decision"), [(11, 9, "too few"), (10, 10, "alike")], ids=["99", "100"])
def test_p95_needs_a_hundred_values(rounds: int, size: int, decision: str) -> None:
    result = verdicts_by_metric(simulate({"a": 1.0, "b": 1.0}, rounds=rounds, size=size))
    assert result["ttft", 0.95].decision == result["e2e", 0.95].decision == decision
    assert result["ttft", 0.5].decision == "alike"
    assert result["itl", 0.95].decision == "alike"  # an answer has several gaps


@pytest.mark.parametrize(
    ("rounds", "size", "decision"),
    [(5, 40, "too few"), (6, 40, "alike"), (11, 1, "too few"), (12, 1, "alike"), (1, 200, "too few")],
)
def test_a_verdict_needs_six_rounds_and_twelve_values(rounds: int, size: int, decision: str) -> None:
    assert (
        verdicts_by_metric(simulate({"a": 1.0, "b": 1.0}, rounds=rounds, size=size))["ttft", 0.5].decision == decision
    )


def test_too_few_measurements_have_no_ratio() -> None:
    result = verdicts_by_metric(simulate({"a": 1.0, "b": 5.0}, rounds=5))
    assert {each.decision for each in result.values()} == {"too few"}
    few = result["ttft", 0.95]
    assert verdict_text(few) == "a and b, to the first token at p95: not enough measurements"
    assert (few.ratio, few.low, few.high, few.noise) == (None, None, None, None)


def test_equal_constant_servers_are_alike() -> None:
    result = verdicts_by_metric(simulate({"a": 1.0, "b": 1.0}, rounds=50))
    assert {each.decision for each in result.values()} == {"alike"}
    assert verdict_text(result["e2e", 0.5]) == (
        "a and b are equally fast to the end of the answer: they differ by less than 1% (1.00 to 1.00)"
    )


@pytest.mark.parametrize(("slower", "decision"), [(1.005, "alike"), (1.02, "faster")])
def test_an_unnoticeable_difference_is_alike_however_certain(slower: float, decision: str) -> None:
    assert verdicts_by_metric(simulate({"a": 1.0, "b": slower}, rounds=50))["ttft", 0.5].decision == decision


def test_uncertain_equal_medians_are_not_alike() -> None:
    paces = (0.05, 0.1, 0.2)
    run = build_run(
        *[
            record(paces[(number + shift) % 3], target=target, block=number)
            for number in range(30)
            for shift, target in enumerate("ab")
        ]
    )
    each = verdicts_by_metric(run)["ttft", 0.5]
    assert (each.ratio, each.decision) == (1, "not distinguishable")
    assert each.high is not None
    assert each.high > 1.01


def test_the_same_run_gives_the_same_digits_twice() -> None:
    run = simulate({"a": 1.0, "b": 1.1}, noise=0.1)
    first = verdict.verdicts(run)
    assert verdict.verdicts(replace(run)) == first
    copy = run_file.parse([*run_file.lines(run)], "run.jsonl")
    assert verdict.verdicts(copy) == first


def test_pairs_survive_a_drift() -> None:
    run = simulate({"a": 1.0, "b": 1.1}, rounds=50, noise=0.01, drift=3.0)
    for metric in ("ttft", "itl", "e2e"):
        each = verdicts_by_metric(run)[metric, 0.5]
        assert (each.decision, each.faster, each.slower) == ("faster", "a", "b")
        assert each.ratio == pytest.approx(1.10, rel=0.02)
        assert each.low is not None
        assert each.high is not None
        assert 1.05 < each.low < each.high < 1.16  # nothing of the threefold drift is left


@pytest.mark.parametrize("last", [48, 24], ids=["stopped inside a round", "given up half way"])
def test_pairs_use_shared_rounds(last: int) -> None:
    run = simulate({"a": 1.0, "b": 1.1}, rounds=50, noise=0.01, drift=3.0)
    run.records = [each for each in run.records if each.target == "a" or each.block <= last]
    each = verdicts_by_metric(run)["ttft", 0.5]
    assert (each.decision, each.faster) == ("faster", "a")
    assert each.ratio == pytest.approx(1.10, rel=0.02)


def test_without_pairs_the_same_drift_hides_the_difference() -> None:
    one = simulate({"a": 1.0}, rounds=50, noise=0.01, drift=3.0, seed=1)
    other = simulate({"a": 1.1}, rounds=50, noise=0.01, drift=3.0, seed=2)
    each = verdict.compare_runs(one, other)[0]
    assert (each.metric, each.quantile, each.decision) == ("ttft", 0.5, "not distinguishable")


def test_failed_and_warm_up_requests_do_not_count() -> None:
    run = simulate({"a": 1.0, "b": 1.0}, rounds=50)
    before = [verdict_text(each) for each in verdict.verdicts(run)]
    for number in range(50):
        run.records.append(record(90.0, 95.0, target="b", block=number, error=failure().error))
        run.records.append(record(90.0, 95.0, target="b", phase="warmup"))
    assert [verdict_text(each) for each in verdict.verdicts(replace(run))] == before


def test_a_target_without_an_answer_has_too_few() -> None:
    run = simulate({"a": 1.0}, rounds=50)
    run.header["plan"]["targets"].append("b")
    run.records += [failure(target="b", block=number) for number in range(50)]
    assert {each.decision for each in verdict.verdicts(run)} == {"too few"}


def test_answers_of_one_text_have_no_gaps_to_compare() -> None:
    result = verdicts_by_metric(simulate({"a": 2.0, "b": 1.0}, rounds=50, tokens=1))
    assert result["itl", 0.5].decision == result["itl", 0.95].decision == "too few"
    assert result["ttft", 0.5].decision == "faster"


def test_every_pair_is_compared_at_every_load() -> None:
    run = simulate({"a": 1.0, "b": 2.0, "c": 4.0}, rounds=6)
    run.header["loads"].append("concurrency 2")
    result = verdict.verdicts(run)
    throughputs = 3  # of the load that was measured
    assert len(result) == 2 * 3 * METRICS_PER_PAIR * len(verdict.QUANTILES) + throughputs
    firsts = [(each.load, each.faster, each.slower, each.ratio) for each in result if each.metric == "ttft"][::2]
    assert firsts[:3] == [
        ("concurrency 1", "a", "b", pytest.approx(2)),
        ("concurrency 1", "a", "c", pytest.approx(4)),
        ("concurrency 1", "b", "c", pytest.approx(2)),
    ]
    assert [each[3] for each in firsts[3:]] == [None] * 3


def test_a_run_of_one_target_has_no_verdict() -> None:
    assert verdict.verdicts(simulate({"a": 1.0})) == ()
    assert verdict.verdicts(build_run()) == ()


def test_a_run_against_an_earlier_one() -> None:
    now = simulate({"a": 1.0, "new": 1.0}, rounds=50, noise=0.02, seed=1)
    then = simulate({"gone": 1.0, "a": 1.5}, rounds=50, noise=0.02, seed=2)
    result = verdict.compare_runs(now, then)
    assert len(result) == METRICS_PER_PAIR * len(verdict.QUANTILES) + 1
    for each in result:
        assert (each.decision, each.faster, each.slower) == ("faster", "a (this run)", "a (earlier)")
        assert each.ratio == pytest.approx(1.5, rel=0.03)
    assert re.fullmatch(
        r"a \(this run\) is 1\.5 times faster to the first token than a \(earlier\) \(1\.5 to 1\.5\)",
        verdict_text(result[0]),
    )
    assert verdict.compare_runs(now, simulate({"gone": 1.0})) == ()


def test_only_loads_of_both_runs_are_compared() -> None:
    now, then = simulate({"a": 1.0}), simulate({"a": 1.0})
    then.header["loads"] = ["concurrency 2"]
    assert verdict.compare_runs(now, then) == ()


def test_more_noise_recommends_more_requests() -> None:
    recommended = []
    for noise in (0.03, 0.1, 0.3):
        run = simulate({"a": 1.0, "b": 1.0}, noise=noise)
        recommended.append(verdict.recommended_requests(verdict.verdicts(run), run))
    low, middle, high = recommended
    assert low is not None
    assert middle is not None
    assert high is not None
    assert low * 4 < middle < high / 4  # as the square of the noise


def test_too_few_measurements_recommend_nothing() -> None:
    run = simulate({"a": 1.0, "b": 1.0}, rounds=3)
    assert verdict.recommended_requests(verdict.verdicts(run), run) is None


def test_required_requests_grow_with_noise_fewer_rounds_and_smaller_differences() -> None:
    usual = intervals.required_requests(0.1, 100, 20)
    assert intervals.required_requests(0.2, 100, 20) == pytest.approx(4 * usual, rel=0.01)
    assert intervals.required_requests(0.1, 200, 20) == pytest.approx(2 * usual, rel=0.01)
    assert intervals.required_requests(0.1, 100, 6) > usual > intervals.required_requests(0.1, 100, 100)
    assert intervals.required_requests(0.1, 100, 20, difference=0.025) > 3 * usual
    assert intervals.required_requests(0.1, 100, 20, power=0.5) < usual


def random_sample(seed: int, rounds: Hashable = "run", middle: float = 1.0) -> Sample:
    values = middle * np.exp(0.1 * np.random.default_rng(seed).standard_normal(60))
    return make_sample(values.tolist(), [number // 3 for number in range(60)], rounds)


def test_the_ratio_is_that_of_the_sample_quantiles() -> None:
    one, other = random_sample(1, middle=3.0), random_sample(2)
    result = intervals.compare({"it": intervals.Comparison(one, other, 0.5)}, seed=0)["it"]
    assert result.ratio == pytest.approx(float(np.median(one.values) / np.median(other.values)))
    assert result.low < result.ratio < result.high


def test_more_comparisons_widen_every_interval() -> None:
    questions = {
        number: intervals.Comparison(random_sample(number), random_sample(number + 50), 0.5) for number in range(12)
    }
    alone = intervals.compare({0: questions[0]}, seed=0)[0]
    among = intervals.compare(questions, seed=0)[0]
    assert (among.ratio, among.noise) == (alone.ratio, alone.noise)
    assert among.high / among.low > 1.02 * alone.high / alone.low


def test_the_order_of_a_pair_inverts_the_ratio() -> None:
    one, other = random_sample(1, middle=1.3), random_sample(2)
    there = intervals.compare({"it": intervals.Comparison(one, other, 0.5)}, seed=0)["it"]
    back = intervals.compare({"it": intervals.Comparison(other, one, 0.5)}, seed=0)["it"]
    assert (1 / back.ratio, 1 / back.high, 1 / back.low) == pytest.approx((there.ratio, there.low, there.high))


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(1.01, 1.2, True), (0.8, 0.99, True), (0.9, 1.1, False), (1.0, 1.2, False)]
)
def test_an_interval_that_contains_one_is_not_distinguishable(low: float, high: float, expected: bool) -> None:
    assert intervals.Ratio((low + high) / 2, low, high, 0.1).distinguishable is expected


def test_very_large_samples_are_thinned_evenly() -> None:
    count = 3 * MAX_VALUES
    thinned = make_sample([*range(1, count + 1)], [number // 600 for number in range(count)], "run")
    assert len(thinned.values) == MAX_VALUES
    assert float(np.median(thinned.values)) == pytest.approx(count / 2, rel=0.001)
    assert len(np.unique(thinned.blocks)) == 100


def test_no_comparison_has_no_result() -> None:
    assert intervals.compare({}, seed=0) == {}


def test_bimodal_times_are_no_difference() -> None:
    """With cache hits and misses at even odds, the median jumps between both without meaning."""
    claims = 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        run = build_run(
            *[
                record(0.1 if draw.random() < 0.5 else 0.3, target=target, block=number // 2)
                for target in ("a", "b")
                for number in range(40)
            ],
            seed=seed,
        )
        claims += any(each.decision == "faster" for each in verdict.verdicts(run))
    assert claims <= 3


def test_coalesced_texts_compare_the_time_per_token() -> None:
    """Two texts at once every 40 ms and one text every 20 ms are the same speed."""
    run = []
    for number in range(20):
        single = [0.1 + 0.02 * place for place in range(8)]
        double = [0.1 + 0.04 * (place // 2) + 1e-6 * (place % 2) for place in range(8)]
        run += [
            record(*single, target="a", block=number, tokens=8),
            record(*double, target="b", block=number, tokens=8, ended=single[-1]),
        ]
    result = verdicts_by_metric(build_run(*run))
    assert ("itl", 0.5) not in result
    assert result["tpot", 0.5].decision == "alike"
    assert "per output token" in verdict_text(result["tpot", 0.5])


def test_verdicts_follow_the_definition() -> None:
    """One tool counts a role-only event as the first token, another ignores it."""
    run = build_run(
        *[
            record(0.2, 0.3, target=target, block=number, marks={"empty": 0.1} if target == "b" else None)
            for number in range(20)
            for target in ("a", "b")
        ]
    )
    first = {name: verdict.verdicts(run, name)[0] for name in ("spaceport", "vllm")}
    assert first["spaceport"].decision == "alike"
    assert (first["vllm"].decision, first["vllm"].faster) == ("faster", "b")


def test_open_loops_count_from_when_requests_were_due() -> None:
    run = build_run(
        *[
            record(0.1, target=target, block=number, delay=0.1 if target == "b" else 0.0, concurrency=None)
            for number in range(20)
            for target in ("a", "b")
        ]
    )
    first = verdict.verdicts(run)[0]
    assert (first.decision, first.faster) == ("faster", "a")
    assert first.ratio == pytest.approx(2.0)
