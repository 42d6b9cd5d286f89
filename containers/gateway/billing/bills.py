"""What a request costs: its tokens or its seconds at the target's price, or the most that they can have cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from gateway.billing import money
from gateway.billing.prices import PerHour
from gateway.targets import GatewayTarget
from inference.answers.endings import Ending
from inference.errors import CLIENT_CLOSED_REQUEST, Refused, ShuttingDown

MESSAGE_TOKENS = 16  # of the template around a message
LIKELY_PICTURE_TOKENS = 1_500  # models count from 85 to many thousands; the most is `picture_tokens` of the target
BYTES_PER_CHARACTER = 4  # of UTF-8, at most
BYTES_PER_TOKEN = 4  # of English text, about
UNBILLED = (NotConfigured, Overloaded, Rejected, Unreachable)  # the model's server did no work


@dataclass(frozen=True, slots=True)
class Size:
    """The most tokens that a request can have: no tokenizer makes more tokens than a text has bytes.

    `input_tokens` are those of the texts; how many a picture has depends on the target. `seconds` is how long the
    answer may take. Without `has_tokens` the model has none, and a price by the token says nothing of the request.
    """

    input_tokens: int
    output_tokens: int
    pictures: int = 0
    offers_tools: bool = False
    picture_bytes: int = 0
    seconds: float = 0.0
    has_tokens: bool = True

    @property
    def bytes(self) -> int:
        """About how much memory the request takes."""
        return self.input_tokens + self.picture_bytes

    @property
    def likely_input(self) -> int:
        """About how many tokens the prompt has; for limits, which the true count corrects at the end."""
        return self.input_tokens // BYTES_PER_TOKEN + self.pictures * LIKELY_PICTURE_TOKENS


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
        tokens += len(message.text.encode()) + calls + MESSAGE_TOKENS
    for tool in request.tools:
        tokens += len(to_json([tool.name, tool.description, dict(tool.parameters)]).encode()) + MESSAGE_TOKENS
    if request.schema is not None:
        tokens += len(to_json(dict(request.schema)).encode())
    pictures = [len(picture.data) for message in request.messages for picture in message.pictures]
    return Size(tokens, request.max_tokens, len(pictures), bool(request.tools), sum(pictures))


def texts_size(texts: Sequence[str]) -> Size:
    """Return the size of a request for embeddings."""
    return Size(sum(len(text.encode()) + MESSAGE_TOKENS for text in texts), 0)


def most_cost(target: GatewayTarget, size: Size) -> int | None:
    """Return the most that a request of this size can cost at a target, in nano-USD; None if its price is unknown."""
    if isinstance(target.price, PerHour):
        return money.from_usd(target.price.time(size.seconds))
    if not size.has_tokens:
        return _cost(target, 0, 0, size, 0.0)
    if target.price is None:
        return None
    input_tokens = size.input_tokens + size.pictures * target.picture_tokens
    return money.from_usd(target.price.request(input_tokens, size.output_tokens))


def outcome(ending: Ending) -> str:
    """Return the outcome for the ledger: ok, error, cancelled or refused (by the gateway, before the target)."""
    if not ending.kind:
        return "ok"
    if ending.kind in ("left", "given_up") or ending.status == CLIENT_CLOSED_REQUEST:
        return "cancelled"
    return "refused" if ending.error and ending.queue_seconds is None else "error"


def bill(ending: Ending, target: GatewayTarget | None, size: Size, usage: Usage | None, seconds: float) -> Bill:
    """Return the bill of a request on which its target worked for so many seconds.

    `usage` is what the server counted, if that isn't in the ending. A request that ended before its server counted the
    tokens pays for the most that they can be: for all bytes of its prompt, and of the text that has come.
    """
    if not _reached_model(ending):
        return Bill(None, None, 0)
    if counted := _usage(ending) or usage:
        return _counted(counted, target, size, seconds)
    characters = sum(arrival.characters for arrival in ending.stopwatch.arrivals)
    return _bound(target, size, seconds, characters, is_complete=not ending.kind)


def attempt_bill(error: BackendError, target: GatewayTarget | None, size: Size, seconds: float) -> Bill:
    """Return the bill of an attempt at a target that ended with an error before its first event."""
    if not _is_billed(error):
        return Bill(None, None, 0)
    if error.usage:
        return _counted(error.usage, target, size, seconds)
    return _bound(target, size, seconds, 0)


def total(attempts: Sequence[Bill]) -> Bill:
    """Return one bill for all attempts of a request, with the tokens of the last one."""
    costs = [each.cost for each in attempts if each.cost is not None]
    cost = sum(costs) if len(costs) == len(attempts) else None
    return replace(attempts[-1], cost=cost, is_bound=any(each.is_bound for each in attempts))


def used_tokens(ending: Ending, size: Size, usage: Usage | None = None) -> int:
    """Return how many tokens a request took from its key's minute: as counted, or about as many."""
    if not _reached_model(ending):
        return 0
    if counted := _usage(ending) or usage:
        return counted.input_tokens + counted.output_tokens
    return size.likely_input + sum(arrival.characters for arrival in ending.stopwatch.arrivals) // BYTES_PER_TOKEN


def _counted(usage: Usage, target: GatewayTarget | None, size: Size, seconds: float) -> Bill:
    cost = _cost(target, usage.input_tokens, usage.output_tokens, size, seconds)
    return Bill(usage.input_tokens, usage.output_tokens, cost)


def _cost(
    target: GatewayTarget | None, input_tokens: int, output_tokens: int, size: Size, seconds: float
) -> int | None:
    """Return the cost of an answer in nano-USD, or None if it is unknown."""
    price = target.price if target else None
    if price is None:
        return None
    if isinstance(price, PerHour):
        return money.from_usd(price.time(seconds))
    is_free = price.usd_input == price.usd_output == 0
    if not (size.has_tokens or is_free):
        return None
    return money.from_usd(price.request(input_tokens, output_tokens))


def _bound(
    target: GatewayTarget | None, size: Size, seconds: float, characters: int, *, is_complete: bool = False
) -> Bill:
    """Return the most that an answer can have cost of which so many characters have come; its time is known."""
    if target is None:
        return Bill(None, None, None)
    if not size.has_tokens:
        return _counted(Usage(0, 0), target, size, seconds)
    if isinstance(target.price, PerHour):
        return Bill(None, None, _cost(target, 0, 0, size, seconds))
    most = min(characters * BYTES_PER_CHARACTER, size.output_tokens)
    if is_complete or size.offers_tools or target.hides_thoughts:  # calls come at the end, hidden thoughts never
        most = size.output_tokens
    cost = most_cost(target, replace(size, output_tokens=most))
    return Bill(None, None, cost, is_bound=cost is not None)


def _usage(ending: Ending) -> Usage | None:
    """Return what the server counted: at the end of its answer, or before its error."""
    return ending.stopwatch.usage or (ending.error.usage if isinstance(ending.error, BackendError) else None)


def _reached_model(ending: Ending) -> bool:
    """Return whether a model may have worked for a request."""
    if ending.queue_seconds is None:
        return False
    return bool(ending.stopwatch.arrivals) or ending.error is None or _is_billed(ending.error)


def _is_billed(error: SpaceportError) -> bool:
    """Return whether a model may have worked before the error, such as that of a key that is revoked meanwhile."""
    if isinstance(error, BackendError) and (error.usage or error.is_refusal):
        return True
    return isinstance(error, (Refused, ShuttingDown)) or not isinstance(error, UNBILLED)
