"""Whether the comparator's verdicts hold: simulated servers of known speed, judged by the code that judges real ones.

    python benchmarks/verdicts.py [--runs 1000]

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
from statistics import mean

import numpy as np
from harness.tables import table, write

from backends import Arrival
from compare.analyse import verdict
from compare.measure.plan import Block, RunPlan
from compare.records import Record, Run

FIRST, GAP, TOKENS = 0.2, 0.02, 16  # seconds to the first token, seconds between tokens, tokens
TRUE = 1.05  # how much slower the slower server is


@dataclass(frozen=True)
class World:
    """What is simulated: b is `slower` times as slow as a; the machine becomes `drift` times slower over the run.

    No `requests` means as many as the page recommends after a first short run of the same seed.
    """

    requests: int | None = 100
    slower: float = 1.0
    drift: float = 1.0
    interleaved: bool = True
    two_sorts: bool = False  # half of the first tokens are three times as late, as with a cache that hits or misses


def simulate(world: World, seed: int) -> Run:
    """One run of the plan over the simulated servers."""
    assert world.requests is not None
    plan = RunPlan(("a", "b"), requests=world.requests, seed=seed)
    blocks = plan.blocks() if world.interleaved else sorted(plan.blocks(), key=lambda block: block.target)
    draw, clock = np.random.default_rng([seed, world.requests]), 0.0
    length = 2 * world.requests * (FIRST + GAP * TOKENS)
    run = Run({"plan": asdict(plan), "loads": [load.name for load in plan.loads]}, ended="finished")
    for block in blocks:
        own = math.exp(0.03 * draw.standard_normal())
        for _ in range(block.size):
            slowness = own * world.drift ** (clock / length) * (world.slower if block.target == "b" else 1.0)
            late = 3.0 if world.two_sorts and draw.random() < 0.5 else 1.0
            record = answer(block, clock, slowness, draw, late)
            clock += record.ended
            run.records.append(record)
    return run


def answer(block: Block, clock: float, slowness: float, draw: np.random.Generator, late: float) -> Record:
    """One request's arrivals; its first token is `late` times as late as others."""
    slowness *= math.exp(0.1 * draw.standard_normal()) * (3 if draw.random() < 0.02 else 1)
    gaps = GAP * slowness * np.exp(0.1 * draw.standard_normal(TOKENS - 1))
    times = np.cumsum([FIRST * late * slowness * math.exp(0.1 * draw.standard_normal()), *gaps])
    arrivals = tuple(Arrival(float(seconds), "answer", 4) for seconds in times)
    return Record(
        block.target, block.load.name, block.number, "measured", 0, clock, clock, float(times[-1]), 1, arrivals
    )


def judge(job: tuple[World, int]) -> tuple[bool, bool, float]:
    """One simulated run: a difference was claimed; b's first token was found slower; how many times slower."""
    world, seed = job
    found = verdict.verdicts(simulate(replace(world, requests=world.requests or recommended(seed)), seed))
    claimed = any(each.decision == "faster" for each in found)
    first = next(each for each in found if each.metric == "ttft" and each.quantile == 0.5)
    ratio = first.ratio or 1.0
    slower = ratio if first.faster == "a" else 1 / ratio
    return claimed, first.decision == "faster" and first.faster == "a", slower


def judged(world: World, runs: int) -> Iterator[tuple[bool, bool, float]]:
    with ProcessPoolExecutor() as pool:
        yield from pool.map(judge, [(world, seed) for seed in range(runs)], chunksize=10)


def recommended(seed: int) -> int:
    """What the page recommends after a first run of its default length."""
    pilot = simulate(World(requests=40), seed=100_000 + seed)
    wanted = verdict.recommended(verdict.verdicts(pilot), pilot)
    assert wanted is not None
    return wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="simulated comparisons without a difference (1000)")
    runs = parser.parse_args().runs
    drifting = World(requests=100, slower=TRUE, drift=1.5)
    worlds = {
        "no difference": (World(), runs),
        "no difference, the server drifts by 50 %": (World(drift=1.5), runs // 4),
        "no difference, every other first token 3 times as late": (World(two_sorts=True), runs // 4),
        "5 % slower, as many requests as the page recommends": (World(None, TRUE), runs // 5),
        "5 % slower, the server drifts by 50 %, interleaved": (drifting, runs // 4),
        "5 % slower, the same, one after the other": (replace(drifting, interleaved=False), runs // 4),
    }
    results = {name: summary(list(judged(world, count))) for name, (world, count) in worlds.items()}
    rows = [
        [name, f"{each['runs']:,}", f"{each['claimed']:.1%}", f"{each['found']:.1%}", f"{each['estimate']:.3f}"]
        for name, each in results.items()
    ]
    print(table(["simulated", "runs", "claims a difference", "finds b slower", "b's first token × a's, mean"], rows))
    sys.exit(0 if goals(list(results.values()), results) else 1)


def summary(found: Sequence[tuple[bool, bool, float]]) -> dict[str, float]:
    return {
        "runs": len(found),
        "claimed": mean(claimed for claimed, _, _ in found),
        "found": mean(slower for _, slower, _ in found),
        "estimate": mean(ratio for _, _, ratio in found),
    }


def goals(each: Sequence[dict[str, float]], results: dict[str, dict[str, float]]) -> bool:
    """Print which goals are met; the table is written either way."""
    same, drifts, sorts, power, interleaved, sequential = each
    met = {
        "at most 5 % of runs without a difference claim one": max(world["claimed"] for world in (same, drifts, sorts))
        <= 0.05,
        "a true 5 % is found in 80 % of runs of the recommended size": power["found"] >= 0.8,
        "interleaved, the estimate under drift is right within 1 %": abs(interleaved["estimate"] / TRUE - 1) <= 0.01,
        "one after the other, it is not": abs(sequential["estimate"] / TRUE - 1) > 0.05,
    }
    print()
    for goal, is_met in met.items():
        print(f"{'met   ' if is_met else 'MISSED'}  {goal}")
    write("verdicts", {"simulated": results, "goals": met})
    return all(met.values())


if __name__ == "__main__":
    main()
