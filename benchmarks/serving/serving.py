"""The cost of Spaceport's inference server over llama.cpp's own server: the same engine, called through both in turn.

    python benchmarks/serving/serving.py [--rounds 30] [--concurrency 1,4,8]

Spaceport's server runs llama.cpp's server in a child process with an HTTP port. The benchmark calls Spaceport's port
and the engine's port, so both share one engine: two engines that are started the same way often differ by some
percent. The order of the two is random in each round, and the server has as many slots as there are streams.
Throughput is measured with long answers. The first token is measured with many short ones: it waits for the engine's
current step, so a small difference needs many samples. On a virtual machine, a pair is measured again, up to a few
times, if the host took more than 2 % of the processor time meanwhile. The goals: at least 0.93 of llama.cpp's
throughput with one stream and 0.97 with more, and a first token at most 3 ms later at the median.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness import host
from harness.tables import free_port, table, write

from backends import Backend, Catalog, ChatRequest, Message, Stopwatch
from backends.http.connections import close_connections
from backends.stopwatch import now
from inference.lifecycle import Phase

CONTEXT = 4096
REQUEST = ChatRequest([Message("user", "Tell me a long story about the sea.")], temperature=0.0)
START_SECONDS = 0.5  # the streams of a block start within this time
MIN_THROUGHPUT, MIN_THROUGHPUT_ONE_STREAM, MAX_DELAY_MS = 0.97, 0.93, 3.0
SPACEPORT, LLAMA_CPP = "spaceport", "llama.cpp"


class Workload(NamedTuple):
    """Answers per stream, and the range of their lengths in tokens."""

    answers: int
    tokens: tuple[int, int]


LONG = Workload(2, (16, 48))
SHORT = Workload(8, (4, 12))


class Block(NamedTuple):
    """Tokens per second of all streams together, and each answer's time to first token in milliseconds."""

    rate: float
    first_tokens: list[float]


class Interval(NamedTuple):
    """A metric, and the 95 % interval of its bootstrap resamples."""

    value: float
    low: float
    high: float


Blocks = dict[int, dict[Workload, dict[str, list[Block]]]]  # by streams, workload and server


@contextlib.contextmanager
def serving(parallel: int) -> Iterator[tuple[dict[str, tuple[str, str]], dict[str, int]]]:
    """URL and key of Spaceport's server and of its engine, and their process ids."""
    port = free_port()
    settings = {"PORT": port, "HOST": "127.0.0.1", "PARALLEL": parallel, "CONTEXT": CONTEXT, "LOG_LEVEL": "warning"}
    environment = os.environ | {f"SPACEPORT_{name}": str(value) for name, value in settings.items()}
    server = subprocess.Popen([sys.executable, __file__, "--serve"], env=environment, stdout=subprocess.PIPE)
    try:
        assert server.stdout
        engine = json.loads(server.stdout.readline())
        urls = {SPACEPORT: (f"http://127.0.0.1:{port}", "none"), LLAMA_CPP: (engine["url"], engine["key"])}
        yield urls, {SPACEPORT: server.pid, LLAMA_CPP: engine["pid"]}
    finally:
        server.terminate()
        server.wait()


def serve() -> int:
    """Run Spaceport's server, and print its engine's address to standard output when it is ready."""
    from inference import server as inference

    def print_engine(server: inference.Server) -> None:
        while server.service.phase is not Phase.READY:
            time.sleep(0.1)
        engine = server.service.backend._running[0]
        print(json.dumps({"url": engine.url, "key": engine.key, "pid": engine.pid}), flush=True)

    class ReportingServer(inference.Server):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            threading.Thread(target=print_engine, args=[self], daemon=True).start()

    inference.Server = ReportingServer
    return inference.serve()


async def run_block(backend: Backend, streams: int, seed: int, workload: Workload) -> Block:
    """Run a closed loop of `streams` streams, each of which asks again when its answer has ended.

    The prompt is always the same, so it is cached and only the transport differs. The lengths vary, equally for both
    servers; otherwise all streams would always restart together.
    """
    stopwatches = [[Stopwatch() for _ in range(workload.answers)] for _ in range(streams)]
    draw = random.Random(seed)
    lengths = [[draw.randint(*workload.tokens) for _ in each] for each in stopwatches]
    delays = [0.0, *(draw.uniform(0, START_SECONDS) for _ in stopwatches[1:])]

    async def loop(stream_stopwatches: list[Stopwatch], max_tokens: list[int], delay: float) -> None:
        await asyncio.sleep(delay)
        for stopwatch, tokens in zip(stream_stopwatches, max_tokens, strict=True):
            with stopwatch.marking():
                async for _ in stopwatch.record(backend.stream(replace(REQUEST, max_tokens=tokens))):
                    pass

    started = now()
    await asyncio.gather(*(loop(*each) for each in zip(stopwatches, lengths, delays, strict=True)))
    seconds = now() - started
    answers = [stopwatch for each in stopwatches for stopwatch in each]
    tokens = sum(stopwatch.usage.output_tokens for stopwatch in answers if stopwatch.usage)
    return Block(tokens / seconds, [1000 * (stopwatch.first_token_seconds or 0) for stopwatch in answers])


