"""Verdicts on throughput and cost: rates over all answers, whose intervals hold together with those of the times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np
import pytest

from backends import Usage
from backends.token_prices import PerToken
from compare.analyse.costs.prices import Hourly, Price
from compare.analyse.verdicts import verdict
from compare.analyse.verdicts.samples import Costing, cost_sample, throughput_sample
from compare.analyse.verdicts.verdict import Finding, Verdict
from compare.report.charts.charts import draw_charts
from compare.report.files.export import report_json
from compare.report.report import Report
from compare.report.tables import cost_rows
from compare.report.words.verdict_text import verdict_text
from compare.runs.records import Run
from tests.compare.make_runs import failure, simulate

CHEAP, DEAR = Hourly("cheap", 1.0, ""), Hourly("dear", 4.0, "")
TOKENS = PerToken("tokens", 1.0, 10.0, "")


def rates(run: Run, prices: Mapping[str, Price] | None = None, utilisation: float = 1.0) -> dict[str, Verdict]:
    """Return the verdicts on throughput and cost."""
    costing = Costing.of(prices or {}, utilisation)
    return {each.metric: each for each in verdict.verdicts(run, costing=costing) if each.quantile is None}


def test_throughput_has_an_interval() -> None:
    run = simulate({"a": 1.0, "b": 2.0}, rounds=50, noise=0.1)
    each = rates(run)["throughput"]
    assert (each.decision, each.faster) == (Finding.FASTER, "a")
    assert each.low is not None and each.high is not None and each.ratio is not None
    assert 1.8 < each.low < each.ratio < each.high < 2.2
    metrics = Report(run).overall
    exact = (metrics["a"].requests_per_s or 0) / (metrics["b"].requests_per_s or 1)
    assert each.ratio == pytest.approx(exact)  # the figures of the table
    assert verdict_text(each).startswith("a answers 2.0 times as many requests per second as b (1.")


def test_the_cost_of_machines_follows_their_throughput() -> None:
    run = simulate({"a": 1.0, "b": 2.0}, rounds=50, noise=0.1)
    found = rates(run, {"a": DEAR, "b": CHEAP})
    throughput, cost = found["throughput"], found["cost"]
    assert (cost.decision, cost.faster) == (Finding.FASTER, "b")  # half as fast at a quarter of the price
    assert throughput.ratio and throughput.low and cost.ratio and cost.high
    assert cost.ratio == pytest.approx(4 / throughput.ratio)
    assert cost.high == pytest.approx(4 / throughput.low)
    assert verdict_text(cost).startswith("a request costs 2.0 times as much on a as on b (1.")
    report = Report(run, prices={"a": DEAR, "b": CHEAP})
    usd = {target: each.per_1000_requests or 0 for (target, _), each in report.costs.items()}
    assert cost.ratio == pytest.approx(usd["a"] / usd["b"])
    assert "differences" in draw_charts(report)


def test_each_rate_and_cost_has_an_interval_of_its_own() -> None:
    report = Report(simulate({"a": 1.0, "b": 2.0}, rounds=50, noise=0.3), prices={"a": CHEAP})
    key = "a", report.main_load
    found, cost, rate = report.rate_intervals[key], report.cost_intervals[key], report.cells[key].requests_per_s or 0
    assert found.low < rate < found.high
    assert found.high / found.low == pytest.approx(cost.high / cost.low)
    assert cost.low < (report.costs[key].per_1000_requests or 0) < cost.high
    assert set(report.rate_intervals) - set(report.cost_intervals) == {("b", report.main_load)}  # no price
    assert re.search(r"\d \(.+ to .+\)", cost_rows(report)[0][3])
    assert report_json(report)["targets"]["a"]["by_load"][key[1]]["intervals"]["requests_per_s"] == asdict(found)
    few = Report(simulate({"a": 1.0}, rounds=4, size=4), prices={"a": CHEAP})
    assert not few.rate_intervals and not few.cost_intervals


def test_the_interval_of_a_rate_has_it() -> None:
    """At 95 %, of 60 runs more than 8 miss with a probability of 1 %."""
    reports = [Report(simulate({"a": 1.0}, rounds=20, noise=0.3, seed=seed)) for seed in range(60)]
    exact = 1 / (np.exp(0.3**2 / 2) * 0.17)  # the mean of the simulated answers
    intervals = [report.rate_intervals["a", report.main_load] for report in reports]
    assert sum(not each.low <= exact <= each.high for each in intervals) <= 8


def test_tokens_and_machines_are_compared_at_the_utilisation() -> None:
    run = simulate({"a": 1.0, "b": 1.0}, rounds=40, noise=0.1)
    random = np.random.default_rng(1)
    tokens = iter(random.integers(50, 150, len(run.records)).tolist())
    run.records = [replace(each, usage=Usage(100, next(tokens))) for each in run.records]
    full, half = (rates(run, {"a": CHEAP, "b": TOKENS}, share)["cost"] for share in (1.0, 0.5))
    assert full.ratio and half.ratio and full.low and full.high
    assert full.faster == half.faster == "a"
    assert full.ratio == pytest.approx(2 * half.ratio)
    assert full.low < full.ratio < full.high
    run.records[2] = replace(run.records[2], usage=None)  # no price without its tokens
    assert rates(replace(run), {"a": CHEAP, "b": TOKENS})["cost"].decision is Finding.TOO_FEW_MEASUREMENTS


def test_what_has_no_rate() -> None:
    run = simulate({"a": 1.0, "b": 2.0}, rounds=20)
    assert set(rates(run, {"a": CHEAP})) == {"throughput"}
    open_loop = simulate({"a": 1.0, "b": 2.0}, rounds=20, size=3)
    open_loop.records = [
        replace(each, concurrency=None, intended=number * 0.5, sent=number * 0.5)
        for number, each in enumerate(open_loop.records)
    ]
    assert throughput_sample(open_loop, "a", open_loop.loads[0], "") is None
    assert cost_sample(open_loop, "a", open_loop.loads[0], "", CHEAP, 1.0)
    failed = simulate({"a": 1.0}, rounds=20)
    failed.records = [failure(block=number) for number in range(20)]
    assert throughput_sample(failed, "a", failed.loads[0], "") is None
    free = Report(run, prices={"a": Hourly("free", 0.0, ""), "b": CHEAP})
    assert {each.metric for each in free.verdicts if each.quantile is None} == {"throughput"}
    assert len(free.costs) == 2


def test_failed_requests_cost_time() -> None:
    """A target that fails every second request is half as cheap as its times say."""
    run = simulate({"a": 1.0, "b": 1.0}, rounds=40)
    run.records = [
        replace(each, error=failure().error, arrivals=()) if each.target == "b" and number % 2 else each
        for number, each in enumerate(run.records)
    ]
    cost = rates(run, {"a": CHEAP, "b": CHEAP})["cost"]
    assert (cost.faster, cost.ratio) == ("a", pytest.approx(2, rel=0.01))


@pytest.mark.parametrize("metric", ["throughput", "cost"])
def test_targets_that_are_alike_are_rarely_called_different(metric: str) -> None:
    prices = {"a": CHEAP, "b": CHEAP}
    claims = sum(
        rates(simulate({"a": 1.0, "b": 1.0}, rounds=10, noise=0.3, seed=seed), prices)[metric].decision
        is Finding.FASTER
        for seed in range(40)
    )
    assert claims <= 3
