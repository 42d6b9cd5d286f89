"""The client's overhead: CPU time per streamed chunk, time to first token, delay from a chunk's arrival to its text.

    python benchmarks/serving/overhead.py [--litellm PYTHON] [--rounds 20]

All clients read the same stream from one local server, in turn, in one process. LiteLLM pins its own versions of
packages: pass the interpreter of an environment that has it (`python -m venv X; X/bin/pip install litellm`).
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

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness import overhead_clients as clients
from harness.overhead_clients import Client
from harness.tables import free_port, table, write

CHUNKS = 1000
PACED_CHUNKS = 200  # each sent on its own
BASELINE = "bare httpx2 + json"
Sample = tuple[float, float]  # CPU seconds per chunk, seconds to the first text


async def measure(client: Client, url: str) -> Sample:
    """Stream one answer: CPU seconds of this process per chunk, and seconds to the first text."""
    cpu_started, started, first, count = time.process_time(), time.perf_counter(), 0.0, 0
    async for _ in client(url):
        if not count:
            first = time.perf_counter() - started
        count += 1
    assert count == CHUNKS, f"{client.__name__} gave {count} texts of {CHUNKS}"
    return (time.process_time() - cpu_started) / count, first


async def measure_delay(client: Client, url: str) -> float:
    """The median of the seconds from when the loop read a chunk from its socket to the chunk's text."""
    from backends import Stopwatch
    from backends.stopwatch import now

    stopwatch, seconds = Stopwatch(started_at=now()), []
    with stopwatch.marking():
        async for _ in client(url, "paced"):
            seconds.append(now() - stopwatch.last_read_at)
    assert len(seconds) == PACED_CHUNKS, f"{client.__name__} gave {len(seconds)} texts of {PACED_CHUNKS}"
    return median(seconds)


async def compare(compared: dict[str, Client], url: str, rounds: int) -> dict[str, list[Sample]]:
    """Measure every client in a random order each round; drop the first round, which warms up."""
    samples: dict[str, list[Sample]] = {name: [] for name in compared}
    for number in range(rounds + 1):
        for name in random.sample(list(compared), len(compared)):
            sample = await measure(compared[name], url)
            if number:
                samples[name].append(sample)
    return samples


async def compare_delays(compared: dict[str, Client], url: str, rounds: int) -> dict[str, list[float]]:
    """The delays of every client whose sockets record timestamps, in a random order each round."""
    delays: dict[str, list[float]] = {name: [] for name in compared}
    for number in range(rounds + 1):
        for name in random.sample(list(compared), len(compared)):
            delay = await measure_delay(compared[name], url)
            if number:
                delays[name].append(delay)
    return delays


async def run(rounds: int, url: str) -> tuple[dict[str, list[Sample]], dict[str, list[float]]]:
    with_timestamps = {BASELINE: clients.bare, "spaceport": clients.spaceport}
    with_timestamps |= {"spaceport vertex": clients.vertex, "spaceport sagemaker": clients.sagemaker}
    compared = with_timestamps | {"boto3 in a thread": clients.boto, "openai SDK": clients.openai_sdk}
    try:
        return await compare(compared, url, rounds), await compare_delays(with_timestamps, url, rounds)
    finally:
        await clients.aclose(url)


def litellm_samples(python: str, url: str, rounds: int) -> dict[str, list[Sample]]:
    """Measure LiteLLM in its own interpreter, right after the others, with the same server."""
    command = [python, __file__, "--only", "litellm", "--url", url, "--rounds", str(rounds)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def report(samples: dict[str, list[Sample]], delays: dict[str, list[float]]) -> None:
    """Print the table and the goals, and write the results."""
    cpu = {name: median(sample[0] for sample in each) * 1e6 for name, each in samples.items()}
    first = {name: median(sample[1] for sample in each) * 1e3 for name, each in samples.items()}
    delay = {name: median(each) * 1e6 for name, each in delays.items()}
    rows = [
        [
            name,
            f"{cpu[name]:.1f}",
            f"{cpu[name] / cpu[BASELINE]:.2f}",
            f"{first[name]:.2f}",
            f"{first[name] - first[BASELINE]:+.2f}",
            f"{delay[name]:.0f}" if name in delay else "",
        ]
        for name in samples
    ]
    print(table(["client", "CPU µs a chunk", "× bare", "first token ms", "− bare ms", "last byte to text µs"], rows))
    goals = check_goals(cpu, first, delay)
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    metrics = {"cpu_us_per_chunk": cpu, "first_token_ms": first, "last_byte_to_text_us": delay}
    write("overhead", {"chunks": CHUNKS, **metrics, "goals": goals})


def check_goals(cpu: dict[str, float], first: dict[str, float], delay: dict[str, float]) -> dict[str, bool]:
    sagemaker, vertex = (delay[f"spaceport {name}"] - delay[BASELINE] for name in ("sagemaker", "vertex"))
    return {
        "at most 2 times bare": cpu["spaceport"] / cpu[BASELINE] <= 2,
        "at least 2.5 times less than the openai SDK": cpu["openai SDK"] / cpu["spaceport"] >= 2.5,
        "first token within 1 ms of bare": first["spaceport"] - first[BASELINE] <= 1,
        "SageMaker, including its frames: at most 100 µs a chunk": cpu["spaceport sagemaker"] <= 100,
        "SageMaker: text at most 100 µs after bare's": sagemaker <= 100,
        "Vertex AI: at most 30 µs a chunk": cpu["spaceport vertex"] <= 30,
        "Vertex AI: text at most 30 µs after bare's": vertex <= 30,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--litellm", metavar="PYTHON", help="an interpreter that has litellm")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    # Credentials that sign requests to this machine only.
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_EC2_METADATA_DISABLED": "true"}
    if options.only:
        compared = {"LiteLLM": clients.litellm_sdk}
        print(json.dumps(asyncio.run(compare(compared, options.url, options.rounds))))
        return
    port = free_port()
    script = Path(__file__).parents[1] / "harness" / "servers" / "wire_server.py"
    command = [sys.executable, str(script), str(port), str(CHUNKS), str(PACED_CHUNKS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        url = f"http://127.0.0.1:{port}/v1"
        try:
            samples, delays = asyncio.run(run(options.rounds, url))
            if options.litellm:
                samples |= litellm_samples(options.litellm, url, options.rounds)
        finally:
            process.terminate()
    report(samples, delays)


if __name__ == "__main__":
    main()
