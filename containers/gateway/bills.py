"""What a request costs: its tokens at the target's price, or the most that they can have cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backends import (
    BackendError,
    ChatRequest,
    NotConfigured,
    Overloaded,
    Rejected,
    SpaceportError,
    Unreachable,
    Usage,
)
from backends.text import to_json
from backends.token_prices import PerToken
from backends.vectors import Embeddings
from gateway import money
from inference.endings import Ending
from inference.errors import Refused

MESSAGE_TOKENS = 16  # of the template around a message
PICTURE_TOKENS = 3_000  # an assumption: models count from 85 to a few thousand
BYTES_PER_CHARACTER = 4  # of UTF-8, at most
BYTES_PER_TOKEN = 4  # of English text, about
UNBILLED = (NotConfigured, Overloaded, Rejected, Unreachable)  # the model's server did no work


@dataclass(frozen=True, slots=True)
class Size:
    """The most tokens that a request can have: no tokenizer makes more tokens than a text has bytes."""

    input_tokens: int
    output_tokens: int

    @property
    def likely_input(self) -> int:
        """About how many tokens the prompt has; for limits, which the true count corrects at the end."""
        return self.input_tokens // BYTES_PER_TOKEN


@dataclass(frozen=True, slots=True)
class Bill:
    """Tokens as the server counted them, or None; the cost in nano-USD, or None if it is unknown.

    With `is_bound` the request may have cost less.
    """

    input_tokens: int | None
    output_tokens: int | None
    cost: int | None
    is_bound: bool = False


def chat_size(request: ChatRequest) -> Size:
    """Return the size of a request for chat."""
    tokens = 0
    for message in request.messages:
        calls = sum(len(to_json(dict(call.arguments)).encode()) + len(call.name) for call in message.tool_calls)
        tokens += len(message.text.encode()) + calls + MESSAGE_TOKENS + PICTURE_TOKENS * len(message.pictures)
    for tool in request.tools:
        tokens += len(to_json([tool.name, tool.description, dict(tool.parameters)]).encode()) + MESSAGE_TOKENS
    if request.schema is not None:
        tokens += len(to_json(dict(request.schema)).encode())
    return Size(tokens, request.max_tokens)


def texts_size(texts: Sequence[str]) -> Size:
    """Return the size of a request for embeddings."""
    return Size(sum(len(text.encode()) + MESSAGE_TOKENS for text in texts), 0)


def outcome(ending: Ending) -> str:
    """Return the outcome for the ledger: ok, error, cancelled or refused (by the gateway, before the target)."""
    if not ending.kind:
        return "ok"
    if ending.kind in ("left", "given_up"):
        return "cancelled"
    return "refused" if ending.error and ending.queue_seconds is None else "error"


def bill(ending: Ending, price: PerToken | None, size: Size, embeddings: Embeddings | None) -> Bill:
    """Return the bill of a request.

    A request that ended before its server counted the tokens pays for the most that they can be: for all bytes of its
    prompt, and of the text that has come.
    """
    if not _reached_model(ending):
        return Bill(None, None, 0)
    if usage := _usage(ending):
        tokens = (usage.input_tokens, usage.output_tokens)
        return Bill(*tokens, None if price is None else money.from_usd(price.request(*tokens)))
    if embeddings and embeddings.input_tokens is not None:
        count = embeddings.input_tokens
        return Bill(count, 0, None if price is None else money.from_usd(price.request(count, 0)))
    if price is None:
        return Bill(None, None, None)
    most = sum(arrival.characters for arrival in ending.stopwatch.arrivals) * BYTES_PER_CHARACTER
    if not ending.kind:  # complete, and the server doesn't count
        most = size.output_tokens
    cost = money.from_usd(price.request(size.input_tokens, min(most, size.output_tokens)))
    return Bill(None, None, cost, is_bound=True)


def used_tokens(ending: Ending, size: Size, embeddings: Embeddings | None) -> int:
    """Return how many tokens a request took from its key's minute: as counted, or about as many."""
    if not _reached_model(ending):
        return 0
    if usage := _usage(ending):
        return usage.input_tokens + usage.output_tokens
    if embeddings and embeddings.input_tokens is not None:
        return embeddings.input_tokens
    return size.likely_input + sum(arrival.characters for arrival in ending.stopwatch.arrivals) // BYTES_PER_TOKEN


def _usage(ending: Ending) -> Usage | None:
    """Return what the server counted: at the end of its answer, or before its error."""
    return ending.stopwatch.usage or (ending.error.usage if isinstance(ending.error, BackendError) else None)


def _reached_model(ending: Ending) -> bool:
    """Return whether a model may have worked for a request; a key that is revoked meanwhile is no error of it."""
    if ending.queue_seconds is None:
        return False
    return bool(ending.stopwatch.arrivals) or ending.error is None or _is_billed(ending.error)


def _is_billed(error: SpaceportError) -> bool:
    """Return whether a model may have worked before the error."""
    if isinstance(error, BackendError) and (error.usage or error.is_refusal):
        return True
    return isinstance(error, Refused) or not isinstance(error, UNBILLED)
