"""Server cost and lag of a streamed answer on the chat page, compared with a plain `gr.ChatInterface`.

    python benchmarks/page/streaming.py [--seconds 10] [--visitors 1,10,30] [--rounds 2]

A scripted model sends 100 words per second to each visitor, whose conversation has 40 messages. The apps take turns in
random order. CPU is that of the app's process, all threads, from the question to the end of the answer, divided by the
words delivered. The lag of a word is the time from when the model sends it until a client of the page has read an
update with it. With documents, the CPU includes the search.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import runpy
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.pages.chat_app import ROOT, Server, model_server, run_chat
from harness.pages.page_client import Visitor, ask_all
from harness.tables import table, write

RATE = 100
PLAIN, CHAT, DOCUMENTS = "plain ChatInterface", "chat_rag", "chat_rag, sample documents"
VALUES = {PLAIN: {}, CHAT: {"samples": False}, DOCUMENTS: {"samples": True}}
SERVER_OF = {PLAIN: PLAIN, CHAT: CHAT, DOCUMENTS: CHAT}
MAX_CPU_SHARE, MAX_LAG_MS = 1 / 5, 150
NO_LIMITS = {
    "SPACEPORT_ANSWERS": "0,0,0",
    "SPACEPORT_ADDRESS_QUESTIONS_A_MINUTE": "0",
    "SPACEPORT_EVENTS_A_SECOND": "0",
    "FORWARDED_ALLOW_IPS": "127.0.0.1",  # each visitor comes through a proxy, from an address of its own
}
QUESTION = "How many visitors does the viewing deck hold?"


@dataclass(frozen=True)
class Sample:
    """One app under one load."""

    cpu_us: float
    """Per delivered word."""
    lags_ms: list[float]
    first_lags_ms: list[float]
    updates: float
    """Per answer."""
    client_load: float
    """The share of a core that the clients used; near 1, the lags include the clients' own delay."""

    @property
    def p95_ms(self) -> float:
        return quantiles(self.lags_ms, n=20)[-1]


def conversation_link(history: list[dict[str, Any]]) -> str:
    """Return a conversation as a fragment of a link that the chat page opens."""
    from chat_page.sharing.share import link_fragment
    from rag.answering.turn import Turn

    texts = [message["content"] for message in history]
    return link_fragment([Turn(*pair, target="paced") for pair in zip(texts[::2], texts[1::2], strict=True)])


