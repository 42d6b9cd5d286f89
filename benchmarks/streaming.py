"""What a streamed answer costs the page's server, and how late it is, against a plain `gr.ChatInterface`.

    python benchmarks/streaming.py [--seconds 10] [--visitors 1,10,30] [--rounds 2]

A scripted model sends 100 words a second to each visitor, whose conversation holds 40 messages. The apps take turns in
a random order. CPU is that of the app's process, all threads, from the question to the end of the answer, divided by
the words delivered; the lag of a word is from when the model sent it to when a client of the page's own wire has read
an update with it. With documents, the CPU of the search is in it too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx2
from harness.page_client import Visitor, Wiring, all_ask, wiring
from harness.tables import free_port, table, write

ROOT = Path(__file__).parent.parent
RATE = 100
PLAIN, CHAT, DOCUMENTS = "plain ChatInterface", "chat_rag", "chat_rag, sample documents"
VALUES = {PLAIN: {}, CHAT: {"samples": False}, DOCUMENTS: {"samples": True}}
MOST_CPU, MOST_LAG_MS = 1 / 5, 150
AT_ONCE = 64
QUESTION = "How many visitors does the viewing deck hold?"


@dataclass(frozen=True)
class Server:
    """An app that runs: where, as which process, and how a question goes through it."""

    url: str
    pid: int
    wiring: Wiring

    def cpu(self) -> float:
        """CPU seconds of the process so far, all threads, those that have ended too."""
        return time.clock_gettime((~self.pid << 3) | 2)  # the kernel's number for the clock of a process


@dataclass(frozen=True)
class Sample:
    """One app under one load."""

    cpu_us: float
    """A delivered word."""
    lags_ms: list[float]
    first_ms: list[float]
    updates: float
    """An answer."""
    client_busy: float
    """The share of a core that the clients took: near 1, their own lateness is in the lags."""

    @property
    def p95_ms(self) -> float:
        return quantiles(self.lags_ms, n=20)[-1]


def fragment(history: list[dict[str, Any]]) -> str:
    """A conversation as the chat takes it from a link."""
    from chat_page.share import link_fragment
    from rag.answering.turn import Turn

    texts = [message["content"] for message in history]
    return link_fragment([Turn(*pair, target="paced") for pair in zip(texts[::2], texts[1::2], strict=True)])


async def measure(server: Server, values: dict[str, Any], count: int, words: int, history: list[Any]) -> Sample:
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(timeout=300, limits=limits, trust_env=False) as client:
        said = history, fragment(history), values
        visitors = [Visitor(client, server.url, server.wiring, *said) for _ in range(count)]
        for visitor in visitors:
            await visitor.enter()
        before, own, began = server.cpu(), time.process_time(), time.perf_counter()
        await all_ask(visitors, QUESTION, apart=1 / count)
        spent, own = server.cpu() - before, time.process_time() - own
        took = time.perf_counter() - began
    for visitor in visitors:
        assert visitor.messages > len(history), f"the conversation holds {visitor.messages} messages"
        assert len(visitor.lags_ms) == words, f"{len(visitor.lags_ms)} words came of {words}: {visitor.text[-200:]!r}"
    lags = [lag for visitor in visitors for lag in visitor.lags_ms]
    updates = sum(visitor.updates for visitor in visitors) / count
    return Sample(spent / len(lags) * 1e6, lags, [each.lags_ms[0] for each in visitors], updates, own / took)


def compare(
    servers: dict[str, Server], loads: Sequence[int], words: int, rounds: int, history: list[Any]
) -> dict[tuple[int, str], list[Sample]]:
    """Every app under every load, in a new order each round; a short first round warms up and is not kept."""
    taken: dict[tuple[int, str], list[Sample]] = {}
    app_of = {PLAIN: PLAIN, CHAT: CHAT, DOCUMENTS: CHAT}
    for turn in range(rounds + 1):
        for load in loads if turn else [1]:
            for name in random.sample(list(app_of), len(app_of)):
                sample = asyncio.run(measure(servers[app_of[name]], VALUES[name], load, words, history))
                if turn:
                    taken.setdefault((load, name), []).append(sample)
                    print(f"{load} × {name}: {sample.cpu_us:.0f} µs, p95 {sample.p95_ms:.0f} ms", file=sys.stderr)
    return taken


def report(taken: dict[tuple[int, str], list[Sample]], loads: Sequence[int], settings: dict[str, Any]) -> bool:
    """Print the table, keep the figures, and tell whether the goals are met."""
    names, rows, figures = list(VALUES), [], []
    met = {"at most a fifth of the plain CPU": True, f"p95 lag below {MOST_LAG_MS} ms": True}
    for load in loads:
        cpu = {name: median(sample.cpu_us for sample in taken[load, name]) for name in names}
        for name in names:
            samples = taken[load, name]
            share, p95 = cpu[name] / cpu[PLAIN], median(sample.p95_ms for sample in samples)
            p50 = median(median(sample.lags_ms) for sample in samples)
            first = median(lag for sample in samples for lag in sample.first_ms)
            updates = median(sample.updates for sample in samples)
            rows.append(
                [str(load), name, f"{cpu[name]:.0f}", f"{share:.2f}", f"{updates:.0f}"]
                + [f"{lag:.0f}" for lag in (first, p50, p95)]
            )
            figures.append(
                {"visitors": load, "app": name, "cpu_us_per_token": cpu[name], "share": share, "updates": updates}
                | {"first_lag_ms": first, "lag_p50_ms": p50, "lag_p95_ms": p95}
                | {"client_busy": median(sample.client_busy for sample in samples)}
                | {"runs": [{"cpu_us": sample.cpu_us, "p95_ms": sample.p95_ms} for sample in samples]}
            )
            if name == CHAT:  # with documents there is the search besides
                met["at most a fifth of the plain CPU"] &= share <= MOST_CPU
                met[f"p95 lag below {MOST_LAG_MS} ms"] &= p95 < MOST_LAG_MS
    heads = ["visitors", "app", "CPU µs a token", "× plain", "updates"]
    print(table([*heads, "first token lag ms", "lag p50 ms", "lag p95 ms"], rows))
    print()
    for goal, holds in met.items():
        print(f"{'met   ' if holds else 'MISSED'}  {goal}")
    write("streaming", settings | {"figures": figures, "goals": met})
    return all(met.values())


@contextmanager
def app(command: Sequence[str], **environment: str) -> Iterator[Server]:
    """Start an app on a free port and wait until its page is there."""
    port = free_port()
    shared = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", **environment}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=shared, stdout=log, stderr=log)
        try:
            config = None
            while config is None:
                time.sleep(0.1)
                if process.poll() is not None:
                    log.seek(0)
                    sys.exit(f"error: {' '.join(command)} ended:\n{log.read()}")
                config = read_config(f"http://127.0.0.1:{port}")
            yield Server(f"http://127.0.0.1:{port}", process.pid, wiring(config))
        finally:
            process.terminate()
            process.wait()


def read_config(url: str) -> dict[str, Any] | None:
    try:
        return httpx2.get(f"{url}/config", timeout=5, trust_env=False).json()
    except httpx2.TransportError:
        return None


@contextmanager
def model(words: int) -> Iterator[int]:
    """The scripted model on a port of its own."""
    port = free_port()
    command = [sys.executable, str(Path(__file__).parent / "harness" / "paced_server.py"), str(port), str(words)]
    with subprocess.Popen([*command, "--rate", str(RATE)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield port
        finally:
            process.terminate()


def serve_chat() -> None:
    """The chat's page as it is, but for as many answers at once as the plain one may have."""
    from ui import launch

    folder = ROOT / "spaces/chat_rag"
    sys.path.insert(0, str(folder))
    made = runpy.run_path(str(folder / "app.py"), run_name="app")
    for event in made["demo"].fns.values():
        if event.concurrency_id == "answer":
            event.concurrency_limit = AT_ONCE
    made["demo"].launch(**launch.launch_arguments(made["ARGUMENTS"], max_file_mb=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="how long an answer is (10)")
    parser.add_argument("--visitors", default="1,10,30", help="how many at once (1,10,30)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--chat", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.chat:
        return serve_chat()
    words, loads = round(options.seconds * RATE), [int(load) for load in options.visitors.split(",")]
    with ExitStack() as stack:
        port = stack.enter_context(model(words))
        catalog = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "catalog.toml"
        catalog.write_text(f'[paced]\nkind = "openai"\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "paced"\n')
        environment = {"SPACEPORT_CATALOG": str(catalog)}
        servers = {
            PLAIN: stack.enter_context(app(["benchmarks/harness/plain_chat.py", str(catalog)], **environment)),
            CHAT: stack.enter_context(app(["benchmarks/streaming.py", "--chat"], **environment)),
        }
        from harness.plain_chat import HISTORY

        taken = compare(servers, loads, words, options.rounds, HISTORY)
    settings = {"seconds": options.seconds, "tokens_per_second": RATE, "history_messages": len(HISTORY)}
    return sys.exit(0 if report(taken, loads, settings) else 1)


if __name__ == "__main__":
    main()
