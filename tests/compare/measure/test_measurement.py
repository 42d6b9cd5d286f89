"""Measurements over a real wire: what is sent, when, and what is kept of it."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from backends import Catalog, NotConfigured
from compare import run_file
from compare.analyse.caveats import caveats
from compare.analyse.metrics import client_load, cold_start, compute_metrics
from compare.measure.measurement import Progress
from compare.measure.plan import Load, RunPlan, closed_loops
from compare.measure.run import execute
from compare.measure.workload import built_in
from compare.records import GIVE_UP_AFTER, Run
from tests.compare.servers import TOKENS, Models


async def measured(models: Models, folder: Path, plan: RunPlan, **extra: str) -> Run:
    out = folder / "run.jsonl"
    catalog = Catalog.load(models.catalog(folder, *plan.targets, **extra))
    await execute(plan, built_in("short"), catalog, out)
    return run_file.read(out)


async def test_each_target_and_load_is_measured_as_often_as_planned(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("steady", "slow"), closed_loops([1, 3]), requests=6, warmup=2)
    run = await measured(models, tmp_path, plan)
    assert run.ended == "finished"
    for target in plan.targets:
        phases = [record.phase for record in run.records if record.target == target]
        assert (phases.count("cold"), phases.count("warmup"), phases.count("measured")) == (1, 2, 12)
        for load in plan.loads:
            assert sorted(record.prompt for record in run.measured(target, load.name)) == list(range(6))
    assert models.most == {"steady": 3, "slow": 3}
    assert compute_metrics(run, "slow").ttft_ms.p50 > compute_metrics(run, "steady").ttft_ms.p50


async def test_targets_never_run_at_the_same_time(models: Models, tmp_path: Path) -> None:
    run = await measured(models, tmp_path, RunPlan(("steady", "slow"), closed_loops([2]), requests=8))
    spans = sorted((block.started, block.started + block.seconds, block.target) for block in run.blocks)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
    assert {block.target for block in run.blocks} == {"steady", "slow"}


async def test_no_two_requests_ask_the_same(models: Models, tmp_path: Path) -> None:
    await measured(models, tmp_path, RunPlan(("steady",), closed_loops([2]), requests=40))
    first = [body["messages"][0]["content"] for body in models.asked["steady"]]
    await measured(models, tmp_path, RunPlan(("steady",), closed_loops([2]), requests=40))
    everything = [body["messages"][0]["content"] for body in models.asked["steady"]]
    assert len(set(first)) == len(first)
    assert len(set(everything)) == len(everything)  # the same seed again must not meet a warm cache
    assert len({text[:10] for text in everything}) == len(everything)


async def test_raw_arrivals_marks_and_usage_are_kept(models: Models, tmp_path: Path) -> None:
    run = await measured(models, tmp_path, RunPlan(("thinker",), requests=4))
    record = run.measured("thinker")[1]
    assert [arrival.kind for arrival in record.arrivals] == ["thought"] * 3 + ["answer"] * (TOKENS - 3)
    assert record.usage is not None
    assert record.usage.output_tokens == TOKENS
    assert record.finish_reason == "stop"
    assert [mark.what for mark in record.marks][-3:] == ["empty", "usage", "done"]
    found = compute_metrics(run, "thinker")
    assert found.ttft_thought_ms.p50 < found.ttft_answer_ms.p50


async def test_a_connection_is_opened_before_it_is_needed(models: Models, tmp_path: Path) -> None:
    run = await measured(models, tmp_path, RunPlan(("steady", "slow"), closed_loops([2]), requests=8))
    assert [client_load(run, target).new_connections for target in run.targets] == [0, 0]
    assert client_load(run, "steady").known_connections == 8


async def test_the_first_request_is_kept_apart_with_what_it_took_to_connect(models: Models, tmp_path: Path) -> None:
    run = await measured(models, tmp_path, RunPlan(("steady",), requests=2))
    first = next(record for record in run.records if record.phase == "cold")
    found = cold_start(run, "steady")
    assert found is not None
    assert first.new_connection
    assert found[0] == first.sent - first.intended + first.arrivals[0].seconds


async def test_an_open_loop_counts_the_wait_of_a_server_that_does_not_keep_up(tmp_path: Path, models: Models) -> None:
    plan = RunPlan(("slow",), (Load("constant", 200),), requests=30)
    run = await measured(models, tmp_path, plan)
    asked = [record.intended for record in run.measured("slow")]
    first = min(asked)
    # The schedule does not wait for answers: requests are due every 5 ms although each takes 150 ms.
    due = sorted(asked)
    gaps = [later - earlier for earlier, later in pairwise(due) if later - earlier < 0.1]
    assert gaps
    assert all(abs(gap - 0.005) < 1e-6 for gap in gaps)
    assert models.most["slow"] > 2
    assert all(record.sent >= record.intended for record in run.measured("slow"))
    found = compute_metrics(run, "slow")
    assert found.ttft_from_intended_ms.mean >= found.ttft_ms.mean
    assert first >= 0


async def test_poisson_arrivals_are_the_same_for_every_target(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("steady", "thinker"), (Load("poisson", 100),), requests=8, seed=3)
    run = await measured(models, tmp_path, plan)
    gaps = {}
    for target in plan.targets:
        due = {block.block: [] for block in run.blocks}
        for each in run.measured(target):
            due[each.block].append(each.intended)
        gaps[target] = [later - earlier for times in due.values() for earlier, later in pairwise(sorted(times))]
    assert len({round(gap, 4) for gap in gaps["steady"]}) > 1
    assert gaps["steady"] == pytest.approx(gaps["thinker"])


async def test_a_target_that_dies_is_given_up_and_the_others_go_on(models: Models, tmp_path: Path) -> None:
    run = await measured(models, tmp_path, RunPlan(("steady", "dies"), closed_loops([2]), requests=30, warmup=2))
    assert run.ended == "finished"
    assert compute_metrics(run, "steady").succeeded == 30
    dead = compute_metrics(run, "dies")
    assert dead.succeeded == 3  # six answers, less the cold one and the warm-up
    # An answer that was still under way when the failures began starts the count anew.
    assert GIVE_UP_AFTER <= dead.requests - dead.succeeded <= GIVE_UP_AFTER + 4
    assert set(dead.errors) == {"Unreachable"}
    told = " ".join(caveats(run))
    assert "dies: given up after" in told
    assert "of 30 requests" in told


@pytest.mark.parametrize(("model", "kind"), [("refuses", "Rejected"), ("busy", "Overloaded")])
async def test_every_request_failing_is_told_with_the_remedy(
    models: Models, tmp_path: Path, model: str, kind: str
) -> None:
    run = await measured(models, tmp_path, RunPlan((model,), requests=10))
    assert compute_metrics(run, model).succeeded == 0
    assert {record.error.kind for record in run.records if record.error} == {kind}
    assert "The first error:" in " ".join(caveats(run))


async def test_a_request_that_takes_too_long_is_an_error_and_frees_its_connection(
    models: Models, tmp_path: Path
) -> None:
    run = await measured(models, tmp_path, RunPlan(("endless",), requests=2, warmup=0, request_timeout=0.3))
    assert {record.error.kind for record in run.records if record.error} == {"TimedOut"}
    assert all(record.arrivals for record in run.records)  # what came is kept
    for _ in range(100):
        if len(models.left) == len(run.records):
            break
        await asyncio.sleep(0.02)
    assert len(models.left) == len(run.records)


async def test_a_run_that_is_stopped_keeps_what_was_measured(models: Models, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    catalog = Catalog.load(models.catalog(tmp_path, "steady", "slow"))
    seen: list[Progress] = []

    def report(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 14:
            task.cancel()

    plan = RunPlan(("steady", "slow"), requests=200)
    task = asyncio.create_task(execute(plan, built_in("short"), catalog, out, report))
    assert await task == "stopped"
    run = run_file.read(out)
    assert run.ended == "stopped"
    assert len([record for record in run.records if record.ok]) == 14
    assert seen[-1].total == plan.total
    assert seen[-1].left is not None
    assert "The run was stopped before its end" in caveats(run)[0]


async def test_a_run_ends_at_its_longest_duration(models: Models, tmp_path: Path) -> None:
    run = await measured(models, tmp_path, RunPlan(("slow",), requests=1000, warmup=0, max_seconds=5))
    assert run.ended == "out of time"
    assert 0 < len(run.measured("slow")) < 100


async def test_no_secret_is_stored(models: Models, tmp_path: Path) -> None:
    await measured(models, tmp_path, RunPlan(("steady", "refuses"), requests=2), api_key="sk-very-secret-1234")
    stored = (tmp_path / "run.jsonl").read_text()
    assert "very-secret" not in stored
    header = json.loads(stored.splitlines()[0])
    assert header["targets"]["steady"]["settings"]["api_key"] == "***"


async def test_a_target_that_is_not_set_up_is_told_before_anything_is_sent(models: Models, tmp_path: Path) -> None:
    path = models.catalog(tmp_path, "steady")
    path.write_text(path.read_text() + '\n[gpu]\nkind = "openai"\nurl = "${NOT_SET_ANYWHERE}"\n')
    with pytest.raises(NotConfigured, match="NOT_SET_ANYWHERE"):
        await execute(RunPlan(("steady", "gpu")), built_in("short"), Catalog.load(path), tmp_path / "run.jsonl")
    assert not (tmp_path / "run.jsonl").exists()
    assert not models.asked


async def test_the_clients_lag_and_cpu_are_recorded(models: Models, tmp_path: Path) -> None:
    run = await measured(models, tmp_path, RunPlan(("slow",), requests=12))
    fared = client_load(run, "slow")
    assert fared.lag_p50_ms is not None
    assert 0 < fared.lag_p50_ms < 1000
    assert fared.cpu_share is not None
    assert 0 < fared.cpu_share < 2


async def test_the_longest_duration_ends_what_hangs(models: Models, tmp_path: Path) -> None:
    began = asyncio.get_running_loop().time()
    run = await measured(models, tmp_path, RunPlan(("endless", "steady"), requests=4, warmup=0, max_seconds=1.0))
    assert run.ended == "out of time"
    assert asyncio.get_running_loop().time() - began < 20  # the request's own time-out is two minutes


async def test_the_longest_duration_ends_a_rate_that_sleeps(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("steady",), (Load("constant", 0.01),), requests=4, warmup=0, max_seconds=3.0)
    run = await measured(models, tmp_path, plan)
    assert run.ended == "out of time"
    assert len(run.measured("steady")) == 1


async def test_a_file_of_that_name_is_kept(models: Models, tmp_path: Path) -> None:
    for content in ("my prompts", "more of them"):
        (tmp_path / "run.jsonl").write_text(content)
        await measured(models, tmp_path, RunPlan(("steady",), requests=1, warmup=0))
    assert (tmp_path / "run.1.jsonl").read_text() == "my prompts"
    assert (tmp_path / "run.2.jsonl").read_text() == "more of them"


async def test_the_clients_own_cleaning_is_no_part_of_a_block(models: Models, tmp_path: Path) -> None:
    run = await measured(models, tmp_path, RunPlan(("steady",), requests=20))
    waits = []
    for block in run.blocks:
        mine = [record for record in run.measured("steady") if record.block == block.block]
        waits.append(min(record.intended for record in mine) - block.started)
        assert waits[-1] >= -1e-6
    began = time.perf_counter()
    gc.collect()
    # It takes tens of milliseconds with these libraries loaded, a task's start far less than one.
    assert median(waits) < (time.perf_counter() - began) / 2
