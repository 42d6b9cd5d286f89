"""A cached answer: the events of its stream with their times, and its form as bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import groupby
from typing import Any, NamedTuple

from backends import Delta, Done, Event, TokenLogprob, ToolCall, Usage
from backends.text import to_json
from gateway.cache.keys import FORMAT

# An answer that a server ended for another reason, such as a filter, can be another one next time.
COMPLETE = ("stop", "length", "tool_calls")
_KINDS = {"a": "answer", "t": "thought"}


class TimedEvent(NamedTuple):
    """An event, and when it came in seconds since the request."""

    seconds: float
    event: Event


@dataclass(frozen=True, slots=True)
class Entry:
    """A complete answer, and the target that gave it."""

    target: str
    events: tuple[TimedEvent, ...]

    def joined(self) -> list[Event]:
        """The same answer in as few events as possible."""
        joined: list[Event] = []
        events = (event for _, event in self.events)
        for kind, group in groupby(events, key=lambda event: event.kind if isinstance(event, Delta) else None):
            if kind is None:
                joined += group
            else:
                joined.append(Delta("".join(event.text for event in group if isinstance(event, Delta)), kind))
        return joined


def is_complete(events: Sequence[TimedEvent]) -> bool:
    """Whether the events are an answer that may be given again."""
    last = events[-1].event if events else None
    return isinstance(last, Done) and last.finish_reason in COMPLETE


def encode(entry: Entry) -> bytes:
    """The entry as bytes, for a store."""
    events = [[round(seconds * 1000), *_write(event)] for seconds, event in entry.events]
    return to_json({"format": FORMAT, "target": entry.target, "events": events}).encode(errors="surrogatepass")


def decode(data: bytes) -> Entry | None:
    """The entry of `data`; None if it is damaged, or of another version."""
    try:
        value = json.loads(data)
        if value["format"] != FORMAT:
            return None
        events = tuple(TimedEvent(event[0] / 1000, _read(*event[1:])) for event in value["events"])
        return Entry(str(value["target"]), events) if is_complete(events) else None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _write(event: Event) -> list[Any]:
    if isinstance(event, Delta):
        return [event.kind[0], event.text]
    if isinstance(event, ToolCall):
        return ["call", event.id, event.name, dict(event.arguments)]
    usage = event.usage
    counts = None if usage is None else [
        usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens
    ]  # fmt: skip
    tokens = None if event.logprobs is None else [astuple(token) for token in event.logprobs]
    return ["done", event.finish_reason, counts, tokens]


def _read(kind: str, *values: Any) -> Event:
    if kind == "call":
        return ToolCall(*values)
    if kind == "done":
        reason, counts, tokens = values
        return Done(reason, None if counts is None else Usage(*counts), None if tokens is None else _tokens(tokens))
    return Delta(values[0], _KINDS[kind])  # type: ignore[arg-type]  # the table has only kinds


def _tokens(tokens: Sequence[Any]) -> tuple[TokenLogprob, ...]:
    return tuple(
        TokenLogprob(token, logprob, tuple((other, number) for other, number in alternatives))
        for token, logprob, alternatives in tokens
    )
