"""The scenarios of the scripted server: which bytes it writes when, for each name of a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FIRST, GAP, TOKENS = 0.200, 0.020, 50
SLOW_GAP = 0.1
THOUGHTS, BROKEN_AFTER = 10, 10
PING = b": ping\n\n"


@dataclass(frozen=True)
class Write:
    """One write to the socket: seconds after the request, the bytes, and how many texts it completes."""

    at: float
    body: bytes
    texts: int = 0


def event(fields: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def chunk(**fields: object) -> bytes:
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", **fields})


def delta(**fields: str) -> bytes:
    return chunk(choices=[{"index": 0, "delta": fields, "finish_reason": None}])


# One word is also one token for common tokenizers, for tools that count with their own.
WORD = delta(content="word ")


def due(index: int) -> float:
    return FIRST + index * GAP


def plain(tokens: int) -> Iterator[Write]:
    """One text per write."""
    return (Write(due(index), WORD, 1) for index in range(tokens))


def role_first(tokens: int) -> Iterator[Write]:
    """A chunk with only the role, 100 ms before the first text."""
    yield Write(FIRST - 0.1, delta(role="assistant", content=""))
    yield from plain(tokens)


def with_fillers(tokens: int, body: bytes) -> Iterator[Write]:
    for index in range(tokens):
        if index:
            yield Write(due(index) - GAP / 2, body)
        yield Write(due(index), WORD, 1)


def empty_chunks(tokens: int) -> Iterator[Write]:
    """A chunk with empty content halfway between two texts."""
    return with_fillers(tokens, delta(content=""))


def keep_alive(tokens: int) -> Iterator[Write]:
    """Comment lines, 50 ms after the request and halfway between two texts."""
    yield Write(0.05, PING)
    yield from with_fillers(tokens, PING)


def coalesced(tokens: int) -> Iterator[Write]:
    """Two texts in one write, every 40 ms."""
    for index in range(0, tokens, 2):
        texts = min(2, tokens - index)
        yield Write(due(index), WORD * texts, texts)


def split(tokens: int) -> Iterator[Write]:
    """Each text in two writes, 5 ms apart; the second one completes it."""
    half = len(WORD) // 2
    for index in range(tokens):
        yield Write(due(index) - 0.005, WORD[:half])
        yield Write(due(index), WORD[half:], 1)


def slow(tokens: int) -> Iterator[Write]:
    """One text per write, ten a second: 256 such answers at once are as many writes as one core can make in time."""
    return (Write(FIRST + index * SLOW_GAP, WORD, 1) for index in range(tokens))


def reasoning(tokens: int) -> Iterator[Write]:
    """Thoughts first, then the answer."""
    thought = delta(reasoning_content="word ")
    return (Write(due(index), thought if index < THOUGHTS else WORD, 1) for index in range(tokens))


def error_after(tokens: int) -> Iterator[Write]:
    """Some texts, then an error in the stream and a closed connection."""
    yield from plain(min(tokens, BROKEN_AFTER))
    yield Write(due(BROKEN_AFTER), event({"error": {"message": "the engine died", "type": "server_error"}}))


# So many requests at once; more of them wait in a queue.
PLACES = {"places_8": 8}

SCENARIOS: dict[str, Callable[[int], Iterator[Write]]] = {
    "plain": plain,
    "role_first": role_first,
    "empty_chunks": empty_chunks,
    "coalesced": coalesced,
    "split": split,
    "reasoning": reasoning,
    "no_usage": plain,
    "keep_alive": keep_alive,
    "error_after": error_after,
    **dict.fromkeys(PLACES, plain),
    "flaky": plain,
    "slow": slow,
}


def final_writes(model: str, tokens: int) -> Iterator[Write]:
    """The end of the answer and its usage, unless the scenario breaks off before."""
    if model != "error_after":
        usage = {"prompt_tokens": 8, "completion_tokens": tokens, "total_tokens": tokens + 8}
        last = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        last += b"" if model == "no_usage" else chunk(choices=[], usage=usage)
        yield Write(0, last + b"data: [DONE]\n\n")
