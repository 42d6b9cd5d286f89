"""What the client costs: CPU per streamed chunk, time to the first token and from the last byte of a chunk to its text.

    python benchmarks/overhead.py [--litellm PYTHON] [--rounds 20]

All clients read the same stream from one local server, in turn, in one process. LiteLLM pins versions of its
own: name the interpreter of an environment that has it (`python -m venv X; X/bin/pip install litellm`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from harness import overhead_clients as clients
from harness.overhead_clients import Client
from harness.tables import free_port, table, write

CHUNKS = 1000
PACED = 200  # chunks, each by itself


async def measure(client: Client, url: str) -> tuple[float, float]:
    """One answer: CPU seconds of this process per chunk, and seconds to the first text."""
    busy, started, first, count = time.process_time(), time.perf_counter(), 0.0, 0
    async for _ in client(url):
        if not count:
            first = time.perf_counter() - started
        count += 1
    assert count == CHUNKS, f"{client.__name__} gave {count} texts of {CHUNKS}"
    return (time.process_time() - busy) / count, first


async def compare(compared: dict[str, Client], url: str, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Every client in turn, in a new order each round; the first round warms up and is dropped."""
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in compared}
    for turn in range(rounds + 1):
        for name in random.sample(list(compared), len(compared)):
            sample = await measure(compared[name], url)
            if turn:
                samples[name].append(sample)
    return samples


async def after_last_byte(client: Client, url: str) -> float:
    """The median of the seconds from when the loop had read a chunk from its socket to the chunk's text."""
    from backends import Stopwatch
    from backends.stopwatch import now

    watch, taken = Stopwatch(started=now()), []
    with watch.marking():
        async for _ in client(url, "paced"):
            taken.append(now() - watch._read)
    assert len(taken) == PACED, f"{client.__name__} gave {len(taken)} texts of {PACED}"
    return median(taken)


async def delays(compared: dict[str, Client], url: str, rounds: int) -> dict[str, list[float]]:
    """The delay of every client whose sockets stamp, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in compared}
    for turn in range(rounds + 1):
        for name in random.sample(list(compared), len(compared)):
            delay = await after_last_byte(compared[name], url)
            if turn:
                taken[name].append(delay)
    return taken


async def run(rounds: int, url: str) -> tuple[dict[str, list[tuple[float, float]]], dict[str, list[float]]]:
    compared = {"bare httpx2 + json": clients.bare, "spaceport": clients.spaceport}
    compared |= {"spaceport vertex": clients.vertex, "spaceport sagemaker": clients.sagemaker}
    stamped = dict(compared)
    compared |= {"boto3 in a thread": clients.boto, "openai SDK": clients.openai_sdk}
    try:
        return await compare(compared, url, rounds), await delays(stamped, url, rounds)
    finally:
        await clients.aclose(url)


def litellm_samples(python: str, url: str, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """LiteLLM in its own interpreter, right after the others, on the same server."""
    command = [python, __file__, "--only", "litellm", "--url", url, "--rounds", str(rounds)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(printed.splitlines()[-1])


def report(samples: dict[str, list[tuple[float, float]]], delayed: dict[str, list[float]]) -> None:
    cpu = {name: median(sample[0] for sample in taken) * 1e6 for name, taken in samples.items()}
    first = {name: median(sample[1] for sample in taken) * 1e3 for name, taken in samples.items()}
    delay = {name: median(taken) * 1e6 for name, taken in delayed.items()}
    base = "bare httpx2 + json"
    rows = [
        [
            name,
            f"{cpu[name]:.1f}",
            f"{cpu[name] / cpu[base]:.2f}",
            f"{first[name]:.2f}",
            f"{first[name] - first[base]:+.2f}",
            f"{delay[name]:.0f}" if name in delay else "",
        ]
        for name in samples
    ]
    heads = ["client", "CPU µs a chunk", "× bare", "first token ms", "− bare ms", "last byte to text µs"]
    print(table(heads, rows))
    goals = {
        "at most 2 times bare": cpu["spaceport"] / cpu[base] <= 2,
        "at least 2.5 times less than the openai SDK": cpu["openai SDK"] / cpu["spaceport"] >= 2.5,
        "first token within 1 ms of bare": first["spaceport"] - first[base] <= 1,
        "SageMaker, frames and all: at most 100 µs a chunk": cpu["spaceport sagemaker"] <= 100,
        "SageMaker, a chunk by itself: its text at most 100 µs after bare's": delay["spaceport sagemaker"] - delay[base]
        <= 100,
        "Vertex AI: at most 30 µs a chunk": cpu["spaceport vertex"] <= 30,
        "Vertex AI, a chunk by itself: its text at most 30 µs after bare's": delay["spaceport vertex"] - delay[base]
        <= 30,
    }
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    figures = {"cpu_us_per_chunk": cpu, "first_token_ms": first, "last_byte_to_text_us": delay}
    write("overhead", {"chunks": CHUNKS, **figures, "goals": goals})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--litellm", metavar="PYTHON", help="an interpreter that has litellm")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    # Credentials that sign for this machine alone.
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_EC2_METADATA_DISABLED": "true"}
    if options.only:
        only = {"LiteLLM": clients.litellm_sdk}
        print(json.dumps(asyncio.run(compare(only, options.url, options.rounds))))
        return
    port = free_port()
    server = [
        sys.executable,
        str(Path(__file__).parent / "harness" / "wire_server.py"),
        str(port),
        str(CHUNKS),
        str(PACED),
    ]
    with subprocess.Popen(server, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        url = f"http://127.0.0.1:{port}/v1"
        try:
            samples, delayed = asyncio.run(run(options.rounds, url))
            if options.litellm:
                samples |= litellm_samples(options.litellm, url, options.rounds)
        finally:
            process.terminate()
    report(samples, delayed)


if __name__ == "__main__":
    main()
