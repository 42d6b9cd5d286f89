"""Canary decisions: promote, roll back or keep measuring, and exit statuses that can't be confused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compare.__main__ import main
from compare.analyse.canary.canary import CanaryDecision, Decision, Release, decide
from compare.analyse.costs.prices import Prices
from compare.analyse.metrics.failure_rates import wilson_interval
from compare.analyse.metrics.objectives import OBJECTIVES
from compare.errors import CompareError, PriceError
from compare.runs import run_file
from compare.runs.records import Failure, Record, Run
from tests.compare.make_runs import simulate
from tests.compare.servers import Models

PROMOTE, ROLL_BACK, KEEP_MEASURING = 0, 1, 2
FAILED = Failure("Rejected", "It failed.")


def decide_run(run: Run, **options: Any) -> CanaryDecision:
    return decide(Release(run, "stable"), Release(run, "canary"), **options)


def states(result: CanaryDecision) -> dict[str, str]:
    return {check.name: check.state for check in result.checks}


def rollout(slower: float = 1.0, *, noise: float = 0.05, rounds: int = 30, **options: Any) -> Run:
    return simulate({"stable": 1.0, "canary": slower}, noise=noise, rounds=rounds, **options)


def breaking(run: Run, when: Callable[[Record], bool]) -> Run:
    """The run with some of its requests failed."""
    run.records[:] = [replace(each, arrivals=(), error=FAILED) if when(each) else each for each in run.records]
    return run


def test_an_equal_canary_is_promoted() -> None:
    result = decide_run(rollout())
    assert result.decision is Decision.PROMOTE
    assert set(states(result)) == {"failures", "ttft", "ttft p95", "pace", "cost"}


def test_a_slower_canary_is_rolled_back() -> None:
    result = decide_run(rollout(1.2))
    assert result.decision is Decision.ROLL_BACK
    first = next(check for check in result.checks if check.name == "ttft")
    assert first.state == "worse" and first.low and first.low > 1
    assert first.ratio == pytest.approx(1.2, rel=0.05)


def test_a_faster_canary_is_promoted() -> None:
    assert decide_run(rollout(0.8)).decision is Decision.PROMOTE


def test_the_tolerance_decides_how_much_slower_is_acceptable() -> None:
    run = rollout(1.05, noise=0.01)
    assert decide_run(run).decision is Decision.PROMOTE
    assert decide_run(run, tolerance=0.02).decision is Decision.ROLL_BACK
    with pytest.raises(CompareError, match="between 0 and 1"):
        decide_run(run, tolerance=1.5)


def test_too_few_requests_go_on_measuring() -> None:
    result = decide_run(rollout(rounds=4))
    assert result.decision is Decision.KEEP_MEASURING
    assert states(result)["ttft"] == "open"


def test_noise_goes_on_measuring_and_recommends_a_size() -> None:
    result = decide_run(rollout(noise=0.5, rounds=12))
    assert result.decision is Decision.KEEP_MEASURING
    assert result.recommended_requests is not None and result.recommended_requests > 24


def test_an_unknown_tail_blocks_nothing() -> None:
    result = decide_run(rollout(rounds=30))  # 60 requests: too few for a p95
    assert states(result)["ttft p95"] == "open"
    assert result.decision is Decision.PROMOTE


def test_a_failing_canary_is_rolled_back_however_fast_it_is() -> None:
    result = decide_run(breaking(rollout(0.8), lambda each: each.target == "canary" and each.block % 4 == 0))
    assert states(result)["failures"] == "worse"
    assert result.decision is Decision.ROLL_BACK
    result = decide_run(breaking(rollout(), lambda each: each.target == "canary"))
    assert result.decision is Decision.ROLL_BACK


def test_a_failing_stable_release_is_an_error() -> None:
    with pytest.raises(CompareError, match="The stable target stable doesn't answer"):
        decide_run(breaking(rollout(), lambda each: each.target == "stable"))


def test_with_few_rounds_every_round_must_be_worse() -> None:
    often = breaking(rollout(rounds=4, size=15), lambda each: each.target == "canary" and each.ended > 0.1705)
    assert states(decide_run(often))["failures"] == "worse"


def test_failures_of_both_are_no_difference() -> None:
    result = decide_run(breaking(rollout(rounds=60), lambda each: each.block % 12 == 0))
    assert states(result)["failures"] != "worse"


def test_one_bad_moment_is_no_trend() -> None:
    bad = breaking(rollout(size=10), lambda each: each.target == "canary" and each.block == 7)
    assert states(decide_run(bad))["failures"] != "worse"


def test_an_objective_counts_requests_that_meet_it() -> None:
    # First tokens arrive after 100 ms and after 440 ms or more, so only the canary misses the limit.
    run = rollout(4.8)
    objective = OBJECTIVES["mlperf llama3.1-8b interactive"]
    result = decide_run(run, objective=objective)
    assert states(result)["objective"] == "worse"


def test_a_more_expensive_machine_counts() -> None:
    table = Prices.load()
    same, expensive = table.find("1.00/h"), table.find("1.30/h")
    assert decide_run(rollout(), prices=(same, same)).decision is Decision.PROMOTE
    result = decide_run(rollout(), prices=(same, expensive))
    assert (result.decision, states(result)["cost"], states(result)["ttft"]) == ("roll back", "worse", "good")
    # As much faster as it is more expensive.
    assert states(decide_run(rollout(1 / 1.3), prices=(same, expensive)))["cost"] == "good"
    with pytest.raises(PriceError, match="hourly price"):
        decide_run(rollout(), prices=(same, table.find("tokens:1/2")))


def test_two_separate_runs_can_be_compared() -> None:
    stable = simulate({"a": 1.0}, noise=0.05, rounds=30, seed=1)
    for slower, decision in ((1.0, "promote"), (1.3, "roll back")):
        canary = simulate({"a": slower}, noise=0.05, rounds=30, seed=2)
        assert decide(Release(stable, "a"), Release(canary, "a")).decision == decision
    broken = breaking(simulate({"a": 1.0}, rounds=40, seed=3), lambda each: each.block % 2 == 0)
    assert states(decide(Release(stable, "a"), Release(broken, "a")))["failures"] == "worse"


def test_different_loads_cant_be_compared() -> None:
    stable, canary = simulate({"a": 1.0}), simulate({"a": 1.0})
    canary.header["loads"] = ["concurrency 8"]
    with pytest.raises(CompareError, match="different loads"):
        decide(Release(stable, "a"), Release(canary, "a"))


# The command line, as a pipeline calls it.


def measure(models: Models, folder: Path, targets: str, name: str = "run.jsonl") -> Path:
    out = folder / name
    catalog = models.catalog(folder, *dict.fromkeys(targets.split(",")))
    command = ["run", "--targets", targets, "--catalog", str(catalog), "--out", str(out), "--requests", "60"]
    assert main([*command, "--concurrency", "4", "--progress", "none"]) == 0
    return out


def test_the_exit_status_is_the_decision(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(measure(models, tmp_path, "steady,slow"))
    report = tmp_path / "decision.json"
    assert main(["canary", run, run, "--stable", "steady", "--candidate", "slow", "--json", str(report)]) == ROLL_BACK
    output = capsys.readouterr().out
    assert "WORSE  first token at concurrency 4" in output
    assert output.endswith("slow: roll back\n")
    assert json.loads(report.read_text())["decision"] == "roll back"
    assert main(["canary", run, run, "--stable", "slow", "--candidate", "steady"]) == PROMOTE


def test_two_files_of_one_target_each(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    baseline = str(measure(models, tmp_path, "steady", "baseline.jsonl"))
    canary = str(measure(models, tmp_path, "slow", "canary.jsonl"))
    assert main(["canary", baseline, canary, "--objective", "default"]) == ROLL_BACK
    assert "were not interleaved" in capsys.readouterr().out


def test_a_short_run_keeps_measuring(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "short.jsonl"
    catalog = models.catalog(tmp_path, "steady", "thinker")
    main(["run", "--targets", "steady,thinker", "--catalog", str(catalog), "--out", str(run), "--requests", "4"])
    assert main(["canary", str(run), str(run), "--stable", "steady", "--candidate", "thinker"]) == KEEP_MEASURING
    assert "keep measuring" in capsys.readouterr().out


def test_the_old_command_prints_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", "a.jsonl", "b.jsonl", "--stable", "a"]) == 64
    assert "python -m compare canary BASELINE CANARY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("failures", "count", "low", "high"),
    [
        (0, 40, 0.0, 0.063353449),
        (1, 40, 0.005597209, 0.104588567),
        (20, 40, 0.374149445, 0.625850555),
        (40, 40, 0.936646551, 1.0),
    ],
)
def test_wilson_interval(failures: int, count: int, low: float, high: float) -> None:
    assert wilson_interval(failures, count) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["canary"], 64, "usage"),
        (["canary", "RUN", "RUN", "--objective", "none"], 64, "invalid choice"),
        (["canary", "RUN", "RUN", "--tolerance", "much"], 64, "invalid float"),
        (["canary", "RUN", "nowhere.jsonl", "--stable", "stable"], 65, "Can't read"),
        (["canary", "RUN", "README.md", "--stable", "stable"], 65, "README.md"),
        (["canary", "RUN", "RUN"], 65, "several targets"),
        (["canary", "RUN", "RUN", "--stable", "stable", "--candidate", "new"], 65, "no target 'new'"),
        (["canary", "RUN", "RUN", "--stable", "stable", "--candidate", "stable"], 65, "with itself"),
        (["canary", "RUN", "RUN", "--stable", "stable", "--candidate", "canary", "--price", "1/h", "x"], 65, "x"),
        (
            ["canary", "RUN", "RUN", "--stable", "stable", "--candidate", "canary", "--json", "/no/where"],
            65,
            "Can't write",
        ),
    ],
)
def test_a_mistake_is_no_decision(
    arguments: list[str], status: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.jsonl"
    result = rollout()
    lines = [result.header, *map(run_file.entry_dict, result.records), {"type": "end", "reason": "finished"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        code = main([str(path) if word == "RUN" else word for word in arguments])
    except SystemExit as error:
        code = error.code  # type: ignore[assignment]
    assert code == status
    assert message in capsys.readouterr().err
