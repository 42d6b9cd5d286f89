"""Whether the judge of canaries can be trusted: simulated canaries, judged by the code that judges real ones.

    python benchmarks/canary.py [--runs 100]

Servers are those of verdicts.py: times vary by 10 % from request to request and by 3 % from block to block, one in
fifty takes three times as long. The size is what the judge asks for after a first run of 40 requests, 400 at most.
Takes ten minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from harness.tables import table, write
from verdicts import World, simulate

from compare.analyse.canary import CanaryDecision, Side, judge
from compare.records import Failure, Record, Run

DECISIONS = ("promote", "roll back", "go on measuring")
MOST = 400  # requests that a pipeline has the patience for
FAILURE = Failure("Rejected", "simulated")


@dataclass(frozen=True)
class Canary:
    """What is simulated; `failing` are the shares of requests that fail, of the stable version and of the canary.

    `burst` lets all requests of one block fail instead, in one run of three, of either.
    """

    world: World = field(default_factory=lambda: World(requests=None))
    failing: tuple[float, float] = (0.0, 0.0)
    burst: bool = False


CANARIES = {
    "the same": Canary(),
    "the same, 40 requests": Canary(World(requests=40)),
    "the same, noisy: the machine drifts by 50 %": Canary(World(requests=None, drift=1.5)),
    "the same, noisy: every other first token 3 times as late": Canary(World(requests=None, two_sorts=True)),
    "the same, both fail 2 % of requests": Canary(failing=(0.02, 0.02)),
    "the same, a bad moment of one of them": Canary(burst=True),
    "5 % slower: inside the tolerance": Canary(World(requests=None, slower=1.05)),
    "20 % slower": Canary(World(requests=None, slower=1.2)),
    "20 % slower, noisy: the machine drifts by 50 %": Canary(World(requests=None, slower=1.2, drift=1.5)),
    "20 % faster": Canary(World(requests=None, slower=1 / 1.2)),
    "20 % of its requests fail": Canary(failing=(0.0, 0.2)),
    "it answers nothing, 40 requests": Canary(World(requests=40), failing=(0.0, 1.0)),
}


def run(canary: Canary, seed: int) -> Run:
    """One run of both, with what fails in it."""
    found = simulate(canary.world, seed)
    draw = np.random.default_rng([seed, 7])
    shares = dict(zip(("a", "b"), canary.failing, strict=True))
    blocks = sorted({record.block for record in found.records})
    bad = (str(draw.choice(["a", "b"])), int(draw.choice(blocks))) if canary.burst and draw.random() < 1 / 3 else None
    found.records[:] = [
        broken(record) if draw.random() < shares[record.target] or bad == (record.target, record.block) else record
        for record in found.records
    ]
    return found


def broken(record: Record) -> Record:
    return replace(record, arrivals=(), error=FAILURE)


def judged(found: Run) -> CanaryDecision:
    return judge(Side(found, "a"), Side(found, "b"))


def decide(job: tuple[Canary, int]) -> tuple[str, int]:
    """The judge's decision, and the requests that it was made on."""
    canary, seed = job
    size = canary.world.requests
    if size is None:
        first = replace(canary, world=replace(canary.world, requests=40))
        size = min(judged(run(first, 100_000 + seed)).wanted or 100, MOST)
    return judged(run(replace(canary, world=replace(canary.world, requests=size)), seed)).decision, size


def decisions(canary: Canary, runs: int) -> Iterator[tuple[str, int]]:
    with ProcessPoolExecutor() as pool:
        yield from pool.map(decide, [(canary, seed) for seed in range(runs)], chunksize=5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    rows, shares = [], {}
    for name, canary in CANARIES.items():
        found = list(decisions(canary, runs))
        counts = Counter(decision for decision, _ in found)
        shares[name] = {decision: counts[decision] / runs for decision in DECISIONS}
        size = sorted(size for _, size in found)[runs // 2]
        rows.append([name, str(size), *(f"{shares[name][decision]:.1%}" for decision in DECISIONS)])
    print(table(["canary", "requests, median", *DECISIONS], rows))
    return 0 if goals(shares, runs) else 1


def goals(shares: dict[str, dict[str, float]], runs: int) -> bool:
    good = [share["roll back"] for name, share in shares.items() if name.startswith(("the same", "5 %", "20 % faster"))]
    met = {
        "a good canary is rolled back in at most 5 % of runs": max(good) <= 0.05,
        "one that is 20 % slower is caught in 90 %": shares["20 % slower"]["roll back"] >= 0.9,
        "and is never promoted": max(
            share["promote"] for name, share in shares.items() if name.startswith("20 % slower")
        ) == 0,
        "one that fails is caught in 95 %": min(
            shares["20 % of its requests fail"]["roll back"], shares["it answers nothing, 40 requests"]["roll back"]
        ) >= 0.95,
        "a good one is promoted in 80 % at the recommended size": shares["the same"]["promote"] >= 0.8,
    }  # fmt: skip
    print()
    for goal, is_met in met.items():
        print(f"{'met   ' if is_met else 'MISSED'}  {goal}")
    write("judge", {"runs": runs, "simulated": shares, "goals": met})
    return all(met.values())


if __name__ == "__main__":
    sys.exit(main())
