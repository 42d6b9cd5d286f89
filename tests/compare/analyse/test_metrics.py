"""Arrivals made by hand give the numbers that were worked out by hand."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from compare.analyse.metrics import (
    ClientLoad,
    Distribution,
    client_load,
    coalesced,
    cold_start,
    compute_metrics,
    distribution,
)
from compare.analyse.objectives import OBJECTIVES, Objective
from compare.records import Run
from tests.compare.make_runs import block, failed, record, run

NOTHING = Distribution(0)


def two_answers() -> Run:
    """One thinks first; they took 3 s of wall time in two blocks."""
    return run(
        record(0.4, 0.5, 0.9, thoughts=[0.1, 0.2], tokens=5, cached=2, ended=1.0),
        record(0.3, 0.6, tokens=3, cached=0, ended=0.8, block=1),
        block(1.0),
        block(2.0, number=1),
    )


def seen(found: Distribution) -> dict[str, float]:
    return {name: value for name, value in asdict(found).items() if value is not None}


@pytest.mark.parametrize(
    ("name", "n", "mean", "median"),
    [
        ("ttft_ms", 2, 200, 200),
        ("ttft_answer_ms", 2, 350, 350),
        ("ttft_thought_ms", 1, 100, 100),
        ("itl_ms", 5, 220, 200),  # 100, 200, 100, 400 of the first and 300 of the second, in one pool
        ("tpot_ms", 2, (225 + 250) / 2, 237.5),
        ("e2e_ms", 2, 900, 900),
        ("ttft_from_intended_ms", 2, 200, 200),
        ("e2e_from_intended_ms", 2, 900, 900),
    ],
)
def test_times(name: str, n: int, mean: float, median: float) -> None:
    found = seen(getattr(compute_metrics(two_answers(), "a"), name))
    assert found == pytest.approx({"n": n, "mean": mean, "p50": median})


def test_rates_are_over_the_wall_time_of_the_blocks() -> None:
    found = compute_metrics(two_answers(), "a")
    assert (found.requests, found.succeeded, found.errors) == (2, 2, {})
    assert (found.input_tokens, found.output_tokens, found.cached_tokens) == (20, 8, 2)
    assert found.wall_s == 3.0
    assert found.output_tokens_per_s == pytest.approx(8 / 3)
    assert found.requests_per_s == pytest.approx(2 / 3)


def test_without_blocks_the_wall_time_is_that_of_the_requests() -> None:
    found = compute_metrics(run(record(0.5, sent=10.0), record(0.5, sent=11.0, ended=1.5)), "a")
    assert found.wall_s == pytest.approx(2.5)
    assert found.requests_per_s == pytest.approx(2 / 2.5)


def test_tokens_that_one_answer_did_not_report_are_not_guessed() -> None:
    found = compute_metrics(run(record(0.1, 0.2, tokens=4), record(0.1, 0.2), block(1.0)), "a")
    assert found.tpot_ms.n == 1
    assert (found.output_tokens, found.input_tokens, found.output_tokens_per_s) == (None, None, None)
    assert found.requests_per_s == 2.0


def test_nothing_measured() -> None:
    found = compute_metrics(run(), "a")
    assert (found.requests, found.succeeded, found.errors, found.wall_s) == (0, 0, {}, 0.0)
    assert found.ttft_ms == found.itl_ms == found.tpot_ms == found.e2e_ms == NOTHING
    assert (found.output_tokens, found.requests_per_s, found.goodput_per_s, found.goodput_share) == (None,) * 4


@pytest.mark.parametrize(
    ("count", "p90", "p95", "p99"),
    [
        (1, None, None, None),
        (9, None, None, None),
        (10, 9.1, None, None),
        (19, 17.2, None, None),
        (20, 18.1, 19.05, None),
        (99, 89.2, 94.1, None),
        (100, 90.1, 95.05, 99.01),
    ],
)
def test_percentiles_need_a_sample_and_are_interpolated(
    count: int, p90: float | None, p95: float | None, p99: float | None
) -> None:
    found = distribution(number / 1000 for number in range(count, 0, -1))
    middle = (count + 1) / 2
    expected = Distribution(count, middle, middle, p90, p95, p99)
    assert seen(found) == pytest.approx(seen(expected))


def test_a_spread_of_nothing() -> None:
    assert distribution([]) == NOTHING


def test_whoever_asks_waits_from_the_intended_start() -> None:
    # Due every 100 ms at a server that takes them one by one, 300 ms each: it falls behind by 200 ms a request.
    made = run(*[record(0.2, 0.3, sent=number * 0.3, waited=number * 0.2) for number in range(11)])
    found = compute_metrics(made, "a")
    assert seen(found.ttft_ms) == pytest.approx({"n": 11, "mean": 200, "p50": 200, "p90": 200})
    assert seen(found.ttft_from_intended_ms) == pytest.approx({"n": 11, "mean": 1200, "p50": 1200, "p90": 2000})
    assert seen(found.e2e_ms) == pytest.approx({"n": 11, "mean": 300, "p50": 300, "p90": 300})
    assert seen(found.e2e_from_intended_ms) == pytest.approx({"n": 11, "mean": 1300, "p50": 1300, "p90": 2100})


def test_a_request_is_never_early() -> None:
    assert compute_metrics(run(record(0.2, sent=1.0, waited=-0.001)), "a").ttft_from_intended_ms.p50 == pytest.approx(200)


SERVED = run(
    record(0.125, 0.25, tokens=2, ended=0.25),  # numbers that a computer holds exactly, for limits just met
    record(0.6, 0.7, tokens=2, ended=0.7),  # late first token
    record(0.1, 0.5, tokens=2, ended=0.5),  # slow tokens
    record(0.1, 0.2, ended=0.9),  # slow end, tokens not reported
    failed("Overloaded"),
    block(2.0),
)


@pytest.mark.parametrize(
    ("objective", "met"),
    [
        (Objective("none"), 4),
        (Objective("first", ttft_ms=500), 3),
        (Objective("tokens", tpot_ms=300), 2),
        (Objective("end", e2e_ms=600), 2),
        (Objective("first and tokens", ttft_ms=500, tpot_ms=300), 1),
        (Objective("all", ttft_ms=500, tpot_ms=300, e2e_ms=600), 1),
        (Objective("just met", ttft_ms=125, tpot_ms=125, e2e_ms=250), 1),
        (Objective("just missed", ttft_ms=125, tpot_ms=125, e2e_ms=249.999), 0),
        (Objective("impossible", ttft_ms=1), 0),
    ],
    ids=lambda value: value.name if isinstance(value, Objective) else "",
)
def test_goodput_needs_all_objectives_and_counts_errors_as_misses(objective: Objective, met: int) -> None:
    found = compute_metrics(SERVED, "a", objective=objective)
    assert found.goodput_share == pytest.approx(met / 5)
    assert found.goodput_per_s == pytest.approx(met / 2)


@pytest.mark.parametrize(
    ("name", "ttft", "tpot"),
    [
        ("mlperf llama2-70b", 2000, 200),
        ("mlperf llama2-70b interactive", 450, 40),
        ("mlperf llama3.1-8b", 2000, 100),
        ("mlperf llama3.1-8b interactive", 500, 30),
    ],
)
def test_the_limits_of_mlperf(name: str, ttft: float, tpot: float) -> None:
    objective = OBJECTIVES[name]
    assert (objective.ttft_ms, objective.tpot_ms, objective.e2e_ms) == (ttft, tpot, None)
    assert objective.description == f"first token within {ttft} ms, each further token within {tpot} ms"


def test_errors_are_counted_by_kind() -> None:
    made = run(record(0.1), failed("TimedOut"), failed("Rejected"), failed("TimedOut"), record(), block(1.0))
    found = compute_metrics(made, "a")
    assert found.errors == {"TimedOut": 2, "Rejected": 1, "Empty": 1}
    assert (found.requests, found.succeeded) == (5, 1)
    assert found.requests_per_s == 1.0


def test_what_a_broken_answer_said_does_not_count() -> None:
    cut = record(0.01, tokens=1, error=failed().error)
    found = compute_metrics(run(cut, record(0.5, tokens=3), block(1.0)), "a")
    assert seen(found.ttft_ms) == pytest.approx({"n": 1, "mean": 500, "p50": 500})
    assert found.output_tokens == 3


def test_cold_and_warm_up_requests_do_not_count() -> None:
    made = run(
        record(5.0, 6.0, phase="cold", sent=1.0, waited=0.5, ended=7.0, tokens=9),
        record(4.0, phase="warmup", tokens=9),
        record(0.1, tokens=2),
        failed(phase="warmup"),
        block(1.0),
    )
    found = compute_metrics(made, "a")
    assert (found.requests, found.output_tokens, found.errors) == (1, 2, {})
    assert found.ttft_ms.mean == pytest.approx(100)
    assert cold_start(made, "a") == (5.5, 7.5)


@pytest.mark.parametrize(
    "made",
    [run(record(0.1)), run(failed(phase="cold")), run(record(1.0, target="b", phase="cold"))],
    ids=["none", "failed", "of another"],
)
def test_without_a_cold_answer_there_is_no_cold_start(made: Run) -> None:
    assert cold_start(made, "a") is None


def test_targets_and_loads_are_kept_apart() -> None:
    made = run(
        record(0.1),
        record(0.2, load="concurrency 2"),
        record(0.9, target="b"),
        block(1.0),
        block(3.0, load="concurrency 2"),
        block(7.0, target="b"),
        concurrencies=(1, 2),
        requests=2,
    )
    for target, load, mean, wall in (
        ("a", "concurrency 1", 100, 1.0),
        ("a", "concurrency 2", 200, 3.0),
        ("a", None, 150, 4.0),
        ("b", None, 900, 7.0),
    ):
        found = compute_metrics(made, target, load)
        assert found.ttft_ms.mean == pytest.approx(mean)
        assert found.wall_s == wall


@pytest.mark.parametrize(
    ("definition", "n", "mean"),
    [
        ("spaceport", 5, 1100 / 5),
        ("aiperf", 2, 175),  # one mean a request: 800 / 4 and 300 / 2
        ("guidellm", 2, 175),
    ],
)
def test_gaps_are_pooled_or_one_mean_a_request(definition: str, n: int, mean: float) -> None:
    found = compute_metrics(two_answers(), "a", definition=definition).itl_ms
    assert (found.n, found.mean) == (n, pytest.approx(mean))


@pytest.mark.parametrize(
    ("definition", "mean"), [("spaceport", (225 + 250) / 2), ("guidellm", (900 / 5 + 600 / 3) / 2)]
)
def test_guidellms_time_per_output_token_holds_the_first_too(definition: str, mean: float) -> None:
    assert compute_metrics(two_answers(), "a", definition=definition).tpot_ms.mean == pytest.approx(mean)


def test_how_the_client_fared() -> None:
    made = run(
        record(0.1, sent=1.0, waited=0.03, marks={"connected": -0.02, "headers": 0.05}),
        record(0.1, sent=2.0, marks={"headers": 0.05}),
        record(0.1, sent=3.0),
        record(0.1, phase="warmup", marks={"connected": 0.01, "headers": 0.05}),
        block(2.0, cpu_seconds=0.5, lags=tuple(number / 1000 for number in range(1, 61))),
        block(3.0, cpu_seconds=0.5, number=1, lags=tuple(number / 1000 for number in range(61, 101))),
        block(9.0, cpu_seconds=9.0, target="b", lags=(1.0,)),
        targets=("a", "b"),
    )
    found = client_load(made, "a")
    assert (found.cpu_share, found.new_connections, found.known_connections) == (0.2, 1, 2)
    assert found.lag_p50_ms == pytest.approx(50.5)
    assert found.lag_p99_ms == pytest.approx(99.01)
    assert found.connect_ms == pytest.approx(10)
    assert client_load(run(), "a") == ClientLoad(None, None, None, 0, 0, None)


def due_every(seconds: float, took: float, *, blocks: int = 2, size: int = 5, server: float = 0.0) -> Run:
    """An open loop: one request each `seconds`, answered after `took`, and no two within `server` seconds."""
    made = []
    for number in range(blocks):
        free = 0.0
        for place in range(size):
            intended = place * seconds
            ended = max(intended + took, free + server)
            free = ended
            made.append(
                record(ended - intended, load="2 requests/s, constant", block=number, sent=intended, concurrency=None)
            )
        made.append(block(free, load="2 requests/s, constant", number=number))
    return run(*made)


def test_an_open_loop_that_is_kept_up_with_is_answered_at_its_rate() -> None:
    found = compute_metrics(due_every(0.5, took=3.0), "a")
    assert found.requests_per_s == pytest.approx(2.0)  # the 3 s until the last answer are no part of the load


def test_an_open_loop_that_is_not_kept_up_with_is_answered_at_the_servers_rate() -> None:
    assert compute_metrics(due_every(0.5, took=0.1, server=1.0), "a").requests_per_s == pytest.approx(1.0)


def test_goodput_of_an_open_loop_counts_from_when_a_request_was_due() -> None:
    slow = Objective("first", ttft_ms=500)
    waited = record(0.2, waited=0.4, concurrency=None)
    assert compute_metrics(run(waited), "a", objective=slow).goodput_share == 0
    assert compute_metrics(run(record(0.2, waited=0.4)), "a", objective=slow).goodput_share == 1


def test_texts_that_came_together_are_counted() -> None:
    made = run(record(0.1, 0.1 + 1e-5, 0.2, 0.2 + 1e-5), record(0.1, 0.15))
    assert coalesced(made, "a", "concurrency 1") == pytest.approx(2 / 4)
    assert coalesced(made, "b", "concurrency 1") == 0
