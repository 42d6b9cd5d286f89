"""Measurements over a real wire: which requests are sent, when, and what is recorded."""

from __future__ import annotations

import asyncio
import gc
import json
from itertools import pairwise
from pathlib import Path

import pytest

from backends import Catalog, NotConfigured
from backends.stopwatch import now
from compare.analyse.caveats import find_caveats
from compare.analyse.metrics.client_load import client_load
from compare.analyse.metrics.metrics import cold_start, compute_metrics
from compare.measure.block_monitor import BlockMonitor
from compare.measure.load import Load
from compare.measure.measurement import Progress
from compare.measure.plan import RunPlan, closed_loops
from compare.measure.run import execute
from compare.measure.workloads.workload import built_in
from compare.report.words.caveat_text import caveat_text
from compare.runs import run_file
from compare.runs.records import GIVE_UP_AFTER, Run
from tests.compare.servers import TOKENS, Models
from tests.helpers.servers import wait_until


async def measure(models: Models, folder: Path, plan: RunPlan, **extra: str) -> Run:
    out = folder / "run.jsonl"
    catalog = Catalog.load(models.catalog(folder, *plan.targets, **extra))
    await execute(plan, built_in("short"), catalog, out)
    return run_file.read(out)


async def test_each_target_and_load_is_measured_as_often_as_planned(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("steady", "slow"), closed_loops([1, 3]), requests=6, warmup=2)
    run = await measure(models, tmp_path, plan)
    assert run.ended == "finished"
    for target in plan.targets:
        phases = [record.phase for record in run.records if record.target == target]
        assert (phases.count("cold"), phases.count("warmup"), phases.count("measured")) == (1, 2, 12)
        for load in plan.loads:
            assert sorted(record.prompt for record in run.measured(target, load.name)) == list(range(6))
    assert models.max_in_flight == {"steady": 3, "slow": 3}
    assert compute_metrics(run, "slow").ttft_ms.p50 > compute_metrics(run, "steady").ttft_ms.p50


async def test_targets_never_run_at_the_same_time(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("steady", "slow"), closed_loops([2]), requests=8))
    spans = sorted((block.started, block.started + block.seconds, block.target) for block in run.blocks)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
    assert {block.target for block in run.blocks} == {"steady", "slow"}


async def test_no_two_requests_are_equal(models: Models, tmp_path: Path) -> None:
    await measure(models, tmp_path, RunPlan(("steady",), closed_loops([2]), requests=40))
    first = [body["messages"][0]["content"] for body in models.requests["steady"]]
    await measure(models, tmp_path, RunPlan(("steady",), closed_loops([2]), requests=40))
    everything = [body["messages"][0]["content"] for body in models.requests["steady"]]
    assert len(set(first)) == len(first)
    assert len(set(everything)) == len(everything)  # the same seed must not hit a warm cache
    assert len({text[:10] for text in everything}) == len(everything)


async def test_raw_arrivals_marks_and_usage_are_recorded(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("thinker",), requests=4))
    record = run.measured("thinker")[1]
    assert [arrival.kind for arrival in record.arrivals] == ["thought"] * 3 + ["answer"] * (TOKENS - 3)
    assert record.usage is not None
    assert record.usage.output_tokens == TOKENS
    assert record.finish_reason == "stop"
    assert [mark.what for mark in record.marks][-3:] == ["empty", "usage", "done"]
    metrics = compute_metrics(run, "thinker")
    assert metrics.ttft_thought_ms.p50 < metrics.ttft_answer_ms.p50


async def test_a_connection_is_opened_before_it_is_needed(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("steady", "slow"), closed_loops([2]), requests=8))
    assert [client_load(run, target).new_connections for target in run.targets] == [0, 0]
    assert client_load(run, "steady").known_connections == 8


async def test_the_cold_start_includes_the_connection(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("steady",), requests=2))
    first = next(record for record in run.records if record.phase == "cold")
    start = cold_start(run, "steady")
    assert start is not None
    assert first.new_connection
    assert start[0] == first.sent - first.intended + first.arrivals[0].seconds


async def test_an_open_loop_counts_the_wait_of_a_slow_server(tmp_path: Path, models: Models) -> None:
    plan = RunPlan(("slow",), (Load("constant", 200),), requests=30)
    run = await measure(models, tmp_path, plan)
    intended = [record.intended for record in run.measured("slow")]
    first = min(intended)
    # The schedule doesn't wait for answers: requests are due every 5 ms although each takes 150 ms.
    due = sorted(intended)
    gaps = [later - earlier for earlier, later in pairwise(due) if later - earlier < 0.1]
    assert gaps
    assert all(abs(gap - 0.005) < 1e-6 for gap in gaps)
    assert models.max_in_flight["slow"] > 2
    assert all(record.sent >= record.intended for record in run.measured("slow"))
    metrics = compute_metrics(run, "slow")
    assert metrics.ttft_from_intended_ms.mean >= metrics.ttft_ms.mean
    assert first >= 0


async def test_poisson_arrivals_are_the_same_for_every_target(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("steady", "thinker"), (Load("poisson", 100),), requests=8, seed=3)
    run = await measure(models, tmp_path, plan)
    gaps = {}
    for target in plan.targets:
        due = {block.block: [] for block in run.blocks}
        for each in run.measured(target):
            due[each.block].append(each.intended)
        gaps[target] = [later - earlier for times in due.values() for earlier, later in pairwise(sorted(times))]
    assert len({round(gap, 4) for gap in gaps["steady"]}) > 1
    assert gaps["steady"] == pytest.approx(gaps["thinker"])


