"""What a server says in an error: the words of an object that each server builds in its own way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# An object under "error" says more than the title beside it. Without one, "error" may be the title or just `true`.
_NAMES = ["message", "Message", "detail", "msg", "error_msg", "error_message", "errorMessage", "status_msg", "error"]
_NAMES += ["errors", "fault", "faultstring", "title", "reason", "base_resp", "text"]
_MAX_DEPTH = 20  # an object of objects isn't an error of any server
_MAX_ERRORS = 5  # of a list; the others are of the same kind
_KINDS = ("code", "type", "status", "__type", "error_type", "errorType")
_PAGE = ("<!doctype", "<html", "<head", "<?xml")
# Both stop at the next tag, so that unfinished tags don't make a response slow to read.
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def error_words(value: Any, depth: int = 0) -> str:
    """Return the words of a server's error, or "" if there are none."""
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(value, Mapping):
        names = sorted(_NAMES, key=lambda name: name != "error") if isinstance(value.get("error"), Mapping) else _NAMES
        words = next((words for name in names if (words := error_words(value.get(name), depth + 1))), "")
        if cause := _provider_words(value.get("metadata"), depth + 1):
            words = f"{words}: {cause}" if words else cause
        return f"{place}: {words}" if words and (place := _place(value.get("loc"))) else words
    if isinstance(value, list):
        return "; ".join(filter(None, (error_words(each, depth + 1) for each in value[:_MAX_ERRORS])))
    if isinstance(value, str):
        return _text_words(value, depth)
    return "" if value is None or isinstance(value, bool) else str(value)


def error_kind(value: Any, depth: int = 0) -> str:
    """Return what a server's error calls itself, in small letters: its codes and types."""
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, Mapping) or depth > 2:
        return ""
    kinds = [str(value[name]).lower() for name in _KINDS if value.get(name) is not None]
    return " ".join([*kinds, error_kind(value.get("error"), depth + 1)]).strip()


def page_words(text: str) -> str:
    """Return the words of a page: its title, or its text without tags and scripts."""
    if title := _TITLE.search(text):
        return title[1]
    for name in ("script", "style"):
        text = _without(text, f"<{name}", f"</{name}>")
    return _TAG.sub(" ", text)


def _text_words(text: str, depth: int) -> str:
    """The words of a text, which may be a page, or an error of another server as JSON."""
    begin = text.lstrip()[:10].lower()
    if begin.startswith(_PAGE):
        return page_words(text)
    if begin.startswith(("{", "[{")):
        try:
            return error_words(json.loads(text), depth + 1) or text
        except (ValueError, RecursionError):
            return text
    return text


def _provider_words(metadata: Any, depth: int) -> str:
    """What the server behind a gateway said, as OpenRouter quotes it."""
    return error_words(metadata.get("raw"), depth) if isinstance(metadata, Mapping) else ""


def _without(text: str, begin: str, end: str) -> str:
    """The text without what stands between two tags; all after the first one if the second never comes."""
    parts: list[str] = []
    small, at = text.lower(), 0
    while (start := small.find(begin, at)) >= 0:
        parts.append(text[at:start])
        stop = small.find(end, start)
        at = stop + len(end) if stop >= 0 else len(text)
    return "".join([*parts, text[at:]])


def _place(path: Any) -> str:
    """Where in a request a validator found the error, such as `body.max_tokens`."""
    return ".".join(map(str, path)) if isinstance(path, list) else ""
