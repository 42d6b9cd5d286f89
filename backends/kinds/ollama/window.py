"""The context window that Ollama allocates for a request."""

from __future__ import annotations

import re

from backends.errors import Rejected
from backends.types import ChatRequest

SMALLEST_WINDOW = 2048
TOKENS_PER_MESSAGE = 8  # the chat template's tokens around each message, a generous estimate


def window_for(request: ChatRequest, limit: int | None, *, fixed: bool = False) -> int:
    """The window in tokens for the request and its answer; `Rejected` if `limit` is too small.

    Ollama silently drops the beginning of a conversation that doesn't fit. It reloads the model for each different
    window, so windows are powers of two.
    """
    prompt = sum(estimate_tokens(message.text) + TOKENS_PER_MESSAGE for message in request.messages)
    size = prompt + request.max_tokens
    if limit is not None and size > limit:
        raise Rejected(
            f"The request does not fit: about {prompt} tokens of text and {request.max_tokens} for the answer, "
            f"in a window of {limit}.",
            "Send less text, lower max_tokens, or choose a model with a longer context.",
            status=400,
        )
    if fixed and limit is not None:
        return limit
    window = max(SMALLEST_WINDOW, 1 << (size - 1).bit_length())
    return window if limit is None else min(window, limit)


def estimate_tokens(text: str) -> int:
    """A generous estimate without a tokenizer: one token for three bytes, or for each digit."""
    return (len(text.encode("utf-8", "replace")) + 2 * len(re.findall(r"\d", text))) // 3 + 1
