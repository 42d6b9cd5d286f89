"""What a server in front of a model adds: the time to the first token, and CPU time per streamed chunk.

    python benchmarks/serving/gateway.py [--litellm PYTHON] [--rounds 30]

The same client asks one local server directly, through a bare hop (uvicorn and httpx2, which pass the bytes on),
through one that sends its head with the first text, so that a refusal could have its own status, through Spaceport's
inference server and its gateway (with a key, a budget and the ledger), and through LiteLLM's proxy, in turn. The local
server sends a chunk every 2 ms.
LiteLLM pins its own versions of packages: pass the interpreter of an environment that has its proxy
(`python -m venv X; X/bin/pip install 'litellm[proxy]'`).

    python benchmarks/serving/gateway.py --part limits [--stack shared] [--keys 100] [--requests 1000]
    python benchmarks/serving/gateway.py --part hits

Does each key get what its limit allows, and is there a row of the ledger for each request? How fast is a stored answer?
One gateway with its memory and SQLite, and two that share a Redis and a PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx2
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness import overhead_clients
from harness.gateway import parts
from harness.pages.chat_app import running_server as running_model
from harness.tables import free_port, table, write

ROOT = Path(__file__).parents[2]
CHUNKS, MODEL = 200, "paced"
DIRECT, BARE, OURS, THEIRS = "none", "bare hop", "spaceport", "LiteLLM's proxy"
GATEWAY, HELD = "spaceport's gateway", "bare hop, head held"
ANSWERS = 5  # a round
GOAL_MS = 0.6  # more than the bare hop


@dataclass(slots=True)
class Samples:
    """Seconds to the first text of each answer, and the server's CPU seconds per chunk in each round."""

    first: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A server to ask, and its process, unless it is the model itself."""

    url: str
    pid: int | None = None

    def cpu_seconds(self) -> float:
        """The CPU time of the process and its children so far."""
        if self.pid is None:
            return 0.0
        process = psutil.Process(self.pid)
        times = [each.cpu_times() for each in [process, *process.children(recursive=True)]]
        return sum(each.user + each.system for each in times)


async def read(client: httpx2.AsyncClient, url: str) -> float:
    """Read one answer; returns the seconds to its first text."""
    started, first, texts = time.perf_counter(), 0.0, 0
    async for _ in overhead_clients.bare_texts(client, url, MODEL):
        first = first or time.perf_counter() - started
        texts += 1
    assert texts == CHUNKS, f"{url} gave {texts} texts of {CHUNKS}"
    return first


async def compare(gateways: dict[str, Gateway], key: str, rounds: int) -> dict[str, Samples]:
    """Ask all servers in a random order each round; the first round warms up."""
    samples = {name: Samples() for name in gateways}
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False) as client:
        for number in range(rounds + 1):
            for name in random.sample(list(gateways), len(gateways)):
                gateway = gateways[name]
                cpu = gateway.cpu_seconds()
                first = [await read(client, gateway.url) for _ in range(ANSWERS)]
                if number:
                    samples[name].first += first
                    samples[name].cpu.append((gateway.cpu_seconds() - cpu) / (ANSWERS * CHUNKS))
    return samples


def spaceport(model_url: str, folder: Path) -> AbstractContextManager[Gateway]:
    """Spaceport's inference server with a target of the catalogue."""
    return _spaceport("inference", model_url, folder, TARGET=MODEL)


def spaceport_gateway(model_url: str, folder: Path) -> AbstractContextManager[Gateway]:
    """Spaceport's gateway with the same target, which has a price."""
    return _spaceport("gateway", model_url, folder, 'price = "tokens:1/2"\n', DATA=folder)


@contextmanager
def _spaceport(module: str, model_url: str, folder: Path, more: str = "", **settings: str | Path) -> Iterator[Gateway]:
    """Run a server of ours; `more` is the rest of the target's entry in the catalogue."""
    catalog, port = folder / f"{module}.toml", free_port()
    catalog.write_text(f'[{MODEL}]\nkind = "openai"\nurl = "{model_url}"\nmodel = "{MODEL}"\n{more}')
    values = {"CATALOG": catalog, "HOST": "127.0.0.1", "PORT": port, "LOG_LEVEL": "warning", **settings}
    variables = {f"SPACEPORT_{name}": str(value) for name, value in values.items()}
    with _server([sys.executable, "-m", module], port, "/ready", folder, variables) as gateway:
        yield gateway


