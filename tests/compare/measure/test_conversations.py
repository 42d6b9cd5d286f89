"""Conversations and prefixes over a real wire: what is sent, what is recorded, and what the report says of a cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends import Catalog
from compare.__main__ import main
from compare.analyse.caveats import find_caveats
from compare.analyse.metrics.groups import request_groups
from compare.measure.plan import RunPlan, closed_loops
from compare.measure.run import execute
from compare.measure.workloads.generated.generate import generate
from compare.measure.workloads.generated.spec import make_spec
from compare.report.words.caveat_text import caveat_text
from compare.runs import run_file
from compare.runs.records import Run
from tests.compare.servers import TOKENS, Models

ANSWER = "".join(f"word{number} " for number in range(TOKENS))


async def measure(models: Models, folder: Path, plan: RunPlan, **settings: object) -> Run:
    out = folder / "run.jsonl"
    workload = generate(make_spec({"prompt_tokens": 40, **settings}, "test"), "test")
    await execute(plan, workload, Catalog.load(models.catalog(folder, *plan.targets)), out)
    return run_file.read(out)


async def test_a_conversation_repeats_the_targets_own_answers(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("steady", "thinker"), closed_loops([2]), requests=12)
    run = await measure(models, tmp_path, plan, conversation={"turns": 3, "think_seconds": 0.15})
    assert run.ended == "finished"
    for target, answer in (("steady", ANSWER), ("thinker", "".join(f"word{number} " for number in range(3, TOKENS)))):
        by_length: dict[int, list[list[dict[str, str]]]] = {}
        for body in models.requests[target]:
            by_length.setdefault(len(body["messages"]), []).append(body["messages"])
        assert {length: len(each) for length, each in by_length.items()} == {1: 4 + 3, 3: 4, 5: 4}
        for messages in by_length[5]:
            assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant", "user"]
            assert messages[1]["content"] == messages[3]["content"] == answer
            assert messages[:3] in by_length[3]
        records = run.measured(target)
        assert sorted((record.conversation, record.turn) for record in records) == [
            (talk, turn) for talk in range(4) for turn in range(3)
        ]
        moments = {(record.conversation, record.turn): record for record in records}
        for (talk, turn), record in moments.items():
            if turn:
                before = moments[talk, turn - 1]
                assert record.intended >= before.sent + before.ended + 0.149


async def test_a_conversation_ends_at_an_error(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("gets_lost",), requests=9, warmup=0)
    run = await measure(models, tmp_path, plan, conversation={"turns": 3})
    assert [(record.turn, record.ok) for record in run.measured("gets_lost")] == [(0, True), (1, False)] * 3
    (text,) = [caveat_text(caveat) for caveat in find_caveats(run) if caveat.kind == "conversations ended"]
    assert "3 conversations ended at a turn without an answer, so 6 of 9 requests were sent. First error:" in text


async def test_a_shared_prefix_shows_the_cache(models: Models, tmp_path: Path) -> None:
    plan = RunPlan(("caches",), requests=12, warmup=1)
    run = await measure(models, tmp_path, plan, prefix={"tokens": 2000, "share": 0.5})
    groups = {group.kind: group for group in request_groups(run, "caches", "concurrency 1")}
    assert {kind: group.requests for kind, group in groups.items()} == {"shared prefix": 6, "own prefix": 6} | (
        {} if "first use" not in groups else {"first use": 1, "shared prefix": 5}
    )
    assert groups["shared prefix"].cached_share == pytest.approx(0.97, abs=0.03)
    assert groups["own prefix"].cached_share == pytest.approx(0, abs=0.03)
    assert groups["own prefix"].ttft_ms.p50 > 2 * groups["shared prefix"].ttft_ms.p50
    assert groups["own prefix"].input_tokens == pytest.approx(groups["shared prefix"].input_tokens, rel=0.1)
    assert not [caveat for caveat in find_caveats(run) if caveat.kind == "cached"]
    again = await measure(models, tmp_path, plan, prefix={"tokens": 2000})
    first = min(again.records, key=lambda record: record.sent)
    assert first.usage is not None
    assert first.usage.cached_tokens < 1000  # no prefix is that of an earlier run


def test_the_options_generate_a_workload(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog, out, report = models.catalog(tmp_path, "caches"), tmp_path / "run.jsonl", tmp_path / "report.json"
    command = ["run", "--targets", "caches", "--catalog", str(catalog), "--out", str(out), "--progress", "none"]
    shape = ["--prompt-tokens", "60", "--prefix-tokens", "300", "--turns", "2", "--think-seconds", "0.01"]
    assert main([*command, *shape, "--requests", "6"]) == 0
    assert main(["report", str(out), "--json", str(report), "--html", str(tmp_path / "report.html")]) == 0
    printed = capsys.readouterr().out
    assert "a shared prefix" in printed
    assert "turn 2" in printed
    by_load = json.loads(report.read_text())["targets"]["caches"]["by_load"]["concurrency 1"]
    turns = {group["turn"]: group for group in by_load["groups"] if group["kind"] == "turn"}
    assert turns[2]["cached_share"] > turns[1]["cached_share"] > 0.5
    header = run_file.read(out).header
    assert header["workload"]["settings"]["conversation"] == {"turns": 2, "message_tokens": 32, "think_seconds": 0.01}
    assert "Prefixes and turns" in (tmp_path / "report.html").read_text()
    for more, message in ((["--workload", "chat"], "either a workload or"), (["--rate", "2"], "no rate")):
        assert main([*command, *shape, *more]) == 1
        assert message in capsys.readouterr().err
    search = ["capacity", "--target", "caches", "--slo", "error<5%", "--catalog", str(catalog), "--out", str(out)]
    assert main([*search, "--turns", "2"]) == 1
    assert "single requests" in capsys.readouterr().err