async def test_a_dead_target_is_given_up_and_the_others_go_on(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("steady", "dies"), closed_loops([2]), requests=30, warmup=2))
    assert run.ended == "finished"
    assert compute_metrics(run, "steady").succeeded == 30
    dead = compute_metrics(run, "dies")
    assert dead.succeeded == 3  # six answers without the cold one and the warm-up
    # An answer that was still in flight when the failures began restarts the count.
    assert GIVE_UP_AFTER <= dead.requests - dead.succeeded <= GIVE_UP_AFTER + 4
    assert set(dead.errors) == {"Unreachable"}
    texts = " ".join(map(caveat_text, find_caveats(run)))
    assert "so the run stopped sending to it after" in texts
    assert "of 30 requests" in texts


@pytest.mark.parametrize(("model", "kind"), [("refuses", "Rejected"), ("busy", "Overloaded"), ("fails", "Rejected")])
async def test_failures_report_the_first_error(models: Models, tmp_path: Path, model: str, kind: str) -> None:
    run = await measure(models, tmp_path, RunPlan((model,), requests=10))
    assert compute_metrics(run, model).succeeded == 0
    assert {record.error.kind for record in run.records if record.error} == {kind}
    assert "First error:" in " ".join(map(caveat_text, find_caveats(run)))


async def test_a_slow_request_times_out_and_frees_its_connection(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("endless",), requests=2, warmup=0, request_timeout=1.0))
    assert {record.error.kind for record in run.records if record.error} == {"TimedOut"}
    assert all(record.arrivals for record in run.records)  # partial answers are recorded
    await asyncio.to_thread(wait_until, lambda: len(models.disconnects) == len(run.records))


async def test_a_stopped_run_keeps_its_records(models: Models, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    catalog = Catalog.load(models.catalog(tmp_path, "steady", "slow"))
    steps: list[Progress] = []

    def report(progress: Progress) -> None:
        steps.append(progress)
        if progress.done == 14:
            task.cancel()

    plan = RunPlan(("steady", "slow"), requests=200)
    task = asyncio.create_task(execute(plan, built_in("short"), catalog, out, report))
    assert await task == "stopped"
    run = run_file.read(out)
    assert run.ended == "stopped"
    assert len([record for record in run.records if record.ok]) == 14
    assert steps[-1].total == plan.total
    assert steps[-1].seconds_left is not None
    assert "The run was stopped early" in caveat_text(find_caveats(run)[0])


async def test_a_run_ends_at_its_maximum_duration(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("slow",), requests=1000, warmup=0, max_seconds=5))
    assert run.ended == "out of time"
    assert 0 < len(run.measured("slow")) < 100


async def test_no_secret_is_stored(models: Models, tmp_path: Path) -> None:
    await measure(models, tmp_path, RunPlan(("steady", "refuses"), requests=2), api_key="sk-very-secret-1234")
    stored = (tmp_path / "run.jsonl").read_text()
    assert "very-secret" not in stored
    header = json.loads(stored.splitlines()[0])
    assert header["targets"]["steady"]["settings"]["api_key"] == "***"


async def test_an_unconfigured_target_is_reported_before_anything_is_sent(models: Models, tmp_path: Path) -> None:
    path = models.catalog(tmp_path, "steady")
    path.write_text(path.read_text() + '\n[gpu]\nkind = "openai"\nurl = "${NOT_SET_ANYWHERE}"\n')
    with pytest.raises(NotConfigured, match="NOT_SET_ANYWHERE"):
        await execute(RunPlan(("steady", "gpu")), built_in("short"), Catalog.load(path), tmp_path / "run.jsonl")
    assert not (tmp_path / "run.jsonl").exists()
    assert not models.requests


async def test_the_clients_lag_and_cpu_are_recorded(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("slow",), requests=12))
    load = client_load(run, "slow")
    assert load.lag_p50_ms is not None
    assert 0 < load.lag_p50_ms < 1000
    assert load.cpu_share is not None
    assert 0 < load.cpu_share < 2


async def test_the_maximum_duration_ends_a_hanging_request(models: Models, tmp_path: Path) -> None:
    began = asyncio.get_running_loop().time()
    run = await measure(models, tmp_path, RunPlan(("endless", "steady"), requests=4, warmup=0, max_seconds=1.0))
    assert run.ended == "out of time"
    assert asyncio.get_running_loop().time() - began < 20  # the request timeout is two minutes


async def test_the_maximum_duration_ends_a_slow_rate(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("steady",), (Load("constant", 0.01),), requests=4, warmup=0, max_seconds=3.0)
    run = await measure(models, tmp_path, plan)
    assert run.ended == "out of time"
    assert len(run.measured("steady")) == 1


async def test_an_existing_file_is_renamed(models: Models, tmp_path: Path) -> None:
    for content in ("my prompts", "more of them"):
        (tmp_path / "run.jsonl").write_text(content)
        await measure(models, tmp_path, RunPlan(("steady",), requests=1, warmup=0))
    assert (tmp_path / "run.1.jsonl").read_text() == "my prompts"
    assert (tmp_path / "run.2.jsonl").read_text() == "more of them"


async def test_garbage_collection_is_outside_blocks(models: Models, tmp_path: Path) -> None:
    run = await measure(models, tmp_path, RunPlan(("steady",), requests=20))
    for block in run.blocks:
        records = [record for record in run.measured("steady") if record.block == block.block]
        assert min(record.intended for record in records) - block.started >= -1e-6

    collections: list[float] = []
    monitor = BlockMonitor()

    def note(*_: object) -> None:
        collections.append(now())

    gc.callbacks.append(note)
    with monitor.watching():
        for _ in range(100_000):  # enough for several collections
            cycle: list[object] = []
            cycle.append(cycle)
        gc.callbacks.remove(note)
    assert collections
    assert max(collections) <= monitor.started