@contextmanager
def bare_hop(model_url: str, folder: Path, *options: str) -> Iterator[Gateway]:
    """A server that only passes bytes on."""
    port = free_port()
    command = [sys.executable, "-m", "harness.servers.bare_hop", str(port), model_url.removesuffix("/v1"), *options]
    with _server(command, port, "/ready", folder, {"PYTHONPATH": str(ROOT / "benchmarks")}) as gateway:
        yield gateway


def gateway_key(folder: Path) -> str:
    """Add a key with a budget to the gateway's database; LiteLLM's proxy takes it too."""
    command = [sys.executable, "-m", "gateway", "keys", "add", "benchmark", "--budget", "1000"]
    variables = os.environ | {"SPACEPORT_DATA": str(folder)}
    return subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout.split()[0]


@contextmanager
def litellm(python: str, key: str, model_url: str, folder: Path) -> Iterator[Gateway]:
    """LiteLLM's proxy with the local server's model."""
    target = {"model": f"openai/{MODEL}", "api_base": model_url, "api_key": "none"}
    config = folder / "litellm.json"  # JSON is YAML too
    config.write_text(json.dumps({"model_list": [{"model_name": MODEL, "litellm_params": target}]}))
    port = free_port()
    command = [Path(python).parent / "litellm", "--config", config, "--host", "127.0.0.1", "--port", str(port)]
    variables = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    with _server(command, port, "/health/liveliness", folder, variables) as gateway:
        yield gateway


@contextmanager
def _server(
    command: list[str | Path], port: int, path: str, folder: Path, variables: dict[str, str]
) -> Iterator[Gateway]:
    sys.path.append(str(ROOT / "scripts"))
    from local_server import running_server

    url, environment = f"http://127.0.0.1:{port}", os.environ | variables
    with running_server(command, f"{url}{path}", folder / f"{port}.log", environment=environment, seconds=180):
        listeners = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        yield Gateway(f"{url}/v1", next(each.pid for each in listeners if each.laddr[1] == port))


def report(samples: dict[str, Samples]) -> bool:
    """Print the table and the goal, write the figures, and return whether the goal is met."""
    direct = median(samples[DIRECT].first)
    added = {name: (median(each.first) - direct) * 1e3 for name, each in samples.items()}
    cpu = {name: sum(each.cpu) / len(each.cpu) * 1e6 for name, each in samples.items()}
    rows = [
        [name, f"{median(each.first) * 1e3:.2f}", f"{added[name]:+.2f}", f"{cpu[name]:.0f}" if name != DIRECT else ""]
        for name, each in samples.items()
    ]
    print(table(["server in front", "first token ms", "added ms", "CPU µs a chunk"], rows))
    is_met = all(added[name] - added[BARE] <= GOAL_MS for name in (OURS, GATEWAY))
    print(f"\n{'met   ' if is_met else 'MISSED'}  both of Spaceport's add at most {GOAL_MS:g} ms to a bare hop")
    write("gateway", {"first_token_added_ms": added, "cpu_us_per_chunk": cpu, "met": is_met})
    return is_met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--litellm", metavar="PYTHON", help="an interpreter that has LiteLLM's proxy")
    parser.add_argument("--part", choices=("hop", "limits", "hits"), default="hop")
    parser.add_argument("--stack", choices=parts.STACKS, help="of limits and hits (default: both)")
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--requests", type=int, default=1000, help="of each key")
    options = parser.parse_args()
    stacks = [parts.STACKS[options.stack]] if options.stack else list(parts.STACKS.values())
    if options.part == "limits":
        return 0 if parts.limits(stacks, options.keys, options.requests) else 1
    if options.part == "hits":
        return 0 if parts.hits(stacks, options.requests) else 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        key = gateway_key(folder)
        port = stack.enter_context(running_model("wire_server", "0", str(CHUNKS)))
        url = f"http://127.0.0.1:{port}/v1"
        gateways = {
            DIRECT: Gateway(url),
            BARE: stack.enter_context(bare_hop(url, folder)),
            HELD: stack.enter_context(bare_hop(url, folder, "--hold")),
            OURS: stack.enter_context(spaceport(url, folder)),
            GATEWAY: stack.enter_context(spaceport_gateway(url, folder)),
        }
        if options.litellm:
            gateways[THEIRS] = stack.enter_context(litellm(options.litellm, key, url, folder))
        samples = asyncio.run(compare(gateways, key, options.rounds))
    return 0 if report(samples) else 1


if __name__ == "__main__":
    sys.exit(main())
