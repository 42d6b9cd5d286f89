"""python -m backends list | check | ask | embed | rerank | models | pull | use: the catalogue on the command line.

Exit status: 0 success, 1 failure (message and remedy on stderr), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict

from backends import telemetry
from backends.catalog import Catalog, Target
from backends.chat.answer_checks import load_schema
from backends.chat.failures import LENGTH_REASONS
from backends.commands import vectors
from backends.commands.models import add_commands, pull_model
from backends.commands.terminal import exit_status, printable
from backends.errors import InvalidAnswer
from backends.http.connections import close_connections
from backends.kinds.openai import one_token_request
from backends.local_models.fit import local_models
from backends.pictures import load_picture
from backends.stopwatch import Stopwatch
from backends.types import ChatRequest, Delta, Done, Downloadable, Message, ToolCall

# A server on another continent, or one that wakes up, takes seconds to list its models.
CHECK_SECONDS = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], Coroutine[None, None, int]] = options.command

    def run() -> int:
        telemetry.configure("spaceport")
        return asyncio.run(_run(command(options)))

    return exit_status(run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backends", description="The targets of the catalogue.")
    # The option is valid before and after the command; SUPPRESS keeps the second parser from resetting it.
    parser.add_argument("--catalog", metavar="PATH", default=None, help="a catalogue instead of the built-in one")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--catalog", metavar="PATH", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="list | check | ask | embed | rerank | models | pull | use")
    list_ = commands.add_parser("list", parents=[common], help="list the targets and which are configured")
    list_.add_argument("--json", action="store_true", help="print JSON")
    list_.set_defaults(command=_list)
    check = commands.add_parser("check", parents=[common], help="connect to a target and time a one-token answer")
    which = check.add_mutually_exclusive_group()
    which.add_argument("name", nargs="?", help="the target (default: the first of the catalogue)")
    which.add_argument("--all", action="store_true", help="ask the server of each target whether it is there")
    check.set_defaults(command=_check)
    ask = commands.add_parser("ask", parents=[common], help="stream one answer")
    ask.add_argument("name", help="the target")
    ask.add_argument("question")
    ask.add_argument("--system", default="", help="a system prompt")
    ask.add_argument("--picture", action="append", default=[], metavar="FILE", help="send a picture with the question")
    ask.add_argument("--schema", metavar="FILE", help="a JSON schema that the answer must match")
    ask.add_argument("--max-tokens", type=int, default=512)
    ask.add_argument("--temperature", type=float, default=0.2)
    ask.add_argument("--json", action="store_true", help="print one JSON object instead")
    ask.set_defaults(command=_ask)
    pull = commands.add_parser("pull", parents=[common], help="download a model of `models`, or that of a target")
    pull.add_argument("name", help="the model or the target")
    pull.set_defaults(command=_pull)
    add_commands(commands, common)
    vectors.add_commands(commands, common)
    return parser


async def _list(options: argparse.Namespace) -> int:
    catalog = Catalog.load(options.catalog)
    targets = await asyncio.to_thread(lambda: [catalog.target(name) for name in catalog.all_names])
    states = [target_state(target, asked=False) for target in targets]
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


def target_state(target: Target, *, asked: bool) -> str:
    """The state of a target in one word: nobody knows whether a server is there that wasn't asked."""
    if target.unavailable:
        return "unavailable"
    return "available" if target.local else "reached" if asked else "configured"


def _print_targets(targets: Sequence[Target], states: Sequence[str]) -> None:
    name_width = max((len(target.name) for target in targets), default=0)
    kind_width = max((len(target.kind) for target in targets), default=0)
    for target, state in zip(targets, states, strict=True):
        reason = f": {target.reason}" if target.unavailable else ""
        print(f"{target.name:<{name_width}}  {target.kind:<{kind_width}}  {state}{reason}")


async def _check_all(catalog: Catalog) -> int:
    """Ask every server; the status is 1 if one that is configured can't be used."""
    configured = {name for name in catalog.all_names if catalog.target(name).unavailable is None}
    targets = await catalog.check_targets(CHECK_SECONDS, catalog.all_names)
    _print_targets(targets, [target_state(target, asked=True) for target in targets])
    return 1 if any(target.unavailable and target.name in configured for target in targets) else 0


