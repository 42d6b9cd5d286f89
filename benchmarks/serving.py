"""What our inference server costs over llama.cpp's own: the same engine, asked through both in turn, in one run.

    python benchmarks/serving.py [--rounds 30] [--concurrency 1,4,8]

Our server runs llama.cpp's in a process of its own, which has an HTTP port: one is asked as its users do, the other
at that port. So both are the very same process: of two that were started alike one is often some percent slower. They
take turns, in an order drawn anew each round, with as many slots as streams. Where the processors are virtual, a pair
during which the host took more than 2 % of them away is measured again, a few times at most. The goals: at least 0.97
of its throughput, and a first token at most 3 ms later at the median.
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
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import host
from tables import free_port, table, write

from backends import Backend, Catalog, ChatRequest, Message, Stopwatch, http
from backends.stopwatch import now
from inference.service import Phase
from inference.settings import Settings

CONTEXT = 4096
REQUEST = ChatRequest([Message("user", "Tell me a long story about the sea.")], temperature=0.0)
ANSWERS, TOKENS = 2, (16, 48)
WITHIN_SECONDS = 0.5
LEAST_THROUGHPUT, MOST_LATER_MS = 0.97, 3.0
OURS, THEIRS = "spaceport", "llama.cpp"


@contextlib.contextmanager
def serving(parallel: int) -> Iterator[tuple[dict[str, tuple[str, str]], dict[str, int]]]:
    """URL and key of our server and of the engine inside it, and their processes."""
    port = free_port()
    settings = {"PORT": port, "HOST": "127.0.0.1", "PARALLEL": parallel, "CONTEXT": CONTEXT, "LOG_LEVEL": "warning"}
    environment = os.environ | {f"SPACEPORT_{name}": str(value) for name, value in settings.items()}
    server = subprocess.Popen([sys.executable, __file__, "--serve"], env=environment, stdout=subprocess.PIPE)
    try:
        assert server.stdout
        engine = json.loads(server.stdout.readline())
        urls = {OURS: (f"http://127.0.0.1:{port}", "none"), THEIRS: (engine["url"], engine["key"])}
        yield urls, {OURS: server.pid, THEIRS: engine["pid"]}
    finally:
        server.terminate()
        server.wait()


def serve() -> int:
    """Be our server, and tell on standard output where its engine is, as soon as it answers."""
    from inference import __main__ as inference

    def tell(server: inference.Server) -> None:
        while server.service.phase is not Phase.READY:
            time.sleep(0.1)
        engine = server.service.backend._running[0]
        print(json.dumps({"url": engine.url, "key": engine.key, "pid": engine.pid}), flush=True)

    class Told(inference.Server):
        def __init__(self, settings: Settings) -> None:
            super().__init__(settings)
            threading.Thread(target=tell, args=[self], daemon=True).start()

    inference.Server = Told
    return inference.main(["serve"])


Block = tuple[float, list[float]]  # tokens a second of all streams together, and each one's first token in ms


async def block(backend: Backend, streams: int, seed: int) -> Block:
    """A closed loop of so many streams, each of which asks anew when its answer has ended; they begin within 0.5 s.

    The prompt is always the same, and so in the cache: what remains is the way. Lengths differ, the same for both
    servers, or all streams would begin at the same moment again and again.
    """
    watches = [[Stopwatch() for _ in range(ANSWERS)] for _ in range(streams)]
    draw = random.Random(seed)
    lengths = [[draw.randint(*TOKENS) for _ in each] for each in watches]
    begins = [0.0, *(draw.uniform(0, WITHIN_SECONDS) for _ in watches[1:])]

    async def loop(mine: list[Stopwatch], tokens: list[int], begin: float) -> None:
        await asyncio.sleep(begin)
        for watch, most in zip(mine, tokens, strict=True):
            with watch.marking():
                async for _ in watch.watch(backend.stream(replace(REQUEST, max_tokens=most))):
                    pass

    began = now()
    await asyncio.gather(*(loop(*each) for each in zip(watches, lengths, begins, strict=True)))
    wall = now() - began
    done = [watch for mine in watches for watch in mine]
    tokens = sum(watch.usage.output_tokens for watch in done if watch.usage)
    return tokens / wall, [1000 * (watch.first_token_seconds or 0) for watch in done]


async def rounds(urls: dict[str, tuple[str, str]], count: int, loads: list[int]) -> dict[int, dict[str, list[Block]]]:
    """The blocks of each load and server, in an order drawn anew each round; the first round warms up."""
    entries = {name: {"kind": "openai", "url": url, "api_key": key} for name, (url, key) in urls.items()}
    backends = {name: Catalog(entries, source="benchmark").connect(name) for name in entries}
    disturbed: Counter[int] = Counter()
    taken: dict[int, dict[str, list[Block]]] = {load: {name: [] for name in entries} for load in loads}
    for number in range(count + 1):
        print(f"\rround {number} of {count}", end="", file=sys.stderr, flush=True)
        for load in random.sample(loads, len(loads)):
            for attempt in range(host.TRIES):
                before = host.ticks()
                pair = {name: await block(backends[name], load, number) for name in random.sample(list(entries), 2)}
                if not host.was_busy(before):
                    break
                disturbed[load] += attempt == host.TRIES - 1
            for name, found in pair.items() if number else ():
                taken[load][name].append(found)
    await http.aclose()
    if sum(disturbed.values()):
        print(f"\nThe host was busy in each try of some pairs, by streams: {dict(disturbed)}.", file=sys.stderr)
    return taken


def measured(options: argparse.Namespace) -> tuple[dict[int, dict[str, list[Block]]], dict[str, float]]:
    """The blocks, and the memory of each server after them, in megabytes."""
    loads = [int(each) for each in options.concurrency.split(",")]
    with serving(max(loads)) as (urls, processes):
        taken = asyncio.run(rounds(urls, options.rounds, loads))
        return taken, {name: megabytes(pid) for name, pid in processes.items()}


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
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--concurrency", default="1,4,8")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        sys.exit(serve())
    taken, memory = measured(options)
    rows, told, met = [], {}, True
    for load, found in taken.items():
        share, low, high = shared(found)
        first = {name: median(each for _, firsts in blocks for each in firsts) for name, blocks in found.items()}
        later = first[OURS] - first[THEIRS]
        met = met and share >= LEAST_THROUGHPUT and later <= MOST_LATER_MS
        told[load] = {"throughput_share": share, "low": low, "high": high, "first_token_later_ms": later}
        for name, blocks in found.items():
            rate = f"{median(rate for rate, _ in blocks):.1f}"
            apart = [f"{share:.3f} ({low:.3f} to {high:.3f})", f"{later:+.2f}"] if name == OURS else ["1", "0"]
            rows.append([name, str(load), rate, apart[0], f"{first[name]:.2f}", apart[1], f"{memory[name]:.0f}"])
    heads = ("server", "streams", "tokens/s", "× llama.cpp", "first token p50 ms", "− llama.cpp ms", "memory MB")
    print("\n" + table(heads, rows))
    goal = f"throughput at least {LEAST_THROUGHPUT} of llama.cpp's, first token at most {MOST_LATER_MS:g} ms later"
    print(f"\n{'met   ' if met else 'MISSED'}  {goal}")
    write("serving", {"figures": told, "memory_mb": memory, "met": met})
    sys.exit(0 if met else 1)


def shared(found: dict[str, list[Block]]) -> tuple[float, float, float]:
    """Our throughput as a share of theirs, round by round: the median, and where 95 % of resampled medians lie."""
    ratios = [mine / other for (mine, _), (other, _) in zip(found[OURS], found[THEIRS], strict=True)]
    drawn = sorted(median(random.choices(ratios, k=len(ratios))) for _ in range(2000))
    return median(ratios), drawn[50], drawn[1949]


if __name__ == "__main__":
    main()
