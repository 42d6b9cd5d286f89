"""Metrics of hand-made arrivals equal the numbers computed by hand."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from compare.analyse.metrics.client_load import ClientLoad, client_load
from compare.analyse.metrics.distribution import Distribution, distribution
from compare.analyse.metrics.metrics import cold_start, compute_metrics
from compare.analyse.metrics.objectives import OBJECTIVES, Objective
from compare.analyse.metrics.pacing import coalesced_share
from compare.report.words.strings import objective_text
from compare.runs.records import Run
from tests.compare.make_runs import block, build_run, failure, record

NOTHING = Distribution(0)


def two_answers() -> Run:
    """Return a run of two answers, one with thoughts, in two blocks of 3 s in all."""
    return build_run(
        record(0.4, 0.5, 0.9, thoughts=[0.1, 0.2], tokens=5, cached=2, ended=1.0),
        record(0.3, 0.6, tokens=3, cached=0, ended=0.8, block=1),
        block(1.0),
        block(2.0, number=1),
    )


def known_values(metrics: Distribution) -> dict[str, float]:
    return {name: value for name, value in asdict(metrics).items() if value is not None}


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
    metrics = known_values(getattr(compute_metrics(two_answers(), "a"), name))
    assert metrics == pytest.approx({"n": n, "mean": mean, "p50": median})


def test_rates_use_the_blocks_wall_time() -> None:
    metrics = compute_metrics(two_answers(), "a")
    assert (metrics.requests, metrics.succeeded, metrics.errors) == (2, 2, {})
    assert (metrics.input_tokens, metrics.output_tokens, metrics.cached_tokens) == (20, 8, 2)
    assert metrics.wall_s == 3.0
    assert metrics.output_tokens_per_s == pytest.approx(8 / 3)
    assert metrics.requests_per_s == pytest.approx(2 / 3)


def test_without_blocks_rates_use_the_requests_wall_time() -> None:
    metrics = compute_metrics(build_run(record(0.5, sent=10.0), record(0.5, sent=11.0, ended=1.5)), "a")
    assert metrics.wall_s == pytest.approx(2.5)
    assert metrics.requests_per_s == pytest.approx(2 / 2.5)


def test_unreported_tokens_are_not_guessed() -> None:
    metrics = compute_metrics(build_run(record(0.1, 0.2, tokens=4), record(0.1, 0.2), block(1.0)), "a")
    assert metrics.tpot_ms.n == 1
    assert (metrics.output_tokens, metrics.input_tokens, metrics.output_tokens_per_s) == (None, None, None)
    assert metrics.requests_per_s == 2.0


def test_nothing_measured() -> None:
    metrics = compute_metrics(build_run(), "a")
    assert (metrics.requests, metrics.succeeded, metrics.errors, metrics.wall_s) == (0, 0, {}, 0.0)
    assert metrics.ttft_ms == metrics.itl_ms == metrics.tpot_ms == metrics.e2e_ms == NOTHING
    assert (metrics.output_tokens, metrics.requests_per_s, metrics.goodput_per_s, metrics.goodput_share) == (None,) * 4


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
    metrics = distribution(number / 1000 for number in range(count, 0, -1))
    middle = (count + 1) / 2
    expected = Distribution(count, middle, middle, p90, p95, p99)
    assert known_values(metrics) == pytest.approx(known_values(expected))


def test_an_empty_distribution() -> None:
    assert distribution([]) == NOTHING


def test_a_user_waits_from_the_intended_start() -> None:
    # Requests are due every 100 ms and the server takes 300 ms for each in turn: it falls behind by 200 ms per request.
    run = build_run(*[record(0.2, 0.3, sent=number * 0.3, delay=number * 0.2) for number in range(11)])
    metrics = compute_metrics(run, "a")
    assert known_values(metrics.ttft_ms) == pytest.approx({"n": 11, "mean": 200, "p50": 200, "p90": 200})
    assert known_values(metrics.ttft_from_intended_ms) == pytest.approx(
        {"n": 11, "mean": 1200, "p50": 1200, "p90": 2000}
    )
    assert known_values(metrics.e2e_ms) == pytest.approx({"n": 11, "mean": 300, "p50": 300, "p90": 300})
    assert known_values(metrics.e2e_from_intended_ms) == pytest.approx(
        {"n": 11, "mean": 1300, "p50": 1300, "p90": 2100}
    )


def test_a_request_is_never_early() -> None:
    assert compute_metrics(
        build_run(record(0.2, sent=1.0, delay=-0.001)), "a"
    ).ttft_from_intended_ms.p50 == pytest.approx(200)


SERVED = build_run(
    record(0.125, 0.25, tokens=2, ended=0.25),  # exact in binary, for limits that are just met
    record(0.6, 0.7, tokens=2, ended=0.7),  # late first token
    record(0.1, 0.5, tokens=2, ended=0.5),  # slow tokens
    record(0.1, 0.2, ended=0.9),  # slow end, tokens not reported
    failure("Overloaded"),
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
def test_goodput_needs_all_limits_and_counts_errors_as_misses(objective: Objective, met: int) -> None:
    metrics = compute_metrics(SERVED, "a", objective=objective)
    assert metrics.goodput_share == pytest.approx(met / 5)
    assert metrics.goodput_per_s == pytest.approx(met / 2)


@pytest.mark.parametrize(
    ("name", "ttft", "tpot"),
    [
        ("mlperf llama2-70b", 2000, 200),
        ("mlperf llama2-70b interactive", 450, 40),
        ("mlperf llama3.1-8b", 2000, 100),
        ("mlperf llama3.1-8b interactive", 500, 30),
    ],
)
def test_mlperf_limits(name: str, ttft: float, tpot: float) -> None:
    objective = OBJECTIVES[name]
    assert (objective.ttft_ms, objective.tpot_ms, objective.e2e_ms) == (ttft, tpot, None)
    assert objective_text(objective) == f"first token within {ttft:,} ms, each further token within {tpot} ms"


def test_errors_are_counted_by_kind() -> None:
    run = build_run(
        record(0.1),
        failure("TimedOut"),
        failure("Rejected"),
        failure("TimedOut"),
        record(),
        block(1.0),
    )
    metrics = compute_metrics(run, "a")
    assert metrics.errors == {"TimedOut": 2, "Rejected": 1, "Empty": 1}
    assert (metrics.requests, metrics.succeeded) == (5, 1)
    assert metrics.requests_per_s == 1.0


def test_interrupted_answers_do_not_count() -> None:
    cut = record(0.01, tokens=1, error=failure().error)
    metrics = compute_metrics(build_run(cut, record(0.5, tokens=3), block(1.0)), "a")
    assert known_values(metrics.ttft_ms) == pytest.approx({"n": 1, "mean": 500, "p50": 500})
    assert metrics.output_tokens == 3


def test_cold_and_warm_up_requests_do_not_count() -> None:
    run = build_run(
        record(5.0, 6.0, phase="cold", sent=1.0, delay=0.5, ended=7.0, tokens=9),
        record(4.0, phase="warmup", tokens=9),
        record(0.1, tokens=2),
        failure(phase="warmup"),
        block(1.0),
    )
    metrics = compute_metrics(run, "a")
    assert (metrics.requests, metrics.output_tokens, metrics.errors) == (1, 2, {})
    assert metrics.ttft_ms.mean == pytest.approx(100)
    assert cold_start(run, "a") == (5.5, 7.5)


@pytest.mark.parametrize(
    "run",
    [build_run(record(0.1)), build_run(failure(phase="cold")), build_run(record(1.0, target="b", phase="cold"))],
    ids=["none", "failed", "of another"],
)
def test_without_a_cold_answer_there_is_no_cold_start(run: Run) -> None:
    assert cold_start(run, "a") is None


def test_targets_and_loads_are_separate() -> None:
    run = build_run(
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
        metrics = compute_metrics(run, target, load)
        assert metrics.ttft_ms.mean == pytest.approx(mean)
        assert metrics.wall_s == wall


@pytest.mark.parametrize(
    ("definition", "n", "mean"),
    [
        ("spaceport", 5, 1100 / 5),
        ("aiperf", 2, 175),  # one mean per request: 800 / 4 and 300 / 2
        ("guidellm", 2, 175),
    ],
)
def test_gaps_are_pooled_or_one_mean_per_request(definition: str, n: int, mean: float) -> None:
    metrics = compute_metrics(two_answers(), "a", definition=definition).itl_ms
    assert (metrics.n, metrics.mean) == (n, pytest.approx(mean))


@pytest.mark.parametrize(
    ("definition", "mean"), [("spaceport", (225 + 250) / 2), ("guidellm", (900 / 5 + 600 / 3) / 2)]
)
def test_guidellms_time_per_output_token_includes_the_first(definition: str, mean: float) -> None:
    assert compute_metrics(two_answers(), "a", definition=definition).tpot_ms.mean == pytest.approx(mean)


def test_client_load() -> None:
    run = build_run(
        record(0.1, sent=1.0, delay=0.03, marks={"connected": -0.02, "headers": 0.05}),
        record(0.1, sent=2.0, marks={"headers": 0.05}),
        record(0.1, sent=3.0),
        record(0.1, phase="warmup", marks={"connected": 0.01, "headers": 0.05}),
        block(2.0, cpu_seconds=0.5, lags=tuple(number / 1000 for number in range(1, 61))),
        block(3.0, cpu_seconds=0.5, number=1, lags=tuple(number / 1000 for number in range(61, 101))),
        block(9.0, cpu_seconds=9.0, target="b", lags=(1.0,)),
        targets=("a", "b"),
    )
    metrics = client_load(run, "a")
    assert (metrics.cpu_share, metrics.new_connections, metrics.known_connections) == (0.2, 1, 2)
    assert metrics.lag_p50_ms == pytest.approx(50.5)
    assert metrics.lag_p99_ms == pytest.approx(99.01)
    assert metrics.connect_ms == pytest.approx(10)
    assert client_load(build_run(), "a") == ClientLoad(None, None, None, 0, 0, None)


def due_every(seconds: float, took: float, *, blocks: int = 2, size: int = 5, server: float = 0.0) -> Run:
    """Return an open loop: a request every `seconds`, answered after `took`, at least `server` seconds apart."""
    run = []
    for number in range(blocks):
        free = 0.0
        for place in range(size):
            intended = place * seconds
            ended = max(intended + took, free + server)
            free = ended
            run.append(
                record(ended - intended, load="2 requests/s, constant", block=number, sent=intended, concurrency=None)
            )
        run.append(block(free, load="2 requests/s, constant", number=number))
    return build_run(*run)


def test_a_fast_server_answers_an_open_loop_at_its_rate() -> None:
    metrics = compute_metrics(due_every(0.5, took=3.0), "a")
    assert metrics.requests_per_s == pytest.approx(2.0)  # the 3 s until the last answer aren't part of the load


def test_a_slow_server_answers_an_open_loop_at_its_own_rate() -> None:
    assert compute_metrics(due_every(0.5, took=0.1, server=1.0), "a").requests_per_s == pytest.approx(1.0)


def test_goodput_of_an_open_loop_counts_from_when_a_request_was_due() -> None:
    slow = Objective("first", ttft_ms=500)
    delayed = record(0.2, delay=0.4, concurrency=None)
    assert compute_metrics(build_run(delayed), "a", objective=slow).goodput_share == 0
    assert compute_metrics(build_run(record(0.2, delay=0.4)), "a", objective=slow).goodput_share == 1


def test_coalesced_texts_are_counted() -> None:
    run = build_run(record(0.1, 0.1 + 1e-5, 0.2, 0.2 + 1e-5), record(0.1, 0.15))
    assert coalesced_share(run, "a", "concurrency 1") == pytest.approx(2 / 4)
    assert coalesced_share(run, "b", "concurrency 1") == 0
