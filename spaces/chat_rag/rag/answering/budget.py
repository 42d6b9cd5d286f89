"""What fits into a model's window: the passages, the conversation and the answer, in tokens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from weakref import WeakKeyDictionary

from backends import Backend, BackendError, Message, Usage
from backends.stopwatch import now
from rag.answering.prompt import HISTORY_CHARACTERS, messages, recent
from rag.documents import Passage
from rag.errors import RagError

# What a server is trusted with that does not tell its window: the smallest that is still common as a default.
SAFE_CONTEXT = 2048
CHECK_SECONDS, KNOWN_SECONDS = 2.0, 300.0
# A chat template's own tokens: the start, the roles, the ends of turns.
MESSAGE_TOKENS = 8
# Of 334 texts of ten kinds, three passages long, none had more tokens for SmolLM2 than this times the estimate.
MARGIN = 1.2
LEAST_ANSWER = 64
_PIECE = re.compile(r"(?P<word>[A-Za-z]+)|(?P<space>\s+)|(?P<ascii>[\x21-\x7e])|(?P<other>[^\x00-\x7f])")
_windows: WeakKeyDictionary[Backend, tuple[float, int | None]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent; `tokens` is an estimate of the prompt, `context` the window it was planned for.

    `known` says whether the target told its window; `left_out` counts the passages that did not fit.
    """

    passages: tuple[Passage, ...]
    history: tuple[Message, ...]
    max_tokens: int
    tokens: int
    context: int
    known: bool
    left_out: int


def plan(
    question: str,
    passages: Sequence[Passage],
    history: Sequence[Message] = (),
    *,
    max_tokens: int,
    context: int | None,
    system: str = "",
) -> Plan:
    """As many of the best passages as fit beside the question, the conversation and the longest answer.

    The oldest turns go first, then the passages, the best one last. `RagError` where a known window cannot hold
    the question, or not with one passage.
    """
    window = context or SAFE_CONTEXT
    # An answer that may be longer than half of the window would leave no room to read anything.
    room = window - min(max_tokens, window // 2)

    def cost(kept: Sequence[Passage], turns: Sequence[Message]) -> int:
        return prompt_tokens(messages(question, kept, turns, system=system))

    bare = cost(passages[:1], ())
    if context and bare > window - LEAST_ANSWER:
        what = "The question and one passage do" if passages else "The question does"
        raise RagError(
            f"{what} not fit into the {window:,} tokens of this model (about {bare:,}).",
            "Ask in fewer words, shorten the system prompt, or choose a model with a longer context.",
        )
    turns = _turns(history, (room - bare) // 2 if passages else room - bare)
    kept = len(passages)
    while kept > 1 and cost(passages[:kept], turns) > room:
        kept -= 1
    tokens = cost(passages[:kept], turns)
    # A server refuses, or cuts, what would grow beyond its window. One that does not tell it is asked for all.
    answer = min(max_tokens, max(window - tokens, LEAST_ANSWER)) if context else max_tokens
    return Plan(tuple(passages[:kept]), tuple(turns), answer, tokens, window, bool(context), len(passages) - kept)


def tokens(text: str) -> int:
    """About how many tokens a text has: no tokenizer is at hand for every model."""
    return sum(_cost(piece) for piece in _PIECE.finditer(text))


def prompt_tokens(sent: Sequence[Message]) -> int:
    """The tokens to reckon with for a conversation, with what a chat template adds: rather too many than too few."""
    return ceil(MARGIN * (MESSAGE_TOKENS + sum(MESSAGE_TOKENS + tokens(message.content) for message in sent)))


async def context_of(backend: Backend) -> int | None:
    """The window that a target tells of itself, asked for at most every five minutes; None if it does not tell."""
    with suppress(TypeError):  # a backend that cannot be a key is asked each time
        asked, known = _windows.get(backend, (float("-inf"), None))
        if now() - asked < KNOWN_SECONDS:
            return known
    # A model on this machine is loaded for it, which the answer has to wait for in any case.
    limit = None if getattr(backend, "local", False) else CHECK_SECONDS
    try:
        async with asyncio.timeout(limit):
            context = (await backend.check()).context
    except (TimeoutError, BackendError):
        return None  # what is wrong is told when it is asked for the answer
    with suppress(TypeError):
        _windows[backend] = now(), context
    return context


def sent(usage: Usage | None, context: int | None) -> str:
    """The tokens that were really sent against the window, as one phrase; empty where the server told none."""
    if usage is None:
        return ""
    if not context:
        return f"{usage.input_tokens:,} tokens sent"
    return f"{usage.input_tokens:,} of {context:,} tokens sent ({usage.input_tokens / context:.0%})"


def _turns(history: Sequence[Message], room: int) -> list[Message]:
    """The last turns of the conversation that `room` tokens hold."""
    turns = recent(history, HISTORY_CHARACTERS)
    while turns and prompt_tokens(turns) > room:
        turns = turns[1:]
        while turns and turns[0].role == "assistant":  # many chat templates want the user to begin
            turns = turns[1:]
    return turns


def _cost(piece: re.Match[str]) -> int:
    if word := piece["word"]:
        return 1 + (len(word) - 1) // 5
    if space := piece["space"]:
        return int("\n" in space)
    return 1 if piece["ascii"] else 2
