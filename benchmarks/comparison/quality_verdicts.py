"""Checks the comparator's verdicts on the quality of answers, on simulated targets, with the code for real runs.

    python benchmarks/comparison/quality_verdicts.py [--runs 1000]

Then it does the same for canary decisions, with as many questions as a decision about 100 of them asks for.

A question is as hard for both targets as its topic; beyond that, each target errs on its own. The share of supported
sentences and the wrong refusals vary too. Takes about ten minutes on two free cores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import table, write
from verdicts import Scenario as Timed
from verdicts import simulate as simulate_times

from compare.analyse.canary.canary_quality import MAX_LOSS, compare_right_answers
from compare.analyse.quality.quality import Measure
from compare.analyse.quality.quality_verdict import (
    MARGIN,
    QualityFinding,
    QualityVerdict,
    quality_verdicts,
    target_pairs,
)
from compare.analyse.verdicts.verdict import Finding, joint_verdicts
from compare.measure.plan import RunPlan
from compare.runs.records import Question, Record, Run, Score

LOSS = 0.10  # how many fewer questions the worse target answers right
SIZES = (12, 50, 100, 200, 300, 400)
REFUSALS = 0.05


@dataclass(frozen=True)
class Scenario:
    """A simulation: a answers `right` of the questions right, b `loss` fewer.

    `differing` is the share of questions that a and b answer independently of each other; the others, both answer
    alike. Each question is asked `repeats` times, and answered in the same way again unless the answers `vary`.
    """

    questions: int
    right: float = 0.8
    loss: float = 0.0
    differing: float = 0.5
    repeats: int = 1
    vary: bool = False


TIMED = 100  # questions of a run with times too
PILOT = 100  # questions of a canary's first measurement
CANARIES = {
    "as good, 100 questions": (Scenario(PILOT), False),
    "as good": (Scenario(PILOT), True),
    "as good, nearly all right": (Scenario(PILOT, right=0.97), True),
    "2 points worse: inside the tolerance": (Scenario(PILOT, loss=0.02), True),
    "10 points worse": (Scenario(PILOT, loss=LOSS), True),
    "10 points worse, nearly all right": (Scenario(PILOT, right=0.97, loss=LOSS), True),
}
DECISIONS = ("promote", "roll back", "keep measuring")


@dataclass(frozen=True)
class Outcome:
    """What one simulated run concluded: about any measure, about right answers, and whether the intervals hold."""

    claims_difference: bool
    finds_b_worse: bool
    claims_equal: bool
    misses: bool


def simulate(scenario: Scenario, seed: int) -> Run:
    """Return a run with the scores of both targets; its requests have no times."""
    random = np.random.default_rng([seed, scenario.questions])
    count = scenario.questions
    plan = RunPlan(("a", "b"), requests=count * scenario.repeats, seed=seed)
    questions = [asdict(Question(str(number), "", ("x",))) for number in range(count)]
    run = Run(
        {"plan": asdict(plan), "loads": ["one"], "workload": {"hash": "", "prompts": count, "questions": questions}}
    )
    shared, alike = random.random(count), random.random(count) >= scenario.differing
    for target, right in (("a", scenario.right), ("b", scenario.right - scenario.loss)):
        for repeat in range(scenario.repeats):
            if repeat == 0 or scenario.vary:
                luck = np.where(alike, shared, random.random(count))
                refused = random.random(count) < REFUSALS
                supported = np.round(random.beta(4, 1, count) * 4) / 4
            for number in range(count):
                _add(run, target, number, bool(luck[number] < right), bool(refused[number]), float(supported[number]))
    return run


def _add(run: Run, target: str, question: int, right: bool, refused: bool, supported: float) -> None:
    run.records.append(Record(target, "one", 0, "measured", question, 0.0, 0.0, 1.0))
    number = len(run.records) - 1
    run.scores[number] = Score(number, right, None if refused else supported, refused, None, 10)


def analyse(job: tuple[Scenario, int]) -> Outcome:
    """Simulate one run and return what its verdicts conclude."""
    scenario, seed = job
    run = simulate(scenario, seed)
    verdicts = quality_verdicts(target_pairs(run), joint_verdicts(run).tail)
    right = next(each for each in verdicts if each.measure is Measure.RIGHT)
    truth = {Measure.RIGHT: scenario.loss}
    return Outcome(
        any(each.finding is QualityFinding.BETTER for each in verdicts),
        right.finding is QualityFinding.BETTER and right.better == "a",
        right.finding is QualityFinding.AS_GOOD,
        any(not _holds(each, truth.get(each.measure, 0.0)) for each in verdicts),
    )


def _holds(verdict: QualityVerdict, more_of_a: float) -> bool:
    truth = more_of_a if verdict.better == "a" else -more_of_a
    return verdict.difference.low - 1e-9 <= truth <= verdict.difference.high + 1e-9


def scenario_results(pool: Executor, runs: int) -> dict[str, dict[str, float]]:
    """Return how often the verdicts on each scenario are right and wrong."""
    return {
        name: summary(list(pool.map(analyse, [(scenario, seed) for seed in range(runs)], chunksize=20)))
        for name, scenario in scenarios().items()
    }


def analyse_with_times(seed: int) -> bool:
    """Return whether any verdict claims a difference between targets that are alike in answers and times."""
    run = simulate_times(Timed(requests=TIMED), seed)
    scored = simulate(Scenario(TIMED), seed)
    run.header["workload"] = scored.header["workload"]
    of_target = {target: iter(range(number * TIMED, TIMED * (number + 1))) for number, target in enumerate(run.targets)}
    for number, record in enumerate(run.records):
        at = next(of_target[record.target])
        run.records[number] = replace(record, prompt=scored.records[at].prompt)
        run.scores[number] = replace(scored.scores[at], request=number)
    joint = joint_verdicts(run)
    quality = quality_verdicts(target_pairs(run), joint.tail)
    times = any(each.decision is Finding.FASTER for each in joint.verdicts)
    return times or any(each.finding is QualityFinding.BETTER for each in quality)


def decide(job: tuple[Scenario, bool, int]) -> tuple[str, int]:
    """Return what the right answers of a simulated canary decide, after as many questions as a first run asks for."""
    scenario, is_sized, seed = job
    if is_sized:
        pilot = simulate(scenario, 100_000 + seed)
        first = compare_right_answers((pilot, "a"), (pilot, "b"))
        assert first
        scenario = replace(scenario, questions=max(PILOT, first.required))
    run = simulate(scenario, seed)
    right = compare_right_answers((run, "a"), (run, "b"))
    assert right
    decision = "roll back" if right.is_worse(MAX_LOSS) else "promote" if right.is_good(MAX_LOSS) else "keep measuring"
    return decision, scenario.questions


def canary_results(pool: Executor, runs: int) -> dict[str, dict[str, float]]:
    """Return how often each simulated canary is promoted and rolled back, and its median number of questions."""
    results = {}
    for name, (scenario, is_sized) in CANARIES.items():
        jobs = [(scenario, is_sized, seed) for seed in range(runs)]
        decided = list(pool.map(decide, jobs, chunksize=20))
        shares = {each: mean(decision == each for decision, _ in decided) for each in DECISIONS}
        results[name] = {"questions": median(size for _, size in decided), **shares}
    return results


def scenarios() -> dict[str, Scenario]:
    """Return what is simulated: targets that are alike, one that is worse, one that is worse by the margin."""
    alike = {
        "alike, 12 questions": Scenario(12),
        "alike, 12 questions, nearly all right": Scenario(12, right=0.97),
        "alike, 12 questions asked 4 times, answered differently": Scenario(12, repeats=4, vary=True),
        "alike, 100 questions": Scenario(100),
        "alike, 100 questions, nearly all right": Scenario(100, right=0.97, differing=1.0),
        "alike, 400 questions": Scenario(400, differing=1.0),
    }
    worse = {f"10 points worse, {size} questions": Scenario(size, loss=LOSS) for size in SIZES}
    close = {f"worse by the margin, {size} questions": Scenario(size, 1.0, MARGIN, 0.0) for size in (12, 100, 200, 400)}
    equal = {f"the same answers, {size} questions": Scenario(size, differing=0.0) for size in (100, 200)}
    return alike | worse | close | equal


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="simulated comparisons of each kind (1000)")
    runs = parser.parse_args().runs
    with ProcessPoolExecutor() as pool:
        results, canaries = scenario_results(pool, runs), canary_results(pool, runs)
        joint = mean(pool.map(analyse_with_times, range(runs // 4), chunksize=5))
    rows = [[name, *(f"{value:.1%}" for value in each.values())] for name, each in results.items()]
    headers = ["simulated", "claims a difference", "finds b worse", '"as good"', "an interval misses the truth"]
    print(table(headers, rows))
    rows = [
        [name, f"{each['questions']:,.0f}", *(f"{each[decision]:.1%}" for decision in DECISIONS)]
        for name, each in canaries.items()
    ]
    print()
    print(table(["canary", "questions, median", *DECISIONS], rows))
    print(f"\nalike in answers and times, {TIMED} questions: {joint:.1%} of {runs // 4} runs claim a difference")
    return 0 if check_goals(results, canaries, joint, runs) else 1


def summary(results: Sequence[Outcome]) -> dict[str, float]:
    return {
        "claims": mean(each.claims_difference for each in results),
        "detections": mean(each.finds_b_worse for each in results),
        "equal": mean(each.claims_equal for each in results),
        "misses": mean(each.misses for each in results),
    }


def check_goals(
    results: dict[str, dict[str, float]], canaries: dict[str, dict[str, float]], joint: float, runs: int
) -> bool:
    """Print which goals are met and write the results either way."""
    alike = [each["claims"] for name, each in results.items() if name.startswith(("alike", "the same"))]
    close = [each["equal"] for name, each in results.items() if name.startswith("worse by")]
    detections = {size: results[f"10 points worse, {size} questions"]["detections"] for size in SIZES}
    enough = next((size for size, share in detections.items() if share >= 0.8), None)
    goals = {
        "at most 5 % of runs with targets that are alike claim a difference": max(alike) <= 0.05,
        "nor more of those with times": joint <= 0.05,
        "at most 5 % of runs call a target as good that is worse by the margin": max(close) <= 0.05,
        "at most 5 % of runs have an interval that misses": max(each["misses"] for each in results.values()) <= 0.05,
        f"10 points are found in 80 % of runs, with {enough} questions": enough is not None,
        "a canary that is as good is rolled back in at most 5 % of runs": max(
            each["roll back"] for name, each in canaries.items() if name.startswith("as good")
        ) <= 0.05,
        "a canary that answers 10 points fewer right is caught in 95 %": min(
            each["roll back"] for name, each in canaries.items() if name.startswith("10 points")
        ) >= 0.95,
        "and is never promoted": max(
            each["promote"] for name, each in canaries.items() if name.startswith("10 points")
        ) == 0,
        "a canary that is as good is promoted in 80 % at the size asked for": canaries["as good"]["promote"] >= 0.8,
    }  # fmt: skip
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    everything = {"simulated": results, "with times": joint, "canaries": canaries, "enough": enough, "goals": goals}
    write("quality_verdicts", {"runs": runs} | everything)
    return all(goals.values())


if __name__ == "__main__":
    sys.exit(main())
