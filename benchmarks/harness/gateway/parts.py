"""The parts of `gateway.py` with keys: each measures on both kinds of databases, prints a table and writes JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.gateway import hits as stored_answers
from harness.gateway import limits as key_limits
from harness.gateway.load import ALONE, SHARED, gateways
from harness.pages.chat_app import running_server as running_model
from harness.tables import table, write

STACKS = {"alone": ALONE, "shared": SHARED}
TEXTS = 40  # of the stored answer
GOAL_SHARE, GOAL_MS = 0.01, 2.0


def limits(stacks: Sequence[str], keys: int, requests: int) -> bool:
    """Return whether every key got what it may within 1 %, and every request has its row of the ledger."""
    results = {}
    with TemporaryDirectory() as folder, running_model("wire_server", "1", "0") as model:
        for number, stack in enumerate(stacks):
            with gateways(stack, model, Path(folder, str(number))) as running:
                results[stack] = asyncio.run(key_limits.measure(running, stack, keys, requests))
    rows = []
    for stack, each in results.items():
        counts = [f"{count:,}" for count in (each.requests, each.answers, each.ledger_rows)]
        rows.append([stack, *counts, f"{each.largest_error:.2%}", f"{each.requests_per_second:.0f}"])
    heads = ["gateways", "requests", "answered", "rows of the ledger", "farthest from a limit", "requests a second"]
    print(table(heads, rows))
    is_met = all(each.is_exact and each.largest_error <= GOAL_SHARE for each in results.values())
    print(f"\n{'met   ' if is_met else 'MISSED'}  each key has its limit within 1 %, and each request its row")
    write("gateway_limits", {**{name: asdict(each) for name, each in results.items()}, "met": is_met})
    return is_met


def hits(stacks: Sequence[str], requests: int) -> bool:
    """Return whether half of the stored answers come within the goal."""
    results = {}
    with TemporaryDirectory() as folder, running_model("wire_server", str(TEXTS), "0") as model:
        for number, stack in enumerate(stacks):
            with gateways(stack, model, Path(folder, str(number))) as running:
                results[stack] = asyncio.run(stored_answers.measure(running, requests))
    rows = [
        [stack, name, f"{times.p50_ms:.2f}", f"{times.p95_ms:.2f}"]
        for stack, by_name in results.items()
        for name, times in by_name.items()
    ]
    print(table(["gateways", "answer", "p50 ms", "p95 ms"], rows))
    is_met = all(by_name[name].p50_ms <= GOAL_MS for by_name in results.values() for name in ("whole", "streamed"))
    print(f"\n{'met   ' if is_met else 'MISSED'}  half of the stored answers within {GOAL_MS:g} ms")
    figures = {stack: {name: asdict(times) for name, times in by_name.items()} for stack, by_name in results.items()}
    write("gateway_hits", {**figures, "met": is_met})
    return is_met
