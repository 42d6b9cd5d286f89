"""What the client costs: CPU per streamed chunk and time to the first token, against bare httpx2 and others.

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
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from tables import free_port, table, write

CHUNKS = 1000
MESSAGES = [{"role": "user", "content": "Count."}]
# A client is a function from the server's address to an async iterator of texts.
Client = Callable[[str], AsyncIterator[str]]


async def bare(url: str) -> AsyncIterator[str]:
    """The least that can be written: httpx2's lines, json, the content."""
    async with _BARE["client"].stream(
        "POST", f"{url}/chat/completions", json={"model": "bench", "messages": MESSAGES, "stream": True}
    ) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                choices = json.loads(line[6:])["choices"]
                if choices and (content := choices[0]["delta"].get("content")):
                    yield content


async def answered(backend: Any) -> AsyncIterator[str]:
    """The texts of one of our backends, under a Stopwatch as the apps use it."""
    from backends import ChatRequest, Delta, Message, Stopwatch

    async for event in Stopwatch().watch(backend.stream(ChatRequest((Message("user", "Count."),)))):
        if type(event) is Delta:
            yield event.text


async def spaceport(url: str) -> AsyncIterator[str]:
    """Our client of any server with the chat API."""
    from backends.openai import connect

    backend = _CACHE.get(url) or _CACHE.setdefault(url, connect({"url": url, "model": "bench"}))
    async for text in answered(backend):
        yield text


async def sagemaker(url: str) -> AsyncIterator[str]:
    """Our client of SageMaker's response stream: signed by botocore, taken out of AWS's frames."""
    from backends.sagemaker import connect

    settings = {"endpoint": "bench", "region": "us-east-1", "url": url.removesuffix("/v1")}
    backend = _CACHE.get(f"aws {url}") or _CACHE.setdefault(f"aws {url}", connect(settings))
    async for text in answered(backend):
        yield text


async def boto(url: str) -> AsyncIterator[str]:
    """boto3's response stream as its users read it, in a thread, each part handed to the loop."""
    import boto3

    address = url.removesuffix("/v1")
    key = f"boto {url}"
    client = _CACHE.get(key) or _CACHE.setdefault(
        key, boto3.client("sagemaker-runtime", "us-east-1", endpoint_url=address)
    )
    loop, parts = asyncio.get_running_loop(), asyncio.Queue()

    def read() -> None:
        body = json.dumps({"messages": MESSAGES, "stream": True})
        for part in client.invoke_endpoint_with_response_stream(EndpointName="bench", Body=body)["Body"]:
            loop.call_soon_threadsafe(parts.put_nowait, part["PayloadPart"]["Bytes"])
        loop.call_soon_threadsafe(parts.put_nowait, b"")

    reading = asyncio.create_task(asyncio.to_thread(read))
    rest = b""
    while part := await parts.get():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            choices = json.loads(line[6:])["choices"] if line.startswith(b"data: {") else []
            if choices and (content := choices[0]["delta"].get("content")):
                yield content
    await reading


async def vertex(url: str) -> AsyncIterator[str]:
    """Our client of Vertex AI's streamRawPredict, with a token that is there already."""
    from backends.vertex import connect

    backend = _CACHE.get(f"gcp {url}")
    if backend is None:
        settings = {"endpoint": "1", "project": "bench", "url": url.removesuffix("/v1")}
        backend = _CACHE[f"gcp {url}"] = connect(settings)
        backend._tokens._credentials = SimpleNamespace(token="bench", expiry=None)
    async for text in answered(backend):
        yield text


async def openai_sdk(url: str) -> AsyncIterator[str]:
    """The openai package's AsyncOpenAI."""
    import openai

    key = f"openai {url}"
    client = _CACHE.get(key) or _CACHE.setdefault(key, openai.AsyncOpenAI(base_url=url, api_key="none"))
    async for chunk in await client.chat.completions.create(model="bench", messages=MESSAGES, stream=True):
        if chunk.choices and (content := chunk.choices[0].delta.content):
            yield content