async def run_rounds(urls: dict[str, tuple[str, str]], count: int, loads: list[int]) -> Blocks:
    """The blocks of each load and server, in a random order each round; the first round warms up."""
    entries = {name: {"kind": "openai", "url": url, "api_key": key} for name, (url, key) in urls.items()}
    backends = {name: Catalog(entries, source="benchmark").connect(name) for name in entries}
    disturbed: Counter[int] = Counter()
    blocks: Blocks = {load: {work: {name: [] for name in entries} for work in (LONG, SHORT)} for load in loads}
    for number in range(count + 1):
        print(f"\rround {number} of {count}", end="", file=sys.stderr, flush=True)
        cases = [(load, workload) for load in loads for workload in (LONG, SHORT)]
        for load, workload in random.sample(cases, len(cases)):
            for attempt in range(host.TRIES):
                before = host.ticks()
                order = random.sample(list(entries), 2)
                pair = {name: await run_block(backends[name], load, number, workload) for name in order}
                if not host.was_busy(before):
                    break
                disturbed[load] += attempt == host.TRIES - 1
            if number:
                for name, block in pair.items():
                    blocks[load][workload][name].append(block)
    await close_connections()
    if disturbed.total():
        print(f"\nThe host was busy in each try of some pairs, by streams: {dict(disturbed)}.", file=sys.stderr)
    return blocks


def measure(rounds: int, loads: list[int]) -> tuple[Blocks, dict[str, float]]:
    """The blocks, and the memory of each server afterwards in megabytes."""
    with serving(max(loads)) as (urls, processes):
        blocks = asyncio.run(run_rounds(urls, rounds, loads))
        return blocks, {name: memory_mb(pid) for name, pid in processes.items()}


def memory_mb(pid: int) -> float:
    """The memory of a process and its children; shared pages count by their share (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    # Linux lists a child under the thread that started it.
    children = [
        child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return kilobytes / 1024 + sum(memory_mb(int(child)) for child in children)


def throughput_share(blocks: dict[str, list[Block]]) -> Interval:
    """Spaceport's throughput as a share of llama.cpp's: the median of the rounds."""
    return bootstrap(blocks, lambda pairs: median(ours.rate / theirs.rate for ours, theirs in pairs))


def first_token_delay(blocks: dict[str, list[Block]]) -> Interval:
    """The median first token of Spaceport minus that of llama.cpp, in milliseconds."""
    return bootstrap(
        blocks, lambda pairs: first_token([ours for ours, _ in pairs]) - first_token([theirs for _, theirs in pairs])
    )


def first_token(blocks: list[Block]) -> float:
    return median(each for block in blocks for each in block.first_tokens)


def bootstrap(blocks: dict[str, list[Block]], metric: Callable[[list[tuple[Block, Block]]], float]) -> Interval:
    """A metric of the rounds, and its interval over 1,000 resamples of the rounds."""
    pairs = list(zip(blocks[SPACEPORT], blocks[LLAMA_CPP], strict=True))
    resamples = sorted(metric(random.choices(pairs, k=len(pairs))) for _ in range(1000))
    return Interval(metric(pairs), resamples[25], resamples[974])


def report(blocks: Blocks, memory: dict[str, float]) -> bool:
    """Print the table and the goal, write the results, and return whether the goal is met."""
    rows, metrics, met = [], {}, True
    for load, by_workload in blocks.items():
        share, delay = throughput_share(by_workload[LONG]), first_token_delay(by_workload[SHORT])
        minimum = MIN_THROUGHPUT_ONE_STREAM if load == 1 else MIN_THROUGHPUT
        met = met and share.value >= minimum and delay.value <= MAX_DELAY_MS
        metrics[load] = {"throughput_share": share, "first_token_later_ms": delay}
        for name, memory_of_server in memory.items():
            rate = f"{median(block.rate for block in by_workload[LONG][name]):.1f}"
            first = f"{first_token(by_workload[SHORT][name]):.2f}"
            difference = ["{:.3f} ({:.3f} to {:.3f})".format(*share), "{:+.2f} ({:+.2f} to {:+.2f})".format(*delay)]
            comparison = difference if name == SPACEPORT else ["1", "0"]
            rows.append([name, str(load), rate, first, *comparison, f"{memory_of_server:.0f}"])
    heads = ("server", "streams", "tokens/s", "first token ms", "× tokens/s", "first token later by ms", "memory MB")
    print("\n" + table(heads, rows))
    goal = (
        f"throughput at least {MIN_THROUGHPUT_ONE_STREAM} of llama.cpp's with one stream and {MIN_THROUGHPUT} with "
        f"more, first token at most {MAX_DELAY_MS:g} ms later"
    )
    print(f"\n{'met   ' if met else 'MISSED'}  {goal}")
    write("serving", {"metrics": metrics, "memory_mb": memory, "met": met})
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--concurrency", default="1,4,8")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        sys.exit(serve())
    loads = [int(each) for each in options.concurrency.split(",")]
    sys.exit(0 if report(*measure(options.rounds, loads)) else 1)


if __name__ == "__main__":
    main()
