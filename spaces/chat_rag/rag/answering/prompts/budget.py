"""Plans a prompt that fits into a model's context window: passages, conversation and answer, in tokens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from weakref import WeakKeyDictionary

from backends import Backend, BackendError, Message
from backends.stopwatch import now
from rag.answering.prompts.prompt import HISTORY_CHARACTERS, build_messages, recent_messages
from rag.documents import Passage
from rag.errors import RagError

# The window to assume if a server doesn't report one: the smallest default that is still common.
SAFE_CONTEXT = 2048
CHECK_SECONDS, CACHE_SECONDS = 2.0, 300.0
# A chat template adds tokens of its own: the start, the role, the end of each turn.
MESSAGE_TOKENS = 8
# Of 334 texts of ten kinds, three passages long, none had more tokens for SmolLM2 than this factor times the estimate.
MARGIN = 1.2
MIN_ANSWER_TOKENS = 64
_WORD, _SPACE = re.compile(r"[A-Za-z]+"), re.compile(r"\s+")
_ASCII_SIGN, _OTHER_CHARACTER = re.compile(r"[!-@\[-`{-~]"), re.compile(r"[^\x00-\x7f\s]")
_window_cache: WeakKeyDictionary[Backend, tuple[float, int | None]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """The messages to send, with the passages in them.

    `tokens` estimates the size of the messages; `omitted_passages` counts the passages that didn't fit.
    """

    messages: tuple[Message, ...]
    passages: tuple[Passage, ...]
    max_tokens: int
    tokens: int
    omitted_passages: int


def plan_prompt(
    question: str,
    passages: Sequence[Passage],
    history: Sequence[Message] = (),
    *,
    max_tokens: int,
    context_window: int | None,
    system: str = "",
) -> PromptPlan:
    """Plan a prompt with as many of the best passages as fit beside the question, the conversation and the answer.

    It drops the oldest turns first, then passages, the best one last. Raises `RagError` if a reported window can't
    fit the question with one passage.
    """
    window = context_window or SAFE_CONTEXT
    # An answer longer than half of the window would leave no room for the passages.
    room = window - min(max_tokens, window // 2)

    def draft(count: int, turns: Sequence[Message]) -> tuple[tuple[Message, ...], int]:
        messages = build_messages(question, passages[:count], turns, system=system)
        return messages, estimate_prompt_tokens(messages)

    _, minimum = draft(1, ())
    if context_window and minimum > window - MIN_ANSWER_TOKENS:
        raise _too_long(minimum, window, bool(passages))
    turns = _recent_turns(history, (room - minimum) // 2 if passages else room - minimum)
    count = len(passages)
    messages, tokens = draft(count, turns)
    while count > 1 and tokens > room:
        count -= 1
        messages, tokens = draft(count, turns)
    # A server refuses or cuts an answer that would grow beyond its window. Without a reported window, ask for all.
    answer_tokens = min(max_tokens, max(window - tokens, MIN_ANSWER_TOKENS)) if context_window else max_tokens
    return PromptPlan(messages, tuple(passages[:count]), answer_tokens, tokens, len(passages) - count)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text without a tokenizer, because there isn't one at hand for every model."""
    words = sum([1 + (len(word) - 1) // 5 for word in _WORD.findall(text)])
    lines = sum(["\n" in space for space in _SPACE.findall(text)])
    others = 0 if text.isascii() else 2 * len(_OTHER_CHARACTER.findall(text))
    return words + lines + len(_ASCII_SIGN.findall(text)) + others


def estimate_prompt_tokens(messages: Sequence[Message]) -> int:
    """Estimate the tokens of a conversation with its chat template, on the high side."""
    contents = sum(MESSAGE_TOKENS + estimate_tokens(message.text) for message in messages)
    return ceil(MARGIN * (MESSAGE_TOKENS + contents))


async def find_context_window(backend: Backend) -> int | None:
    """Return the context window that a target reports, checked at most every five minutes, or None."""
    with suppress(TypeError):  # a backend that can't be a dictionary key is checked each time
        checked_at, context_window = _window_cache.get(backend, (float("-inf"), None))
        if now() - checked_at < CACHE_SECONDS:
            return context_window
    # The check loads a local model, which the answer has to wait for anyway.
    limit = None if backend.local else CHECK_SECONDS
    try:
        async with asyncio.timeout(limit):
            context_window = (await backend.check()).context
    except (TimeoutError, BackendError):
        return None  # the request for the answer reports the error
    with suppress(TypeError):
        _window_cache[backend] = now(), context_window
    return context_window


def _too_long(tokens: int, window: int, with_passage: bool) -> RagError:
    subject = "The question and one passage don't" if with_passage else "The question doesn't"
    return RagError(
        f"{subject} fit into this model's context window: about {tokens:,} of {window:,} tokens.",
        "Ask a shorter question, shorten the system prompt, or choose a model with a longer context.",
    )


def _recent_turns(history: Sequence[Message], room: int) -> list[Message]:
    """Return the last turns of the conversation that fit into `room` tokens."""
    turns = recent_messages(history, HISTORY_CHARACTERS)
    while turns and estimate_prompt_tokens(turns) > room:
        turns = turns[1:]
        while turns and turns[0].role == "assistant":  # many chat templates expect the user to begin
            turns = turns[1:]
    return turns
