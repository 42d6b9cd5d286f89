"""`list` and `check`: the targets of the catalogue, and whether they can be used."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from typing import Any

from backends.catalog import Catalog, Target
from backends.commands import vectors
from backends.kinds.openai import one_token_request
from backends.stopwatch import Stopwatch
from backends.types import Backend, Health

# A server on another continent, or one that wakes up, takes seconds to list its models.
CHECK_SECONDS = 10.0


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add `list` and `check` to the commands of python -m backends."""
    list_ = commands.add_parser("list", parents=[common], help="list the targets and which are configured")
    list_.add_argument("--json", action="store_true", help="print JSON")
    list_.set_defaults(command=_list)
    check = commands.add_parser("check", parents=[common], help="connect to a target and time a one-token answer")
    which = check.add_mutually_exclusive_group()
    which.add_argument("name", nargs="?", help="the target (default: the first of the catalogue)")
    which.add_argument("--all", action="store_true", help="ask the server of each target whether it is there")
    check.set_defaults(command=_check)


async def _list(options: argparse.Namespace) -> int:
    catalog = Catalog.load(options.catalog)
    targets = await asyncio.to_thread(lambda: [catalog.target(name) for name in catalog.all_names])
    states = [_state(target, asked=False) for target in targets]
    if options.json:
        rows = [
            {"name": target.name, "kind": target.kind, "state": state, "available": target.unavailable is None}
            | ({"reason": target.reason} if target.unavailable else {})
            for target, state in zip(targets, states, strict=True)
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_targets(targets, states)
    return 0


async def _check(options: argparse.Namespace) -> int:
    catalog = Catalog.load(options.catalog)
    if options.all:
        return await _check_all(catalog)
    name = options.name or catalog.default
    task = catalog.task(name)
    if task in ("embed", "rerank"):
        print(await vectors.check_task(catalog, name, task))
        return 0
    backend = catalog.connect(name)
    health = await backend.check()
    if task in ("classify", "draw"):
        print(f"{name}: {health.model} {'classifies' if task == 'classify' else 'makes'} pictures")
    else:
        print(f"{name}: {await _one_token_line(backend, health)}")
    return 0


async def _check_all(catalog: Catalog) -> int:
    """Ask every server; the status is 1 if one that is configured can't be used."""
    configured = {name for name in catalog.all_names if catalog.target(name).unavailable is None}
    targets = await catalog.check_targets(CHECK_SECONDS, catalog.all_names)
    _print_targets(targets, [_state(target, asked=True) for target in targets])
    return 1 if any(target.unavailable and target.name in configured for target in targets) else 0


async def _one_token_line(backend: Backend, health: Health) -> str:
    """Let a chat model write one token, and return a line about both."""
    stopwatch = Stopwatch()
    async for _ in stopwatch.record(backend.stream(one_token_request())):
        pass
    context = f", {health.context} tokens of context" if health.context else ""
    detail = f" ({health.detail})" if health.detail else ""
    return f"{health.model}{context}{detail}; one token in {stopwatch.total_seconds or 0:.3f} s"


def _state(target: Target, *, asked: bool) -> str:
    """Return the state of a target in one word; without asking, it's unknown whether its server is there."""
    if target.unavailable:
        return "unavailable"
    return "available" if target.local else "reached" if asked else "configured"


def _print_targets(targets: Sequence[Target], states: Sequence[str]) -> None:
    name_width = max((len(target.name) for target in targets), default=0)
    kind_width = max((len(target.kind) for target in targets), default=0)
    for target, state in zip(targets, states, strict=True):
        reason = f": {target.reason}" if target.unavailable else ""
        print(f"{target.name:<{name_width}}  {target.kind:<{kind_width}}  {state}{reason}")
