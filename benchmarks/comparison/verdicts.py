"""Checks the comparator's verdicts on simulated servers of known speed, with the code that analyses real runs.

    python benchmarks/comparison/verdicts.py [--runs 1000]

Requests follow the plan's own order of blocks. Each takes a base time, times the machine's slowness at that moment,
times the noise of its block (3 %) and its own (10 %); one in fifty takes three times as long. Takes about ten minutes.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import table, write

from backends import Arrival
from compare.analyse.verdicts import verdict
from compare.analyse.verdicts.verdict import Finding
from compare.measure.plan import Block, RunPlan
from compare.runs.records import Record, Run

FIRST, GAP, TOKENS = 0.2, 0.02, 16  # seconds to the first token, seconds between tokens, tokens
TRUE_RATIO = 1.05  # how much slower the slower server is


@dataclass(frozen=True)
class Scenario:
    """A simulation: b is `slower` times as slow as a; the machine becomes `drift` times slower over the run.

    `requests=None` means as many as the page recommends after a short first run of the same seed.
    """

    requests: int | None = 100
    slower: float = 1.0
    drift: float = 1.0
    interleaved: bool = True
    bimodal: bool = False  # half of the first tokens take three times as long, like cache misses


@dataclass(frozen=True)
class Outcome:
    """What one simulated run concluded; `estimate` is b's time to the first token divided by a's."""

    claims_difference: bool
    finds_b_slower: bool
    estimate: float


def simulate(scenario: Scenario, seed: int) -> Run:
    """Return one run of the plan over the simulated servers."""
    assert scenario.requests is not None
    plan = RunPlan(("a", "b"), requests=scenario.requests, seed=seed)
    blocks = plan.blocks() if scenario.interleaved else sorted(plan.blocks(), key=lambda block: block.target)
    random, clock = np.random.default_rng([seed, scenario.requests]), 0.0
    length = 2 * scenario.requests * (FIRST + GAP * TOKENS)
    run = Run({"plan": asdict(plan), "loads": [load.name for load in plan.loads]}, ended="finished")
    for block in blocks:
        block_noise = math.exp(0.03 * random.standard_normal())
        for _ in range(block.size):
            slowness = block_noise * scenario.drift ** (clock / length)
            slowness *= scenario.slower if block.target == "b" else 1.0
            delay = 3.0 if scenario.bimodal and random.random() < 0.5 else 1.0
            record = simulate_request(block, clock, slowness, random, delay)
            clock += record.ended
            run.records.append(record)
    return run


def simulate_request(block: Block, clock: float, slowness: float, random: np.random.Generator, delay: float) -> Record:
    """Return one request's record; its first token takes `delay` times as long as usual."""
    slowness *= math.exp(0.1 * random.standard_normal()) * (3 if random.random() < 0.02 else 1)
    gaps = GAP * slowness * np.exp(0.1 * random.standard_normal(TOKENS - 1))
    times = np.cumsum([FIRST * delay * slowness * math.exp(0.1 * random.standard_normal()), *gaps])
    arrivals = tuple(Arrival(float(seconds), "answer", 4) for seconds in times)
    return Record(
        block.target, block.load.name, block.number, "measured", 0, clock, clock, float(times[-1]), 1, arrivals
    )


def analyse(job: tuple[Scenario, int]) -> Outcome:
    """Simulate one run and return what its verdicts conclude."""
    scenario, seed = job
    requests = scenario.requests or recommended_requests(seed)
    verdicts = verdict.verdicts(simulate(replace(scenario, requests=requests), seed))
    first = next(each for each in verdicts if each.metric == "ttft" and each.quantile == 0.5)
    ratio = first.ratio or 1.0
    return Outcome(
        any(each.decision is Finding.FASTER for each in verdicts),
        first.decision is Finding.FASTER and first.faster == "a",
        ratio if first.faster == "a" else 1 / ratio,
    )


def outcomes(scenario: Scenario, runs: int) -> Iterator[Outcome]:
    with ProcessPoolExecutor() as pool:
        yield from pool.map(analyse, [(scenario, seed) for seed in range(runs)], chunksize=10)


def recommended_requests(seed: int) -> int:
    """Return what the page recommends after a first run of its default length."""
    pilot = simulate(Scenario(requests=40), seed=100_000 + seed)
    recommended = verdict.recommended_requests(verdict.verdicts(pilot), pilot)
    assert recommended is not None
    return recommended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="simulated comparisons without a difference (1000)")
    runs = parser.parse_args().runs
    drifting = Scenario(requests=100, slower=TRUE_RATIO, drift=1.5)
    scenarios = {
        "no difference": (Scenario(), runs),
        "no difference, the server drifts by 50 %": (Scenario(drift=1.5), runs // 4),
        "no difference, every other first token takes 3 times as long": (Scenario(bimodal=True), runs // 4),
        "5 % slower, as many requests as the page recommends": (Scenario(None, TRUE_RATIO), runs // 5),
        "5 % slower, the server drifts by 50 %, interleaved": (drifting, runs // 4),
        "5 % slower, the same, one after the other": (replace(drifting, interleaved=False), runs // 4),
    }
    results = {name: summary(list(outcomes(scenario, count))) for name, (scenario, count) in scenarios.items()}
    rows = [
        [name, f"{each['runs']:,}", f"{each['claims']:.1%}", f"{each['detections']:.1%}", f"{each['estimate']:.3f}"]
        for name, each in results.items()
    ]
    headers = ["simulated", "runs", "claims a difference", "finds b slower", "b's first token / a's, mean"]
    print(table(headers, rows))
    sys.exit(0 if check_goals(results) else 1)


def summary(results: Sequence[Outcome]) -> dict[str, float]:
    return {
        "runs": len(results),
        "claims": mean(each.claims_difference for each in results),
        "detections": mean(each.finds_b_slower for each in results),
        "estimate": mean(each.estimate for each in results),
    }


def check_goals(results: dict[str, dict[str, float]]) -> bool:
    """Print which goals are met and write the results either way."""
    same, drifting, bimodal, power, interleaved, sequential = results.values()
    goals = {
        "at most 5 % of runs without a difference claim one": max(each["claims"] for each in (same, drifting, bimodal))
        <= 0.05,
        "a true 5 % is found in 80 % of runs of the recommended size": power["detections"] >= 0.8,
        "interleaved, the estimate under drift is right within 1 %": abs(interleaved["estimate"] / TRUE_RATIO - 1)
        <= 0.01,
        "one after the other, it isn't": abs(sequential["estimate"] / TRUE_RATIO - 1) > 0.05,
    }
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    write("verdicts", {"simulated": results, "goals": goals})
    return all(goals.values())


if __name__ == "__main__":
    main()
