"""Requests per second and times of the vision server against plain torch, with the same ResNet-50 on the same machine.

    python benchmarks/serving/vision_server.py [--rounds 5] [--seconds 4]

The network is transformers' ResNet-50 with random weights: its size and work are those of the trained one. Three
servers answer in turn, in random order in each round: FastAPI with torch and no batches, and ours without and with
batches. Each gets the same JPEG of 640 × 480 pixels from 1 and from 8 clients that ask again when they have their
answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx2
from fastapi import FastAPI, Request

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import free_port, table, write

CLIENTS = (1, 8)
PREPROCESSOR = {
    "crop_pct": 0.875, "image_processor_type": "ConvNextFeatureExtractor", "resample": 3,
    "size": {"shortest_edge": 224}, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
}  # fmt: skip
TORCH = "FastAPI and torch"
OURS = {"spaceport, batches off": 1, "spaceport, batches of up to 8": 8}
Key = tuple[str, int]


def network() -> Any:
    """ResNet-50 with the same random weights each time."""
    import torch
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(1)
    return ResNetForImageClassification(ResNetConfig(num_labels=1000)).eval()


def picture() -> bytes:
    """A JPEG with some detail."""
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(3).integers(0, 255, (60, 80, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def serve_torch(port: int) -> None:
    """The server that one writes first: a picture is decoded and classified in a thread for each request."""
    import torch
    import uvicorn

    from backends.vision.pictures import read_picture
    from backends.vision.preprocessing import Preprocessing

    model, preprocessing, app = network(), Preprocessing.from_config(PREPROCESSOR), FastAPI()

    def classify(data: bytes) -> list[tuple[int, float]]:
        entry = torch.from_numpy(preprocessing.array(read_picture(data, detail=preprocessing.detail)))
        with torch.inference_mode():
            top = model(entry[None]).logits.softmax(1)[0].topk(5)
        return list(zip(top.indices.tolist(), top.values.tolist(), strict=True))

    @app.get("/ready")
    def ready() -> str:
        return "ready"

    @app.post("/v1/classify")
    async def post(request: Request) -> Any:
        return await asyncio.to_thread(classify, await request.body())

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


@contextlib.contextmanager
def running(arguments: list[str], port: int, **settings: str) -> Iterator[str]:
    """Run a server until the block ends, and yield its address when it is ready."""
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, *arguments], env=os.environ | settings, stdout=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{url}/ready").status_code == 200:
                    break
            assert process.poll() is None, "the server has ended"
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


async def run_block(url: str, clients: int, seconds: float, data: bytes) -> tuple[float, list[float]]:
    """Return the requests per second of a closed loop, and the seconds of each."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def loop(client: httpx2.AsyncClient) -> None:
        while time.perf_counter() < end:
            start = time.perf_counter()
            response = await client.post(f"{url}/v1/classify", content=data, headers={"content-type": "image/jpeg"})
            response.raise_for_status()
            times.append(time.perf_counter() - start)

    async with httpx2.AsyncClient(timeout=60) as client:
        start = time.perf_counter()
        await asyncio.gather(*(loop(client) for _ in range(clients)))
        return len(times) / (time.perf_counter() - start), times


def measure(urls: dict[str, str], rounds: int, seconds: float) -> dict[Key, dict[str, Any]]:
    """Return the rates and times of each server with each number of clients."""
    data, draw = picture(), random.Random(1)
    results: dict[Key, dict[str, Any]] = defaultdict(lambda: {"rates": [], "times": []})
    for url in urls.values():
        asyncio.run(run_block(url, max(CLIENTS), 2, data))
    for number in range(rounds):
        for clients in CLIENTS:
            for name in draw.sample(list(urls), len(urls)):
                rate, times = asyncio.run(run_block(urls[name], clients, seconds, data))
                results[name, clients]["rates"].append(rate)
                results[name, clients]["times"] += times
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return results


def rows(results: dict[Key, dict[str, Any]]) -> list[list[str]]:
    lines = []
    for clients in CLIENTS:
        base = median(results[TORCH, clients]["rates"])
        for name in (TORCH, *OURS):
            rate, times = median(results[name, clients]["rates"]), results[name, clients]["times"]
            p95 = quantiles(times, n=20)[-1]
            lines.append(
                [
                    str(clients),
                    name,
                    f"{rate:.1f}",
                    f"{rate / base:.2f}",
                    f"{median(times) * 1e3:.0f}",
                    f"{p95 * 1e3:.0f}",
                ]
            )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--serve-torch", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_torch:
        serve_torch(options.serve_torch)
        return
    from vision.digits import export

    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as servers:
        export(network(), Path(folder), 224, PREPROCESSOR)
        port = free_port()
        urls = {TORCH: servers.enter_context(running([__file__, "--serve-torch", str(port)], port))}
        for name, batch in OURS.items():
            port = free_port()
            settings = {"PORT": str(port), "HOST": "127.0.0.1", "MODEL": folder, "BATCH": str(batch)}
            variables = {f"SPACEPORT_{key}": value for key, value in settings.items()}
            urls[name] = servers.enter_context(running(["-m", "vision"], port, **variables))
        results = measure(urls, options.rounds, options.seconds)
    print(table(["clients", "server", "requests/s", "× torch", "p50 ms", "p95 ms"], rows(results)))
    write("vision_server", {f"{name}, {clients}": each for (name, clients), each in results.items()})


if __name__ == "__main__":
    main()
