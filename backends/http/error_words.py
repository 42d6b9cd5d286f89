"""What a server says in an error: the words of an object that each server builds in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# An object under "error" says more than the title beside it. Without one, "error" may be the title or just `true`.
_NAMES = ["message", "detail", "msg", "error_msg", "error_message", "status_msg", "error", "errors", "title"]
_NAMES += ["reason", "base_resp"]
_MAX_DEPTH = 20  # an object of objects isn't an error of any server
_MAX_ERRORS = 5  # of a list; the others are of the same kind


def error_words(value: Any, depth: int = 0) -> str:
    """Return the words of a server's error, or "" if there are none."""
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(value, Mapping):
        names = sorted(_NAMES, key=lambda name: name != "error") if isinstance(value.get("error"), Mapping) else _NAMES
        words = next((words for name in names if (words := error_words(value.get(name), depth + 1))), "")
        return f"{place}: {words}" if words and (place := _place(value.get("loc"))) else words
    if isinstance(value, list):
        return "; ".join(filter(None, (error_words(each, depth + 1) for each in value[:_MAX_ERRORS])))
    return "" if value is None or isinstance(value, bool) else str(value)


def _place(path: Any) -> str:
    """Where in a request a validator found the error, such as `body.max_tokens`."""
    return ".".join(map(str, path)) if isinstance(path, list) else ""
