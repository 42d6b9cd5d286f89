"""Checks of a client's JSON values; `Rejected` with status 400 says what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.errors import Rejected

EXAMPLE = 'Send {"messages": [{"role": "user", "content": "…"}]}.'


class InvalidBody(Rejected):
    """A body that isn't a request of its format; `reason` is the part of the message that doesn't name the format."""

    def __init__(self, reason: str, name: str, example: str) -> None:
        super().__init__(f"The request is not {name}: {reason}.", example, status=400)
        self.reason = reason


def bad_request(reason: str) -> InvalidBody:
    """The error for a body that isn't a chat completion request."""
    return InvalidBody(reason, "a chat completion", EXAMPLE)


def read_text(body: Mapping[str, Any], name: str) -> str:
    """Return a text, "" if it is missing."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"{name} is {describe(value)}, not text")
    return value or ""


def read_flag(body: Mapping[str, Any], name: str) -> bool:
    """Return a flag, false if it is missing."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"{name} is {describe(value)}, not true or false")
    return bool(value)


def read_integer(body: Mapping[str, Any], name: str, *, minimum: int) -> int | None:
    """Return a whole number from `minimum`, None if it is missing."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not minimum <= value < 2**63:
        bound = "a whole number" if minimum < 0 else f"a whole number from {minimum}"
        raise bad_request(f"{name} is {describe(value)}, not {bound}")
    return value


def read_number(body: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    """Return a number from `low` to `high`, None if it is missing."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise bad_request(f"{name} is {describe(value)}, not a number from {low:g} to {high:g}")
    return float(value)


def describe(value: Any) -> str:
    """A value for an error message: a number as it is, anything else by its type."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value!r}"[:40]
    names: dict[type, str] = {str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def replace_surrogates(text: str) -> str:
    """`text` with surrogates, which JSON can contain and UTF-8 can't, joined or replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
