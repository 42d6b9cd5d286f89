"""What our inference server costs over llama.cpp's own: the same engine, asked through both in turn, in one run.

    python benchmarks/serving.py [--rounds 30] [--concurrency 1,4,8]

Our server runs llama.cpp's in a process of its own, which has an HTTP port: one is asked as its users do, the other
at that port. So both are the very same process: of two that were started alike one is often some percent slower. They
take turns, in an order drawn anew each round, with as many slots as streams. Throughput is measured with long answers,
the first token with many short ones: it waits for the step that the engine is in, so that it takes many to see what is
ours of it. Where the processors are virtual, a pair during which the host took more than 2 % of them away is measured
again, a few times at most. The goals: at least 0.97 of its throughput, and a first token at most 3 ms later at the
median.
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

from harness import host
from harness.tables import free_port, table, write

from backends import Backend, Catalog, ChatRequest, Message, Stopwatch
from backends.http import client as http
from backends.stopwatch import now
from inference.service import Phase
from inference.settings import Settings

CONTEXT = 4096
REQUEST = ChatRequest([Message("user", "Tell me a long story about the sea.")], temperature=0.0)
# How many answers each stream gets, and of how many tokens, for either figure.
Work = tuple[int, tuple[int, int]]
LONG: Work = (2, (16, 48))
SHORT: Work = (8, (4, 12))
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


async def block(backend: Backend, streams: int, seed: int, work: Work) -> Block:
    """A closed loop of so many streams, each of which asks anew when its answer has ended; they begin within 0.5 s.

    The prompt is always the same, and so in the cache: what remains is the way. Lengths differ, the same for both
    servers, or all streams would begin at the same moment again and again.
    """
    answers, between = work
    watches = [[Stopwatch() for _ in range(answers)] for _ in range(streams)]
    draw = random.Random(seed)
    lengths = [[draw.randint(*between) for _ in each] for each in watches]
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


Taken = dict[int, dict[Work, dict[str, list[Block]]]]  # by streams, work and server


async def rounds(urls: dict[str, tuple[str, str]], count: int, loads: list[int]) -> Taken:
    """The blocks of each load and server, in an order drawn anew each round; the first round warms up."""
    entries = {name: {"kind": "openai", "url": url, "api_key": key} for name, (url, key) in urls.items()}
    backends = {name: Catalog(entries, source="benchmark").connect(name) for name in entries}
    disturbed: Counter[int] = Counter()
    taken: Taken = {load: {work: {name: [] for name in entries} for work in (LONG, SHORT)} for load in loads}
    for number in range(count + 1):
        print(f"\rround {number} of {count}", end="", file=sys.stderr, flush=True)
        blocks = [(load, work) for load in loads for work in (LONG, SHORT)]
        for load, work in random.sample(blocks, len(blocks)):
            for attempt in range(host.TRIES):
                before = host.ticks()
                order = random.sample(list(entries), 2)
                pair = {name: await block(backends[name], load, number, work) for name in order}
                if not host.was_busy(before):
                    break
                disturbed[load] += attempt == host.TRIES - 1
            for name, found in pair.items() if number else ():
                taken[load][work][name].append(found)
    await http.aclose()
    if sum(disturbed.values()):
        print(f"\nThe host was busy in each try of some pairs, by streams: {dict(disturbed)}.", file=sys.stderr)
    return taken


def measured(options: argparse.Namespace) -> tuple[Taken, dict[str, float]]:
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
        share, later = shared(found[LONG]), delayed(found[SHORT])
        met = met and share[0] >= LEAST_THROUGHPUT and later[0] <= MOST_LATER_MS
        told[load] = {"throughput_share": share, "first_token_later_ms": later}
        for name, memory_mb in memory.items():
            rate = f"{median(rate for rate, _ in found[LONG][name]):.1f}"
            first = f"{first_token(found[SHORT][name]):.2f}"
            apart = ["{:.3f} ({:.3f} to {:.3f})".format(*share), "{:+.2f} ({:+.2f} to {:+.2f})".format(*later)]
            rows.append([name, str(load), rate, first, *(apart if name == OURS else ["1", "0"]), f"{memory_mb:.0f}"])
    heads = ("server", "streams", "tokens/s", "first token ms", "× tokens/s", "first token later by ms", "memory MB")
    print("\n" + table(heads, rows))
    goal = f"throughput at least {LEAST_THROUGHPUT} of llama.cpp's, first token at most {MOST_LATER_MS:g} ms later"
    print(f"\n{'met   ' if met else 'MISSED'}  {goal}")
    write("serving", {"figures": told, "memory_mb": memory, "met": met})
    sys.exit(0 if met else 1)


Found = tuple[float, float, float]  # a figure, and between what 95 % of those lie that other rounds would give


def shared(found: dict[str, list[Block]]) -> Found:
    """Our throughput as a share of theirs, round by round, at the median."""
    return resampled(found, lambda pairs: median(mine[0] / other[0] for mine, other in pairs))


def delayed(found: dict[str, list[Block]]) -> Found:
    """How much later our first token comes, in milliseconds: the median of all less that of theirs."""
    return resampled(found, lambda pairs: first_token([p[0] for p in pairs]) - first_token([p[1] for p in pairs]))


def first_token(blocks: list[Block]) -> float:
    return median(each for _, firsts in blocks for each in firsts)


def resampled(found: dict[str, list[Block]], figure: Callable[[list[tuple[Block, Block]]], float]) -> Found:
    """The figure of the rounds, and where it lies for rounds drawn from them with replacement."""
    pairs = list(zip(found[OURS], found[THEIRS], strict=True))
    drawn = sorted(figure(random.choices(pairs, k=len(pairs))) for _ in range(1000))
    return figure(pairs), drawn[25], drawn[974]


if __name__ == "__main__":
    main()
