"""How late the client's events are when one process reads many streams at once, on one core.

    python benchmarks/serving/many_streams.py [--streams 1,16,64,256] [--rate 20] [--seconds 8] [--together]

A server sends each stream so many words a second, each with the time at which it was sent. Its process and the client's
have a core each, where the machine has two. The streams open one after the other within a second, whose words don't
count; with `--together` all open at the same moment, and their words then come in bursts. As in our servers, objects
that exist before the streams are left out of garbage collections. The goal: no event is more than 5 ms late.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness import overhead_clients
from harness.pages.chat_app import model_server
from harness.servers.paced_server import WORD, age_ms
from harness.tables import table, write

from backends.http.connections import close_connections

LATE_MS = 5.0
OPENING_SECONDS = 1.0
Client = Callable[[str], AsyncIterator[str]]


@dataclass(slots=True)
class Sample:
    """The ages of the words in milliseconds when their text was there, and the CPU time of the client."""

    ages: list[float] = field(default_factory=list)
    cpu_us: float = 0.0

    @property
    def late(self) -> int:
        return sum(age > LATE_MS for age in self.ages)


def bare_client() -> Client:
    """Return the smallest possible client, for any number of streams."""
    client = httpx2.AsyncClient(limits=httpx2.Limits(max_connections=None), timeout=60)
    return lambda url: overhead_clients.bare_texts(client, url, "paced")


async def read(client: Client, url: str, sample: Sample, after: float, wait: float) -> None:
    """Read one stream, which opens after `wait` seconds, and keep the ages of the words `after` a moment."""
    await asyncio.sleep(wait)
    async for text in client(url):
        if (match := WORD.match(text)) and time.perf_counter() > after:
            sample.ages.append(age_ms(match[0]))


async def measure(client: Client, url: str, streams: int, opening: float) -> Sample:
    """Read these many streams at once, which open within `opening` seconds."""
    sample, after = Sample(), time.perf_counter() + OPENING_SECONDS
    waits = (opening * number / streams for number in range(streams))
    reading = asyncio.gather(*(read(client, url, sample, after, wait) for wait in waits))
    await asyncio.sleep(OPENING_SECONDS)
    cpu = time.process_time()
    await reading
    sample.cpu_us = (time.process_time() - cpu) / len(sample.ages) * 1e6
    return sample


async def compare(url: str, counts: list[int], opening: float) -> dict[tuple[int, str], Sample]:
    """Measure both clients at each number of streams, in a random order, after a first stream of each."""
    clients: dict[str, Client] = {"bare httpx2 + json": bare_client(), "spaceport": overhead_clients.spaceport}
    for client in clients.values():
        await measure(client, url, 1, opening)
    gc.collect()
    gc.freeze()
    samples: dict[tuple[int, str], Sample] = {}
    for streams in counts:
        for name in random.sample(list(clients), len(clients)):
            samples[streams, name] = await measure(clients[name], url, streams, opening)
    await close_connections()
    return dict(sorted(samples.items()))


def report(samples: dict[tuple[int, str], Sample], settings: dict[str, float]) -> bool:
    """Print the table and the goal, write the figures, and return whether the goal is met."""
    rows, results = [], []
    for (streams, name), sample in samples.items():
        p50, p99 = np.percentile(sample.ages, [50, 99])
        longest, events = max(sample.ages), len(sample.ages)
        rows.append(
            [str(streams), name, f"{events:,}", f"{p50:.1f}", f"{p99:.1f}", f"{longest:.1f}", str(sample.late),
             f"{sample.cpu_us:.0f}"]
        )  # fmt: skip
        results.append({"streams": streams, "client": name, "events": events, "p50_ms": p50, "p99_ms": p99,
                        "max_ms": longest, "late": sample.late, "cpu_us": sample.cpu_us})  # fmt: skip
    print(table(["streams", "client", "events", "p50 ms", "p99 ms", "max ms", "over 5 ms", "CPU µs an event"], rows))
    ours = [sample for (_, name), sample in samples.items() if name == "spaceport"]
    is_met = not any(sample.late for sample in ours)
    print(f"\n{'met   ' if is_met else 'MISSED'}  no event is over {LATE_MS:g} ms late")
    write("many_streams", {**settings, "rows": results, "met": is_met})
    return is_met


@contextmanager
def server_on_first_core(words: int, rate: float) -> Iterator[int]:
    """Start the server on the first core, move this process to the last, and yield the server's port."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if cores:
        os.sched_setaffinity(0, cores[:1])  # the server inherits it
    with model_server(words, rate) as port:
        if cores:
            os.sched_setaffinity(0, cores[-1:])
        yield port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", default="1,16,64,256", help="numbers of streams at once")
    parser.add_argument("--rate", type=float, default=20, help="words per second of a stream (20)")
    parser.add_argument("--seconds", type=float, default=8, help="the length of a stream (8)")
    parser.add_argument("--together", action="store_true", help="open all streams at the same moment")
    options = parser.parse_args()
    if options.seconds < 2:
        parser.error("--seconds is at least 2, since the first doesn't count")
    counts = [int(count) for count in options.streams.split(",")]
    with server_on_first_core(round(options.rate * options.seconds), options.rate) as port:
        opening = 0.0 if options.together else OPENING_SECONDS
        samples = asyncio.run(compare(f"http://127.0.0.1:{port}/v1", counts, opening))
    settings = {"rate": options.rate, "seconds": options.seconds, "opening_seconds": opening}
    sys.exit(0 if report(samples, settings) else 1)


if __name__ == "__main__":
    main()
