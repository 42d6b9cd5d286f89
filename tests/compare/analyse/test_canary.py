"""The judge of canaries: promote, roll back or go on measuring, and statuses that nothing else can be taken for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compare import run_file
from compare.__main__ import main
from compare.analyse.canary import CanaryDecision, Side, judge
from compare.analyse.objectives import OBJECTIVES
from compare.analyse.prices import Prices
from compare.errors import CompareError, PriceError
from compare.records import Failure, Record, Run
from tests.compare.make_runs import simulated
from tests.compare.servers import Models

PROMOTE, ROLL_BACK, GO_ON = 0, 1, 2
FAILED = Failure("Rejected", "It failed.")


def judged(run: Run, **more: Any) -> CanaryDecision:
    return judge(Side(run, "stable"), Side(run, "canary"), **more)


def states(found: CanaryDecision) -> dict[str, str]:
    return {check.what: check.state for check in found.checks}


def rollout(slower: float = 1.0, *, noise: float = 0.05, rounds: int = 30, **more: Any) -> Run:
    return simulated({"stable": 1.0, "canary": slower}, noise=noise, rounds=rounds, **more)


def breaking(run: Run, when: Callable[[Record], bool]) -> Run:
    """The run with some of its requests failed."""
    run.records[:] = [replace(each, arrivals=(), error=FAILED) if when(each) else each for each in run.records]
    return run


def test_one_that_is_the_same_is_promoted() -> None:
    found = judged(rollout())
    assert found.decision == "promote"
    assert set(states(found)) == {"failures", "first token", "first token, p95", "pace of tokens", "cost"}


def test_one_that_is_slower_is_rolled_back() -> None:
    found = judged(rollout(1.2))
    assert found.decision == "roll back"
    first = next(check for check in found.checks if check.what == "first token")
    assert first.state == "worse" and first.low and first.low > 1
    assert first.ratio == pytest.approx(1.2, rel=0.05)


def test_one_that_is_faster_is_promoted() -> None:
    assert judged(rollout(0.8)).decision == "promote"


def test_a_little_slower_is_no_harm_and_how_much_can_be_said() -> None:
    run = rollout(1.05, noise=0.01)
    assert judged(run).decision == "promote"
    assert judged(run, tolerance=0.02).decision == "roll back"
    with pytest.raises(CompareError, match="between 0 and 1"):
        judged(run, tolerance=1.5)


def test_too_little_is_measured_on() -> None:
    found = judged(rollout(rounds=4))
    assert found.decision == "go on measuring"
    assert states(found)["first token"] == "open"


def test_too_much_noise_is_measured_on_and_how_long_is_said() -> None:
    found = judged(rollout(noise=0.5, rounds=12))
    assert found.decision == "go on measuring"
    assert found.wanted is not None and found.wanted > 24


def test_a_tail_that_is_unknown_holds_nothing_up() -> None:
    found = judged(rollout(rounds=30))  # 60 requests: too few for a p95
    assert states(found)["first token, p95"] == "open"
    assert found.decision == "promote"


def test_one_that_fails_is_rolled_back_however_fast_it_is() -> None:
    found = judged(breaking(rollout(0.8), lambda each: each.target == "canary" and each.block % 4 == 0))
    assert states(found)["failures"] == "worse"
    assert found.decision == "roll back"
    found = judged(breaking(rollout(), lambda each: each.target == "canary"))
    assert found.decision == "roll back"


def test_nothing_is_judged_against_what_fails_itself() -> None:
    with pytest.raises(CompareError, match="stable answers nothing itself"):
        judged(breaking(rollout(), lambda each: each.target == "stable"))


def test_of_few_rounds_each_has_to_be_worse() -> None:
    often = breaking(rollout(rounds=4, size=15), lambda each: each.target == "canary" and each.ended > 0.1705)
    assert states(judged(often))["failures"] == "worse"


def test_failures_of_both_are_nobodys() -> None:
    found = judged(breaking(rollout(rounds=60), lambda each: each.block % 12 == 0))
    assert states(found)["failures"] != "worse"


def test_one_bad_moment_is_no_trend() -> None:
    bad = breaking(rollout(size=10), lambda each: each.target == "canary" and each.block == 7)
    assert states(judged(bad))["failures"] != "worse"


def test_an_objective_counts_requests_that_meet_it() -> None:
    # Their first tokens come after 100 ms and 440 ms or more: another limit than speed, which is left out here.
    run = rollout(4.8)
    objective = OBJECTIVES["mlperf llama3.1-8b interactive"]
    found = judged(run, objective=objective)
    assert states(found)[f"outside {objective.name}"] == "worse"


def test_a_dearer_machine_counts() -> None:
    table = Prices.load()
    same, dearer = table.find("1.00/h"), table.find("1.30/h")
    assert judged(rollout(), prices=(same, same)).decision == "promote"
    found = judged(rollout(), prices=(same, dearer))
    assert (found.decision, states(found)["cost"], states(found)["first token"]) == ("roll back", "worse", "good")
    # Faster by as much as it is dearer.
    assert states(judged(rollout(1 / 1.3), prices=(same, dearer)))["cost"] == "good"
    with pytest.raises(PriceError, match="an hour"):
        judged(rollout(), prices=(same, table.find("tokens:1/2")))


def test_runs_that_were_made_apart_are_judged_too() -> None:
    stable = simulated({"a": 1.0}, noise=0.05, rounds=30, seed=1)
    for slower, decision in ((1.0, "promote"), (1.3, "roll back")):
        canary = simulated({"a": slower}, noise=0.05, rounds=30, seed=2)
        assert judge(Side(stable, "a"), Side(canary, "a")).decision == decision
    broken = breaking(simulated({"a": 1.0}, rounds=40, seed=3), lambda each: each.block % 2 == 0)
    assert states(judge(Side(stable, "a"), Side(broken, "a")))["failures"] == "worse"


def test_other_loads_cannot_be_judged() -> None:
    stable, canary = simulated({"a": 1.0}), simulated({"a": 1.0})
    canary.header["loads"] = ["concurrency 8"]
    with pytest.raises(CompareError, match="different loads"):
        judge(Side(stable, "a"), Side(canary, "a"))


# As a pipeline calls it.


def measured(models: Models, folder: Path, targets: str, name: str = "run.jsonl") -> Path:
    out = folder / name
    catalog = models.catalog(folder, *dict.fromkeys(targets.split(",")))
    command = ["run", "--targets", targets, "--catalog", str(catalog), "--out", str(out), "--requests", "60"]
    assert main([*command, "--concurrency", "4", "--progress", "none"]) == 0
    return out


def test_the_exit_status_is_the_answer(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(measured(models, tmp_path, "steady,slow"))
    told = tmp_path / "judgement.json"
    assert main(["judge", run, run, "--stable", "steady", "--candidate", "slow", "--json", str(told)]) == ROLL_BACK
    said = capsys.readouterr().out
    assert "WORSE  first token at concurrency 4" in said
    assert said.endswith("slow: roll back\n")
    assert json.loads(told.read_text())["decision"] == "roll back"
    assert main(["judge", run, run, "--stable", "slow", "--candidate", "steady"]) == PROMOTE


def test_two_files_of_one_target_each(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    baseline = str(measured(models, tmp_path, "steady", "baseline.jsonl"))
    canary = str(measured(models, tmp_path, "slow", "canary.jsonl"))
    assert main(["judge", baseline, canary, "--objective", "default"]) == ROLL_BACK
    assert "were measured apart" in capsys.readouterr().out


def test_too_few_requests_go_on(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "short.jsonl"
    catalog = models.catalog(tmp_path, "steady", "thinker")
    main(["run", "--targets", "steady,thinker", "--catalog", str(catalog), "--out", str(run), "--requests", "4"])
    assert main(["judge", str(run), str(run), "--stable", "steady", "--candidate", "thinker"]) == GO_ON
    assert "go on measuring" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["judge"], 64, "usage"),
        (["judge", "RUN", "RUN", "--objective", "none"], 64, "invalid choice"),
        (["judge", "RUN", "RUN", "--tolerance", "much"], 64, "invalid float"),
        (["judge", "RUN", "nowhere.jsonl", "--stable", "stable"], 65, "cannot be read"),
        (["judge", "RUN", "README.md", "--stable", "stable"], 65, "README.md"),
        (["judge", "RUN", "RUN"], 65, "several targets"),
        (["judge", "RUN", "RUN", "--stable", "stable", "--candidate", "new"], 65, "no target 'new'"),
        (["judge", "RUN", "RUN", "--stable", "stable", "--candidate", "stable"], 65, "against itself"),
        (["judge", "RUN", "RUN", "--stable", "stable", "--candidate", "canary", "--price", "1/h", "x"], 65, "x"),
        (["judge", "RUN", "RUN", "--stable", "stable", "--candidate", "canary", "--json", "/no/where"], 65, "written"),
    ],
)
def test_a_mistake_is_no_answer(
    arguments: list[str], status: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.jsonl"
    found = rollout()
    lines = [found.header, *map(run_file.entry_dict, found.records), {"type": "end", "reason": "finished"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        code = main([str(path) if word == "RUN" else word for word in arguments])
    except SystemExit as left:
        code = left.code  # type: ignore[assignment]
    assert code == status
    assert said in capsys.readouterr().err