async def _check(options: argparse.Namespace) -> int:
    catalog = Catalog.load(options.catalog)
    if options.all:
        return await _check_all(catalog)
    name = options.name or catalog.default
    if (task := catalog.task(name)) in ("embed", "rerank"):
        print(await vectors.check_task(catalog, name, task))
        return 0
    backend = catalog.connect(name)
    health = await backend.check()
    if task in ("classify", "draw"):
        print(f"{name}: {health.model} {'classifies' if task == 'classify' else 'makes'} pictures")
        return 0
    stopwatch = Stopwatch()
    async for _ in stopwatch.record(backend.stream(one_token_request())):
        pass
    context = f", {health.context} tokens of context" if health.context else ""
    detail = f" ({health.detail})" if health.detail else ""
    print(f"{name}: {health.model}{context}{detail}; one token in {stopwatch.total_seconds or 0:.3f} s")
    return 0


def _question(options: argparse.Namespace) -> ChatRequest:
    system = (Message("system", options.system),) if options.system else ()
    pictures = tuple(load_picture(path) for path in options.picture)
    content = (options.question, *pictures) if pictures else options.question
    return ChatRequest(
        (*system, Message("user", content)),
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        schema=load_schema(options.schema) if options.schema else None,
    )


async def _ask(options: argparse.Namespace) -> int:
    backend = Catalog.load(options.catalog).connect(options.name)
    request = _question(options)
    stopwatch, texts, done = Stopwatch(), {"answer": "", "thought": ""}, Done(None, None)
    calls: list[str] = []
    async for event in stopwatch.record(backend.stream(request)):
        if isinstance(event, Delta):
            texts[event.kind] += event.text
            if not options.json:
                _print_delta(event)
        elif isinstance(event, ToolCall):
            calls.append(event.name)
        else:
            done = event
    if calls:
        message = f"The model called {', '.join(calls)} instead of answering, but it was offered no tools."
        raise InvalidAnswer(message, "Ask in other words, or choose another model.", text=texts["answer"])
    if options.json:
        usage = asdict(done.usage) if done.usage else None
        result = texts | {"finish_reason": done.finish_reason, "usage": usage, "timings": stopwatch.timings()}
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(f"\n{_summary(stopwatch)}")
    if not texts["answer"]:
        is_cut = (done.finish_reason or "").lower() in LENGTH_REASONS
        raise InvalidAnswer("The answer is empty.", "Raise --max-tokens." if is_cut else "Ask in other words.", text="")
    return 0


async def _pull(options: argparse.Namespace) -> int:
    if options.name in local_models():
        return await pull_model(local_models()[options.name])
    backend = Catalog.load(options.catalog).connect(options.name)
    if not isinstance(backend, Downloadable):
        print(f"{options.name} has nothing to download: its model is on the server.")
        return 0
    last = ""
    async for step, progress in backend.pull():
        line = step if progress is None else f"{step} {progress:.0%}"
        if line != last:
            print(line, flush=True)
        last = line
    return 0


def _print_delta(delta: Delta) -> None:
    """Write a piece of the answer to stdout; thoughts go to stderr, so that a pipe gets only the answer."""
    stream = sys.stdout if delta.kind == "answer" else sys.stderr
    dim = delta.kind == "thought" and stream.isatty()
    text = printable(delta.text)
    print(f"\033[2m{text}\033[0m" if dim else text, end="", flush=True, file=stream)


def _summary(stopwatch: Stopwatch) -> str:
    first, rate, usage = stopwatch.first_token_seconds, stopwatch.tokens_per_second, stopwatch.usage
    parts = [
        f"first token {first:.3f} s" if first is not None else "no text",
        f"{rate:.1f} tokens/s" if rate else "tokens/s unknown",
        f"{usage.input_tokens} tokens in, {usage.output_tokens} out" if usage else "usage not reported",
    ]
    return "— " + " · ".join(parts)


async def _run(command: Coroutine[None, None, int]) -> int:
    """Run a command, then close the HTTP connections."""
    try:
        return await command
    finally:
        await close_connections()


if __name__ == "__main__":
    sys.exit(main())
