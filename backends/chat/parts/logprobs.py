"""Log probabilities of an answer's tokens, in the OpenAI format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backends.chat.parts.checks import bad_request, read_flag, read_integer
from backends.types import TokenLogprob

MAX_ALTERNATIVES = 20
_IMPOSSIBLE = -9999.0  # how OpenAI writes a probability of 0: JSON has no infinity


def logprobs_body(alternatives: int | None) -> dict[str, Any]:
    """The fields of a request body that ask for log probabilities; none if `alternatives` is None."""
    if alternatives is None:
        return {}
    return {"logprobs": True} | ({"top_logprobs": alternatives} if alternatives else {})


def read_alternatives(body: Mapping[str, Any]) -> int | None:
    """How many alternatives a client asks for, or None if it asks for no log probabilities."""
    alternatives = read_integer(body, "top_logprobs", minimum=0)
    if not read_flag(body, "logprobs"):
        if alternatives:
            raise bad_request("top_logprobs needs logprobs")
        return None
    if (alternatives or 0) > MAX_ALTERNATIVES:
        raise bad_request(f"top_logprobs is {alternatives}; the maximum is {MAX_ALTERNATIVES}")
    return alternatives or 0


def read_logprobs(logprobs: Any) -> list[TokenLogprob]:
    """The tokens of a choice's `logprobs`; none if they aren't in the format of chat completions."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    try:
        return read_tokens(content or ())
    except (TypeError, ValueError, LookupError, AttributeError):  # the answer counts, also without them
        return []


def read_tokens(items: Iterable[Mapping[str, Any]]) -> list[TokenLogprob]:
    """The tokens of a list of objects, each with its token, number and alternatives."""
    return [
        TokenLogprob(
            str(item["token"]),
            _number(item["logprob"]),
            tuple((str(other["token"]), _number(other["logprob"])) for other in item.get("top_logprobs") or ()),
        )
        for item in items
    ]


def write_logprobs(tokens: Iterable[TokenLogprob]) -> dict[str, Any]:
    """The `logprobs` of a choice."""
    content = [
        _write(each.token, each.logprob) | {"top_logprobs": [_write(*other) for other in each.alternatives]}
        for each in tokens
    ]
    return {"content": content, "refusal": None}


def _number(logprob: float | None) -> float:
    return _IMPOSSIBLE if logprob is None else max(float(logprob), _IMPOSSIBLE)


def _write(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode(errors="replace"))}