async def litellm_sdk(url: str) -> AsyncIterator[str]:
    """LiteLLM's acompletion, in an environment of its own."""
    import litellm

    async for chunk in await litellm.acompletion(
        model="openai/bench", api_base=url, api_key="none", messages=MESSAGES, stream=True
    ):
        if chunk.choices and (content := chunk.choices[0].delta.content):
            yield content


_BARE: dict = {}
_CACHE: dict = {}


async def measure(client: Client, url: str) -> tuple[float, float]:
    """One answer: CPU seconds of this process per chunk, and seconds to the first text."""
    busy, started, first, count = time.process_time(), time.perf_counter(), 0.0, 0
    async for _ in client(url):
        if not count:
            first = time.perf_counter() - started
        count += 1
    assert count == CHUNKS, f"{client.__name__} gave {count} texts of {CHUNKS}"
    return (time.process_time() - busy) / count, first


async def compare(clients: dict[str, Client], url: str, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Every client in turn, in a new order each round; the first round warms up and is dropped."""
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in clients}
    for turn in range(rounds + 1):
        for name in random.sample(list(clients), len(clients)):
            sample = await measure(clients[name], url)
            if turn:
                samples[name].append(sample)
    return samples


async def run(rounds: int, url: str, only: str | None) -> dict[str, list[tuple[float, float]]]:
    if only == "litellm":
        return await compare({"LiteLLM": litellm_sdk}, url, rounds)
    import httpx2

    from backends import http

    _BARE["client"] = httpx2.AsyncClient()
    clients = {"bare httpx2 + json": bare, "spaceport": spaceport, "spaceport vertex": vertex}
    clients |= {"spaceport sagemaker": sagemaker, "boto3 in a thread": boto, "openai SDK": openai_sdk}
    try:
        return await compare(clients, url, rounds)
    finally:
        await _BARE["client"].aclose()
        await http.aclose()
        for client in _CACHE.values():
            close: Callable[[], Awaitable[None] | None] = getattr(client, "close", None) or client.aclose
            if (closing := close()) is not None:
                await closing


def litellm_samples(python: str, url: str, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """LiteLLM in its own interpreter, right after the others, on the same server."""
    command = [python, __file__, "--only", "litellm", "--url", url, "--rounds", str(rounds)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(printed.splitlines()[-1])


def report(samples: dict[str, list[tuple[float, float]]]) -> None:
    cpu = {name: median(sample[0] for sample in taken) * 1e6 for name, taken in samples.items()}
    first = {name: median(sample[1] for sample in taken) * 1e3 for name, taken in samples.items()}
    base = "bare httpx2 + json"
    rows = [
        [
            name,
            f"{cpu[name]:.1f}",
            f"{cpu[name] / cpu[base]:.2f}",
            f"{first[name]:.2f}",
            f"{first[name] - first[base]:+.2f}",
        ]
        for name in samples
    ]
    print(table(["client", "CPU µs a chunk", "× bare", "first token ms", "− bare ms"], rows))
    goals = {
        "at most 2 times bare": cpu["spaceport"] / cpu[base] <= 2,
        "at least 2.5 times less than the openai SDK": cpu["openai SDK"] / cpu["spaceport"] >= 2.5,
        "first token within 1 ms of bare": first["spaceport"] - first[base] <= 1,
        "SageMaker, frames and all: at most 100 µs": cpu["spaceport sagemaker"] <= 100,
        "Vertex AI: at most 30 µs": cpu["spaceport vertex"] <= 30,
    }
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    write("overhead", {"chunks": CHUNKS, "cpu_us_per_chunk": cpu, "first_token_ms": first, "goals": goals})


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
        print(json.dumps(asyncio.run(run(options.rounds, options.url, options.only))))
        return
    port = free_port()
    server = [sys.executable, str(Path(__file__).with_name("wire_server.py")), str(port), str(CHUNKS)]
    with subprocess.Popen(server, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        url = f"http://127.0.0.1:{port}/v1"
        try:
            samples = asyncio.run(run(options.rounds, url, None))
            if options.litellm:
                samples |= litellm_samples(options.litellm, url, options.rounds)
        finally:
            process.terminate()
    report(samples)


if __name__ == "__main__":
    main()
