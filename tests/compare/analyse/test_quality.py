"""The quality of answers: shares of questions and paired differences; intervals hold for a dozen questions too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from compare.analyse.quality.paired import Difference, difference, required_questions, share, sign_test
from compare.analyse.quality.quality import Measure, question_values, shares
from compare.analyse.quality.quality_verdict import (
    QualityFinding,
    QualityVerdict,
    check_margin,
    compare_sides,
    quality_verdicts,
    target_pairs,
)
from compare.analyse.verdicts.verdict import joint_verdicts, verdicts
from compare.errors import CompareError
from compare.runs.records import Run
from tests.compare.make_runs import simulate
from tests.compare.make_scores import Mark, scored_run, with_questions

TAIL = 0.025


def test_a_share_has_the_exact_interval() -> None:
    assert (share([1.0] * 12).low, share([1.0] * 12).high) == (pytest.approx(0.025 ** (1 / 12)), 1.0)
    assert (share([0.0] * 12).low, share([0.0] * 12).high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 12)))
    half = share([1, 0] * 5)
    assert (half.low, half.high) == (pytest.approx(0.187, abs=1e-3), pytest.approx(0.813, abs=1e-3))
    assert share([0.5]).low <= 0.5 <= share([0.5]).high
    assert share([0.9, 1.0]).high == pytest.approx(1.0, abs=1e-3)


def test_a_difference_has_the_interval_that_tango_published() -> None:
    """Of the airway data: 21 children, 1 positive only before, 7 only after."""
    before, after = [1] + [0] * 7 + [1] + [0] * 12, [0] + [1] * 7 + [1] + [0] * 12
    found = difference(before, after, TAIL)
    assert (found.more, found.less, found.questions) == (1, 7, 21)
    assert found.low == pytest.approx(-0.517, abs=1e-3)
    # Tango's ends at -0.026, but McNemar's exact test has p = 0.07.
    assert found.high == 0.0
    assert found.reversed().low == 0.0


def test_no_difference_in_a_dozen_questions_is_no_proof_of_none() -> None:
    same = difference([1.0] * 12, [1.0] * 12, TAIL)
    assert (same.low, same.high) == (pytest.approx(-0.2425, abs=1e-4), pytest.approx(0.2425, abs=1e-4))
    many = difference([1.0] * 200, [1.0] * 200, TAIL)
    assert -0.02 < many.low < 0 < many.high < 0.02


@pytest.mark.parametrize(("differing", "shown"), [(5, False), (6, True), (12, True)])
def test_a_difference_is_shown_when_the_exact_test_says_so(differing: int, shown: bool) -> None:
    found = difference([1.0] * differing + [0.0] * (12 - differing), [0.0] * 12, TAIL)
    assert found.is_shown is shown
    assert found.low <= differing / 12 <= found.high <= 1


def test_the_sign_test_is_mcnemars_without_repeated_answers() -> None:
    assert sign_test([1, 1, 1, 1, 1, 1, 0]) == pytest.approx(2 / 2**6)
    assert sign_test([0, 0]) == 1.0
    assert sign_test([0.5, 0.25, -0.75]) == 1.0
    assert sign_test([0.5] * 5 + [0.25] * 7) == pytest.approx(2 / 2**12, abs=5e-4)


def test_the_sign_test_of_many_sizes_is_normal() -> None:
    """Drawing the signs of each size takes half a millisecond."""
    assert 0 < sign_test([1 + number / 1000 for number in range(201)]) < 1e-40
    sizes = 1 + np.arange(300) / 300
    differences = np.where(np.arange(300) % 20 < 9, -sizes, sizes)
    drawn = np.abs(np.random.default_rng(2).choice([-1, 1], (20_000, 300)) @ sizes)
    expected = float(np.mean(drawn >= abs(differences.sum())))
    assert 0.01 < expected < 0.9
    assert sign_test(differences.tolist()) == pytest.approx(expected, abs=0.01)


def test_averages_that_a_computer_rounds_are_equal() -> None:
    assert difference([0.1 + 0.2], [0.3], TAIL).more == 0


@pytest.mark.parametrize(("right", "loss"), [(0.95, 0.0), (0.8, 0.1), (0.6, 0.3)])
def test_intervals_hold_in_19_of_20_runs(right: float, loss: float) -> None:
    random, missed, runs = np.random.default_rng(1), 0, 300
    for _ in range(runs):
        one, other = random.random(30) < right, random.random(30) < right - loss
        found = difference(one.astype(float).tolist(), other.astype(float).tolist(), TAIL)
        missed += not found.low <= loss <= found.high
    assert missed <= 0.05 * runs + 3


def test_required_questions_count_for_a_few_questions_on_the_worst() -> None:
    few, many = (difference([1.0] * count, [1.0] * count, TAIL) for count in (12, 1200))
    assert required_questions(few, 0.05, TAIL) > 3 * required_questions(many, 0.05, TAIL) > 600
    assert required_questions(Difference(1, 1, 1, 5, 5, 0), 0.1, TAIL) == 1300


def test_repeated_answers_are_averaged_by_question() -> None:
    run = scored_run({"a": [["+", "-"], ["+", "+"]], "b": [["-"], ["+"]]})
    assert question_values(run, "a")[Measure.RIGHT] == {0: 0.5, 1: 1.0}
    assert shares(run, "a")[Measure.RIGHT].value == 0.75
    assert shares(run, "a")[Measure.RIGHT].questions == 2


def test_a_request_that_failed_is_not_right() -> None:
    run = scored_run({"a": [["+"], ["failed"]]}, answerable=[True, True])
    assert question_values(run, "a") == {
        Measure.RIGHT: {0: 1.0, 1: 0.0},
        Measure.SUPPORTED: {0: 1.0},
        Measure.WRONGLY_REFUSED: {0: 0.0, 1: 0.0},
        Measure.WELL_FORMED: {},
    }


def test_a_refusal_is_right_if_the_documents_do_not_answer() -> None:
    run = scored_run({"a": [["refused"], ["refused right"]]}, answerable=[True, False])
    assert shares(run, "a")[Measure.RIGHT].value == 0.5
    assert question_values(run, "a")[Measure.WRONGLY_REFUSED] == {0: 1.0}
    assert not question_values(run, "a")[Measure.SUPPORTED]


def test_a_question_that_cannot_be_judged_for_one_target_counts_for_none() -> None:
    run = scored_run({"a": [["refused"], ["+"]], "b": [["?"], ["+"]]})
    assert question_values(run, "a")[Measure.RIGHT] == {1: 1.0}


def test_answers_that_were_not_scored_are_not_wrong() -> None:
    run = scored_run({"a": [["+"], ["+"]]})
    del run.scores[1]
    assert question_values(run, "a")[Measure.RIGHT] == {0: 1.0}
    unscored = replace_scores(run)
    assert not shares(unscored, "a")


def replace_scores(run: Run) -> Run:
    return Run(run.header, run.records, run.blocks, run.ended)


def test_only_measured_requests_of_known_questions_count() -> None:
    run = scored_run({"a": [["+"], ["+"], ["+"]]})
    run.records[0] = replace(run.records[0], phase="warmup")
    run.records[1] = replace(run.records[1], prompt=77)
    run.records[2] = replace(run.records[2], target="nobody")
    assert not shares(run, "a")


def judge(answers: dict[str, Sequence[Sequence[Mark]]], tail: float = TAIL, margin: float = 0.05) -> QualityVerdict:
    run = scored_run(answers)
    found = quality_verdicts(target_pairs(run), tail, margin)
    return next(each for each in found if each.measure is Measure.RIGHT)


def test_the_better_target_comes_first() -> None:
    found = judge({"a": [["-"]] * 10 + [["+"]] * 2, "b": [["+"]] * 12})
    assert (found.finding, found.better, found.worse) == (QualityFinding.BETTER, "b", "a")
    assert found.difference.value == pytest.approx(10 / 12)
    assert found.difference.low > 0


def test_a_dozen_equal_answers_are_not_as_good() -> None:
    found = judge({"a": [["+"]] * 12, "b": [["+"]] * 12})
    assert found.finding is QualityFinding.NOT_DISTINGUISHABLE
    assert found.required > 500


def test_as_good_means_within_the_margin() -> None:
    answers = {"a": [["+"]] * 150, "b": [["+"]] * 150}
    assert judge(answers).finding is QualityFinding.AS_GOOD
    assert judge(answers, margin=0.02).finding is QualityFinding.NOT_DISTINGUISHABLE


def test_another_margin_compares_no_answers_again() -> None:
    run = scored_run({"a": [["+"]] * 12, "b": [["-"]] * 12})
    one, other = (run, "a"), (run, "b")
    found = compare_sides(one, other, Measure.RIGHT, TAIL)
    assert compare_sides(one, other, Measure.RIGHT, TAIL) is found
    assert compare_sides(other, one, Measure.RIGHT, TAIL).value == -found.value
    assert compare_sides(one, other, Measure.RIGHT, TAIL / 2).low < found.low
    assert compare_sides(one, other, Measure.SUPPORTED, TAIL).value == 0


@pytest.mark.parametrize("margin", [0, 1e-200, 0.0009, 1, float("nan")])
def test_a_margin_that_no_number_of_questions_shows(margin: float) -> None:
    with pytest.raises(CompareError, match="isn't possible") as caught:
        check_margin(margin)
    assert caught.value.remedy == "Use at least 0.1 points, and fewer than 100."
    assert check_margin(0.1 / 100) == 0.001


def test_fewer_wrong_refusals_are_better() -> None:
    run = scored_run({"a": [["refused"]] * 12, "b": [["+"]] * 12})
    found = {each.measure: each for each in quality_verdicts(target_pairs(run), TAIL)}
    assert (found[Measure.WRONGLY_REFUSED].better, found[Measure.WRONGLY_REFUSED].difference.value) == ("b", -1.0)
    assert Measure.SUPPORTED not in found  # a has no answer with sentences
    assert Measure.WELL_FORMED not in found


def test_quality_shares_the_certainty_with_the_times() -> None:
    alone = simulate({"a": 1.0, "b": 1.3}, rounds=20, noise=0.05)
    asked = with_questions(simulate({"a": 1.0, "b": 1.3}, rounds=20, noise=0.05), 8)
    tails = joint_verdicts(alone).tail, joint_verdicts(asked).tail
    assert 0.05 / 2 / 9 <= tails[1] < tails[0]
    narrow, wide = (next(each for each in verdicts(run) if each.metric == "ttft") for run in (alone, asked))
    assert wide.low and narrow.low and wide.low <= narrow.low
    only_quality = scored_run({"a": [["+"]] * 4, "b": [["+"]] * 4})
    assert joint_verdicts(only_quality).tail == pytest.approx(TAIL / 3)


def test_other_questions_are_not_paired() -> None:
    one, other = scored_run({"a": [["+"]] * 4}), scored_run({"a": [["-"]] * 4})
    assert quality_verdicts([((one, "a"), (other, "a"))], TAIL)
    other.header["workload"]["hash"] = "another"
    assert not quality_verdicts([((one, "a"), (other, "a"))], TAIL)
