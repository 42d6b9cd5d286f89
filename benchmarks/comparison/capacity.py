"""Checks capacity searches on servers whose knee is known.

    python benchmarks/comparison/capacity.py [--searches 200]

A server has a number of places; a request takes the next free one and waits for it in a queue. Most rows are simulated,
without sockets and waiting, with the code that searches real targets: their knee comes from a very long simulation of
each load. The last one is a search of a real server, whose answers all take half a second: with one user more than it
has places, everybody waits. Takes 15 minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.simulated_server import QUESTIONS, Server, Simulation
from harness.tables import free_port, table, write

from compare.capacity.curve import Curve
from compare.capacity.grid import Grid
from compare.capacity.result import Capacity, Reliability, conclude
from compare.capacity.search import Search
from compare.capacity.slo import parse_slo

SERVER = "compare.conformance.scripted_server"
UP_TO_64 = Grid("users", 64)
EXACT_REQUESTS, EXACT_RATE_REQUESTS = 60_000, 300_000  # of each load, for the true knee


@dataclass(frozen=True)
class Scenario:
    """A server, a service level, and the loads of the search."""

    server: Server
    slo: str = "ttft_p95<400ms"
    grid: Grid = UP_TO_64
    known: bool = True  # the knee is one number: the server doesn't drift


SCENARIOS = {
    "6 places, first token": Scenario(Server(6)),
    "20 places, first token": Scenario(Server(20)),
    "100 places, limit 256": Scenario(Server(100), grid=Grid("users", 256)),
    "20 places, all answers equally long": Scenario(Server(20, noise=0.01)),
    "20 places, answers of very different lengths": Scenario(Server(20, noise=0.8)),
    "first token grows with each user": Scenario(Server(8, shared=True), "ttft_p95<300ms"),
    "rejects beyond 16": Scenario(Server(16, rejects=True), "ttft_p95<400ms, error<1%"),
    "6 places, also error<1%": Scenario(Server(6), "ttft_p95<400ms, error<1%"),
    "6 places, p99": Scenario(Server(6), "ttft_p99<400ms"),
    "6 places, no wobble": Scenario(Server(6, wobble=0)),
    "10 places, requests/s": Scenario(Server(10, noise=0.4), grid=Grid("requests/s", 100)),
    "answers worse beyond 12": Scenario(Server(100, hurries_beyond=12), "ttft_p95<400ms, quality>=0.9*baseline"),
    "never meets it": Scenario(Server(6, first=1)),
    "meets it up to the limit": Scenario(Server(1000)),
    "6 places, 1.6 times slower after 200 requests": Scenario(
        Server(6, drift=1.6, drift_after=200), "e2e_p95<1.9s", known=False
    ),
}


def search(scenario: Scenario, seed: int) -> Capacity:
    """Return the answer of one search."""
    simulation = Simulation(scenario.server, seed)
    curve = Curve(parse_slo(scenario.slo), scenario.grid)
    first = 2 * QUESTIONS if scenario.server.hurries_beyond else 0
    for batch in Search(curve, first_requests=first).batches():
        curve.add(batch.value, simulation.batch(scenario.grid, batch.value, batch.requests))
    return conclude("a", curve, ended=True)


def true_knee(scenario: Scenario) -> float:
    """Return the highest load that meets the service level, from very long simulations, to 1 %."""
    low, high = 0.0, scenario.grid.limit
    if scenario.server.hurries_beyond:
        return scenario.server.hurries_beyond
    if _holds(scenario, high):
        return high
    step = 1 if scenario.grid.unit == "users" else 0.01
    while high - low > max(step, 0.005 * low if step < 1 else 0):
        middle = (low + high) // 2 if step == 1 else (low + high) / 2
        low, high = (middle, high) if _holds(scenario, middle) else (low, middle)
    return low


def _holds(scenario: Scenario, value: float) -> bool:
    """Judge one load by a hundred long batches."""
    clauses, grid = parse_slo(scenario.slo), scenario.grid
    simulation, count, misses = Simulation(scenario.server, 1_000_000), 0, dict.fromkeys(clauses, 0.0)
    while count < (EXACT_RATE_REQUESTS if grid.is_open else EXACT_REQUESTS):
        # The queue of a rate grows with time, so a rate is one that is held for as long as a batch lasts.
        batch = simulation.batch(grid, value, grid.batch(value) if grid.is_open else max(500, int(20 * value)))
        count += len(batch)
        for clause in clauses:
            misses[clause] += sum(clause.missed_share(record) or 0 for record in batch)
    return all(misses[clause] / count < clause.allowed for clause in clauses)


def summary(scenario: Scenario, searches: int) -> dict[str, float | None]:
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(partial(search, scenario), range(searches), chunksize=10))
    knee = true_knee(scenario) if scenario.known else None
    holds = [result.holds or 0 for result in results]
    step = 0.0 if scenario.grid.is_open else 1.0
    return {
        "searches": searches,
        "knee": knee,
        "holds": median(holds),
        "bias": mean(holds) / knee - 1 if knee else None,
        "exact": mean(abs(value - knee) <= 0.05 * knee for value in holds) if knee else None,
        "near": mean(abs(value - knee) <= max(0.05 * knee, step) for value in holds) if knee else None,
        "covered": mean(covers(result, knee) for result in results) if knee is not None else None,
        "width": median(width(result) for result in results),
        "requests": median(result.requests for result in results),
        "moved": mean(result.reliability is not Reliability.GOOD for result in results),
    }


def covers(result: Capacity, knee: float) -> bool:
    return result.low <= knee <= (result.high if result.high is not None else float("inf"))


def width(result: Capacity) -> float:
    return (result.high - result.low) if result.high is not None else 0.0


# The model, its places, and a limit for the first token, which takes 200 ms without a wait. One user too many makes all
# wait for the share 1 / places of an answer, which takes 500 ms.
REAL = {"8 places, a real server": ("places_8", 8, "230ms")}


def search_real(model: str, places: int, limit: str) -> dict[str, float | None]:
    """Search a server on a local port by the command line program."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = subprocess.Popen([sys.executable, "-m", SERVER, str(port)], stdout=subprocess.PIPE)
        try:
            server.stdout.readline()
            catalog = Path(folder, "catalog.toml")
            catalog.write_text(f'[server]\nkind = "openai"\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "{model}"\n')
            answer, out = Path(folder, "answer.json"), Path(folder, "run.jsonl")
            command = [sys.executable, "-m", "compare", "capacity", "--target", "server", "--catalog", catalog]
            options = ["--slo", f"ttft_p95<{limit}", "--users", "64", "--max-tokens", "16", "--progress", "none"]
            subprocess.run([*command, *options, "--out", out, "--json", answer], check=False, stdout=subprocess.DEVNULL)
            capacity = json.loads(answer.read_text())["targets"]["server"]
        finally:
            server.kill()
            server.wait()
    holds, low, high = capacity["holds"] or 0, capacity["low"], capacity["high"]
    return {
        "searches": 1,
        "knee": places,
        "holds": holds,
        "bias": holds / places - 1,
        "exact": float(abs(holds - places) <= 0.05 * places),
        "near": float(abs(holds - places) <= max(1, 0.05 * places)),
        "covered": float(low <= places and (high is None or places <= high)),
        "width": (high or low) - low,
        "requests": capacity["requests"],
        "moved": float(capacity["reliability"] != Reliability.GOOD),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--only", default="", help="rows whose name contains this")
    options = parser.parse_args()
    results = {
        name: summary(scenario, options.searches) for name, scenario in SCENARIOS.items() if options.only in name
    }
    results |= {name: search_real(*server) for name, server in REAL.items() if options.only in name}
    headers = ["server", "knee", "holds, median", "bias", "within 5 %", "or 1 user", "interval has it", "width"]
    headers += ["requests", "said to have changed"]
    print(table(headers, [[name, *_cells(each)] for name, each in results.items()]))
    return 0 if check_goals(results) else 1


def check_goals(results: dict[str, dict[str, float | None]]) -> bool:
    """Print which goals are met and write the results either way."""
    users = [each for name, each in results.items() if each["knee"] and "requests/s" not in name]
    known = [each for each in results.values() if each["knee"] is not None]
    goals = {
        "the mean is within 5 % of the knee": all(abs(each["bias"] or 0) <= 0.05 for each in known),
        "90 % of the answers are within 5 %": all((each["exact"] or 0) >= 0.9 for each in known if each["knee"]),
        "95 % of searches for users are within 5 % or 1 user": all((each["near"] or 0) >= 0.95 for each in users),
        "95 % of the intervals have the knee": all((each["covered"] or 0) >= 0.95 for each in known),
        "at most 5 % are said to have changed if they haven't": all((each["moved"] or 0) <= 0.05 for each in known),
    }
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    write("capacity", {"searches": results, "goals": goals})
    return all(goals.values())


def _cells(each: dict[str, float | None]) -> list[str]:
    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.1%}"

    return [
        "" if each["knee"] is None else f"{each['knee']:.3g}",
        f"{each['holds']:.3g}",
        *(share(each[key]) for key in ("bias", "exact", "near", "covered")),
        f"{each['width']:.3g}",
        f"{each['requests']:,.0f}",
        share(each["moved"]),
    ]


if __name__ == "__main__":
    sys.exit(main())
