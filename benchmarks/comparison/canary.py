"""Checks canary decisions on simulated canaries, with the code that decides about real ones.

    python benchmarks/comparison/canary.py [--runs 100]

The servers are those of verdicts.py: times vary by 10 % from request to request and by 3 % from block to block, and
one request in fifty takes three times as long. The size is what the decision recommends after a first run of 40
requests, at most 400. Takes ten minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import table, write
from verdicts import Scenario, simulate

from compare.analyse.canary.canary import TOLERANCE, CanaryDecision, Decision, Release, decide
from compare.report.words.canary_text import DECISION_LABELS
from compare.runs.records import Failure, Record, Run

MAX_REQUESTS = 400  # as many as a pipeline waits for
FAILURE = Failure("Rejected", "simulated")


@dataclass(frozen=True)
class Canary:
    """A simulated canary; `failure_rates` are those of the stable release and of the canary.

    With `burst`, one run in three has a block of either whose requests all fail.
    """

    scenario: Scenario = field(default_factory=lambda: Scenario(requests=None))
    failure_rates: tuple[float, float] = (0.0, 0.0)
    burst: bool = False

    @property
    def is_slower(self) -> bool:
        return self.scenario.slower > 1 + TOLERANCE

    @property
    def is_good(self) -> bool:
        return not self.is_slower and self.failure_rates[0] == self.failure_rates[1]


CANARIES = {
    "the same": Canary(),
    "the same, 40 requests": Canary(Scenario(requests=40)),
    "the same, noisy: the machine drifts by 50 %": Canary(Scenario(requests=None, drift=1.5)),
    "the same, noisy: every other first token takes 3 times as long": Canary(Scenario(requests=None, bimodal=True)),
    "the same, both fail 2 % of requests": Canary(failure_rates=(0.02, 0.02)),
    "the same, one bad moment of either": Canary(burst=True),
    "5 % slower: inside the tolerance": Canary(Scenario(requests=None, slower=1.05)),
    "20 % slower": Canary(Scenario(requests=None, slower=1.2)),
    "20 % slower, noisy: the machine drifts by 50 %": Canary(Scenario(requests=None, slower=1.2, drift=1.5)),
    "20 % faster": Canary(Scenario(requests=None, slower=1 / 1.2)),
    "20 % of its requests fail": Canary(failure_rates=(0.0, 0.2)),
    "it answers nothing, 40 requests": Canary(Scenario(requests=40), failure_rates=(0.0, 1.0)),
}


def simulate_run(canary: Canary, seed: int) -> Run:
    """Return one run of both releases, with their failures."""
    run = simulate(canary.scenario, seed)
    random = np.random.default_rng([seed, 7])
    rates = dict(zip(("a", "b"), canary.failure_rates, strict=True))
    blocks = sorted({record.block for record in run.records})
    has_burst = canary.burst and random.random() < 1 / 3
    burst = (str(random.choice(["a", "b"])), int(random.choice(blocks))) if has_burst else None
    run.records[:] = [
        fail(record) if random.random() < rates[record.target] or burst == (record.target, record.block) else record
        for record in run.records
    ]
    return run


def fail(record: Record) -> Record:
    return replace(record, arrivals=(), error=FAILURE)


def decide_run(run: Run) -> CanaryDecision:
    return decide(Release(run, "a"), Release(run, "b"))


def simulate_decision(job: tuple[Canary, int]) -> tuple[Decision, int]:
    """Return the decision on one simulated canary, and the requests that it is based on."""
    canary, seed = job
    size = canary.scenario.requests
    if size is None:
        pilot = replace(canary, scenario=replace(canary.scenario, requests=40))
        recommended = decide_run(simulate_run(pilot, 100_000 + seed)).recommended_requests
        size = min(recommended or 100, MAX_REQUESTS)
    full = replace(canary, scenario=replace(canary.scenario, requests=size))
    return decide_run(simulate_run(full, seed)).decision, size


def decisions(canary: Canary, runs: int) -> Iterator[tuple[Decision, int]]:
    with ProcessPoolExecutor() as pool:
        yield from pool.map(simulate_decision, [(canary, seed) for seed in range(runs)], chunksize=5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    rows, shares = [], {}
    for name, canary in CANARIES.items():
        results = list(decisions(canary, runs))
        counts = Counter(decision for decision, _ in results)
        shares[name] = {decision: counts[decision] / runs for decision in Decision}
        median_size = sorted(size for _, size in results)[runs // 2]
        rows.append([name, str(median_size), *(f"{shares[name][decision]:.1%}" for decision in Decision)])
    print(table(["canary", "requests, median", *DECISION_LABELS.values()], rows))
    return 0 if check_goals(shares, runs) else 1


def check_goals(shares: dict[str, dict[Decision, float]], runs: int) -> bool:
    """Print which goals are met and write the results either way."""
    good = [share[Decision.ROLL_BACK] for name, share in shares.items() if CANARIES[name].is_good]
    goals = {
        "a good canary is rolled back in at most 5 % of runs": max(good) <= 0.05,
        "a canary that is 20 % slower is caught in 90 %": shares["20 % slower"][Decision.ROLL_BACK] >= 0.9,
        "and is never promoted": max(
            share[Decision.PROMOTE] for name, share in shares.items() if CANARIES[name].is_slower
        ) == 0,
        "a failing canary is caught in 95 %": min(
            shares["20 % of its requests fail"][Decision.ROLL_BACK],
            shares["it answers nothing, 40 requests"][Decision.ROLL_BACK],
        ) >= 0.95,
        "a good canary is promoted in 80 % at the recommended size": shares["the same"][Decision.PROMOTE] >= 0.8,
    }  # fmt: skip
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    write("canary", {"runs": runs, "simulated": shares, "goals": goals})
    return all(goals.values())


if __name__ == "__main__":
    sys.exit(main())