async def measure(server: Server, values: dict[str, Any], count: int, words: int, history: list[Any]) -> Sample:
    """Let `count` visitors ask at the same time, and measure the server and the lags."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(timeout=300, limits=limits, trust_env=False) as client:
        link = conversation_link(history)
        addresses = [f"203.0.113.{number}" for number in range(1, count + 1)]
        visitors = [Visitor(client, server.url, server.events, history, link, values, each) for each in addresses]
        for visitor in visitors:
            await visitor.enter()
        server_cpu, client_cpu, started = server.cpu_seconds(), time.process_time(), time.perf_counter()
        await ask_all(visitors, QUESTION, interval_seconds=1 / count)
        server_cpu, client_cpu = server.cpu_seconds() - server_cpu, time.process_time() - client_cpu
        seconds = time.perf_counter() - started
    for visitor in visitors:
        assert visitor.messages > len(history), f"the conversation has {visitor.messages} messages"
        assert len(visitor.lags_ms) == words, f"{len(visitor.lags_ms)} of {words} words came: {visitor.text[-200:]!r}"
    lags = [lag for visitor in visitors for lag in visitor.lags_ms]
    updates = sum(visitor.updates for visitor in visitors) / count
    first_lags = [visitor.lags_ms[0] for visitor in visitors]
    return Sample(server_cpu / len(lags) * 1e6, lags, first_lags, updates, client_cpu / seconds)


def compare(
    servers: dict[str, Server], loads: Sequence[int], words: int, rounds: int, history: list[Any]
) -> dict[tuple[int, str], list[Sample]]:
    """Measure every app under every load, in a new order each round; a short first round warms up."""
    samples: dict[tuple[int, str], list[Sample]] = {}
    for turn in range(rounds + 1):
        for load in loads if turn else [1]:
            for name in random.sample(list(SERVER_OF), len(SERVER_OF)):
                sample = asyncio.run(measure(servers[SERVER_OF[name]], VALUES[name], load, words, history))
                if turn:
                    samples.setdefault((load, name), []).append(sample)
                    print(f"{load} × {name}: {sample.cpu_us:.0f} µs, p95 {sample.p95_ms:.0f} ms", file=sys.stderr)
    return samples


def report(samples: dict[tuple[int, str], list[Sample]], loads: Sequence[int], settings: dict[str, Any]) -> bool:
    """Print the table, write the figures, and return whether the goals are met."""
    figures = [figure for load in loads for figure in _figures(samples, load)]
    columns = ("cpu_us_per_token", "updates", "first_lag_ms", "lag_p50_ms", "lag_p95_ms")
    rows = []
    for figure in figures:
        cpu, *others = (f"{figure[column]:.0f}" for column in columns)
        rows.append([str(figure["visitors"]), figure["app"], cpu, f"{figure['share']:.2f}", *others])
    heads = ["visitors", "app", "CPU per token (µs)", "× plain", "updates"]
    print(table([*heads, "first token lag (ms)", "lag p50 (ms)", "lag p95 (ms)"], rows))
    print()
    chat = [figure for figure in figures if figure["app"] == CHAT]  # with documents, the CPU includes the search
    goals = {
        "at most a fifth of the plain CPU": all(figure["share"] <= MAX_CPU_SHARE for figure in chat),
        f"p95 lag below {MAX_LAG_MS} ms": all(figure["lag_p95_ms"] < MAX_LAG_MS for figure in chat),
    }
    for goal, is_met in goals.items():
        print(f"{'met   ' if is_met else 'MISSED'}  {goal}")
    write("streaming", settings | {"figures": figures, "goals": goals})
    return all(goals.values())


def _figures(samples: dict[tuple[int, str], list[Sample]], load: int) -> Iterator[dict[str, Any]]:
    """Yield the figures of each app under one load, as medians over the rounds."""
    cpu = {name: median(sample.cpu_us for sample in samples[load, name]) for name in VALUES}
    for name in VALUES:
        runs = samples[load, name]
        yield {
            "visitors": load,
            "app": name,
            "cpu_us_per_token": cpu[name],
            "share": cpu[name] / cpu[PLAIN],
            "updates": median(sample.updates for sample in runs),
            "first_lag_ms": median(lag for sample in runs for lag in sample.first_lags_ms),
            "lag_p50_ms": median(median(sample.lags_ms) for sample in runs),
            "lag_p95_ms": median(sample.p95_ms for sample in runs),
            "client_busy": median(sample.client_load for sample in runs),
            "runs": [{"cpu_us": sample.cpu_us, "p95_ms": sample.p95_ms} for sample in runs],
        }


def serve_chat() -> None:
    """Serve the chat page without the limits of a public page, like the plain one."""
    from ui import launch

    folder = ROOT / "spaces/chat_rag"
    sys.path.insert(0, str(folder))
    module = runpy.run_path(str(folder / "app.py"), run_name="app")
    module["demo"].launch(**launch.launch_arguments(module["ARGUMENTS"], module["LIMITS"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="the length of an answer (10)")
    parser.add_argument("--visitors", default="1,10,30", help="the numbers of concurrent visitors (1,10,30)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--chat", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.chat:
        return serve_chat()
    words, loads = round(options.seconds * RATE), [int(load) for load in options.visitors.split(",")]
    with ExitStack() as stack:
        port = stack.enter_context(model_server(words, RATE))
        catalog = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "catalog.toml"
        catalog.write_text(f'[paced]\nkind = "openai"\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "paced"\n')
        environment = {"SPACEPORT_CATALOG": str(catalog)}
        servers = {
            PLAIN: stack.enter_context(
                run_chat(["benchmarks/harness/pages/plain_chat.py", str(catalog)], **environment)
            ),
            CHAT: stack.enter_context(run_chat(["benchmarks/page/streaming.py", "--chat"], **environment, **NO_LIMITS)),
        }
        from harness.pages.plain_chat import HISTORY

        samples = compare(servers, loads, words, options.rounds, HISTORY)
    settings = {"seconds": options.seconds, "tokens_per_second": RATE, "history_messages": len(HISTORY)}
    return sys.exit(0 if report(samples, loads, settings) else 1)


if __name__ == "__main__":
    main()
