"""Canaries that answer questions: one that answers fewer right is rolled back, however fast it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compare.__main__ import main
from compare.analyse.canary.canary import CanaryDecision, Check, CheckName, Decision, Release, decide
from compare.errors import CompareError
from compare.report.words.canary_text import check_text, decision_json, decision_text
from compare.runs import run_file
from compare.runs.records import Run
from tests.compare.make_runs import simulate
from tests.compare.make_scores import with_questions

PROMOTE, ROLL_BACK, KEEP_MEASURING, NOT_COMPARABLE = 0, 1, 2, 65


def rollout(questions: int = 200, wrong: int = 0, slower: float = 1.0, rounds: int = 100) -> Run:
    run = simulate({"stable": 1.0, "canary": slower}, noise=0.05, rounds=rounds)
    return with_questions(run, questions, {"canary": range(wrong)})


def decide_run(run: Run, **options: Any) -> CanaryDecision:
    return decide(Release(run, "stable"), Release(run, "canary"), **options)


def right_check(result: CanaryDecision) -> Check:
    return next(check for check in result.checks if check.name is CheckName.RIGHT)


def test_a_canary_that_answers_as_many_right_is_promoted() -> None:
    result = decide_run(rollout())
    assert result.decision is Decision.PROMOTE
    assert right_check(result).state == "good"
    assert check_text(right_check(result)) == "100.0% vs 100.0% of 200 questions (-1.3 to +3.2 points)"


def test_a_fast_canary_that_answers_fewer_right_is_rolled_back() -> None:
    result = decide_run(rollout(wrong=30, slower=0.7))
    assert result.decision is Decision.ROLL_BACK
    assert [check.name for check in result.checks if check.state == "worse"] == ["right answers"]


def test_a_dozen_questions_decide_nothing_and_the_canary_asks_for_more() -> None:
    run = rollout(12)
    result = decide_run(run)
    assert result.decision is Decision.KEEP_MEASURING
    assert result.recommended_questions and result.recommended_questions > 200
    stable, canary = Release(run, "stable"), Release(run, "canary")
    last = decision_text(result, stable, canary, None).splitlines()[-1]
    assert last == f"canary: keep measuring; about {result.recommended_questions} questions would probably settle it"
    assert decide_run(run, max_loss=0.25).decision is Decision.PROMOTE


def test_an_undecided_time_asks_for_requests_too() -> None:
    run = rollout(12, rounds=4)
    text = decision_text(decide_run(run), Release(run, "stable"), Release(run, "canary"), None)
    assert "more requests, in at least six blocks, per target and load and about" in text


def test_a_small_loss_is_inside_the_tolerance() -> None:
    assert right_check(decide_run(rollout(wrong=2))).state != "worse"
    assert right_check(decide_run(rollout(wrong=2), max_loss=0.2)).state == "good"


def test_without_questions_there_is_no_check() -> None:
    run = simulate({"stable": 1.0, "canary": 1.0}, noise=0.05, rounds=30)
    assert CheckName.RIGHT not in {check.name for check in decide_run(run).checks}


def test_questions_without_scores_are_never_taken_for_good() -> None:
    run = rollout()
    run.scores = {}
    with pytest.raises(CompareError, match="The answers of stable have no scores"):
        decide_run(run)


def test_answers_that_nobody_could_judge_are_never_taken_for_good() -> None:
    run = rollout()
    run.scores = {number: replace(score, correct=None) for number, score in run.scores.items()}
    with pytest.raises(CompareError, match="No question has a right answer to compare with") as caught:
        decide_run(run)
    assert caught.value.remedy == "Add answers to the questions."


@pytest.mark.parametrize("loss", [0, 1e-200, 1, float("nan")])
def test_a_loss_that_no_number_of_questions_shows(loss: float) -> None:
    with pytest.raises(CompareError, match="can't be tolerated"):
        decide_run(rollout(12), max_loss=loss)


@pytest.mark.parametrize("change", [{"hash": "another"}, {"questions": []}], ids=str)
def test_other_questions_are_an_error(change: dict[str, Any]) -> None:
    one, other = rollout(), rollout()
    other.header["workload"] |= change
    with pytest.raises(CompareError, match="asked different questions"):
        decide(Release(one, "stable"), Release(other, "canary"))


def test_two_files_with_the_same_questions_are_paired() -> None:
    one, other = rollout(), rollout(wrong=40)
    assert decide(Release(one, "stable"), Release(other, "canary")).decision is Decision.ROLL_BACK


def test_the_command_takes_a_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_file.write(rollout(12), path := tmp_path / "run.jsonl")
    command = ["canary", str(path), str(path), "--stable", "stable", "--candidate", "canary"]
    assert main(command) == KEEP_MEASURING
    assert "open   right answers at concurrency 1: 100.0% vs 100.0% of 12 questions" in capsys.readouterr().out
    assert main([*command, "--max-loss", "25", "--json", str(tmp_path / "decision.json")]) == PROMOTE
    written = json.loads((tmp_path / "decision.json").read_text())
    assert written["checks"][-1]["right"]["questions"] == 12
    assert written["wanted_questions"] is None
    assert main([*command, "--max-loss", "0"]) == NOT_COMPARABLE
    assert "A loss of 0 points can't be tolerated" in capsys.readouterr().err
    run_file.write(rollout(wrong=60), path)
    assert main(command) == ROLL_BACK


def test_the_json_has_the_question_count() -> None:
    assert decision_json(decide_run(rollout(12)), None)["wanted_questions"] > 200
