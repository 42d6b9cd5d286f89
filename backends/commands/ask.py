"""`ask`: one question, whose answer is printed while it arrives."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any

from backends.catalog import Catalog
from backends.chat.answer_checks import load_schema
from backends.chat.failures import LENGTH_REASONS
from backends.commands.terminal import printable
from backends.errors import InvalidAnswer
from backends.pictures import load_picture
from backends.stopwatch import Stopwatch
from backends.types import ChatRequest, Delta, Done, Event, Message, ToolCall


@dataclass
class _Answer:
    """What a stream contained."""

    texts: dict[str, str] = field(default_factory=lambda: {"answer": "", "thought": ""})
    calls: list[str] = field(default_factory=list)
    done: Done = field(default_factory=lambda: Done(None, None))


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add `ask` to the commands of python -m backends."""
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


async def _ask(options: argparse.Namespace) -> int:
    backend, stopwatch = Catalog.load(options.catalog).connect(options.name), Stopwatch()
    answer = await _read(stopwatch.record(backend.stream(_request(options))), show=not options.json)
    if answer.calls:
        message = f"The model called {', '.join(answer.calls)} instead of answering, but it was offered no tools."
        raise InvalidAnswer(message, "Ask in other words, or choose another model.", text=answer.texts["answer"])
    if options.json:
        print(json.dumps(_json(answer, stopwatch), ensure_ascii=False))
    else:
        print(f"\n{_summary(stopwatch)}")
    if not answer.texts["answer"]:
        is_cut = (answer.done.finish_reason or "").lower() in LENGTH_REASONS
        raise InvalidAnswer("The answer is empty.", "Raise --max-tokens." if is_cut else "Ask in other words.", text="")
    return 0


def _request(options: argparse.Namespace) -> ChatRequest:
    system = (Message("system", options.system),) if options.system else ()
    pictures = tuple(load_picture(path) for path in options.picture)
    content = (options.question, *pictures) if pictures else options.question
    return ChatRequest(
        (*system, Message("user", content)),
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        schema=load_schema(options.schema) if options.schema else None,
    )


async def _read(events: AsyncIterator[Event], *, show: bool) -> _Answer:
    """Read a stream to its end, and print its text meanwhile if `show` is true."""
    answer = _Answer()
    async for event in events:
        if isinstance(event, Delta):
            answer.texts[event.kind] += event.text
            if show:
                _print_delta(event)
        elif isinstance(event, ToolCall):
            answer.calls.append(event.name)
        else:
            answer.done = event
    return answer


def _print_delta(delta: Delta) -> None:
    """Write a piece of the answer to stdout; thoughts go to stderr, so that a pipe gets only the answer."""
    stream = sys.stdout if delta.kind == "answer" else sys.stderr
    dim = delta.kind == "thought" and stream.isatty()
    text = printable(delta.text)
    print(f"\033[2m{text}\033[0m" if dim else text, end="", flush=True, file=stream)


def _json(answer: _Answer, stopwatch: Stopwatch) -> dict[str, Any]:
    usage = asdict(answer.done.usage) if answer.done.usage else None
    return answer.texts | {
        "finish_reason": answer.done.finish_reason,
        "usage": usage,
        "timings": stopwatch.timings(),
    }


def _summary(stopwatch: Stopwatch) -> str:
    first, rate, usage = stopwatch.first_token_seconds, stopwatch.tokens_per_second, stopwatch.usage
    parts = [
        f"first token {first:.3f} s" if first is not None else "no text",
        f"{rate:.1f} tokens/s" if rate else "tokens/s unknown",
        f"{usage.input_tokens} tokens in, {usage.output_tokens} out" if usage else "usage not reported",
    ]
    return "— " + " · ".join(parts)
