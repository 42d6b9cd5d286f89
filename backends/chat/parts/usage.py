"""Token counts in the fields of the OpenAI format: read by clients, written by servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.types import Usage

MAX_TOKEN_COUNT = 10**9
_NAMES = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")


def read_usage(usage: Any) -> Usage | None:
    """Token counts from the fields of the OpenAI format, or None if the server reports no valid counts."""
    if not isinstance(usage, Mapping):
        return None
    counts = {name: _count(value) for name, value in usage.items() if name in _NAMES}
    if not counts or None in counts.values():
        return None
    prompt = counts.get("prompt_tokens", counts.get("input_tokens")) or 0
    output = counts.get("completion_tokens", counts.get("output_tokens")) or 0
    cached, reasoning = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    return Usage(prompt, output, _detail(cached, "cached_tokens"), _detail(reasoning, "reasoning_tokens"))


def write_usage(usage: Usage) -> dict[str, Any]:
    """Token counts in the fields of the OpenAI format."""
    fields: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    if usage.cached_tokens is not None:
        fields["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if usage.reasoning_tokens is not None:
        fields["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return fields


def _detail(details: Any, name: str) -> int | None:
    return _count(details.get(name)) if isinstance(details, Mapping) else None


def _count(value: Any) -> int | None:
    """A number of tokens, or None if it isn't one: some gateways send null, text or floats."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= MAX_TOKEN_COUNT else None
