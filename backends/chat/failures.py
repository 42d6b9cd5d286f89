"""Failures that a server reports inside of an answer, as the `BackendError` that they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backends.errors import BackendError, Interrupted, Overloaded, Rejected
from backends.http.error_words import error_words
from backends.http.errors import BUSY_STATUSES, CHECK_BILLING, is_quota
from backends.text import to_json

# Finish reasons of servers and gateways that end an answer which isn't one.
_FAILED = ("error", "abort", "aborted", "cancelled", "model_error", "network_error", "internal_error", "timeout")
LENGTH_REASONS = ("length", "max_tokens", "model_length")
_OUT_OF_MEMORY = "insufficient_system_resource"
_FILTERED = ("content_filter", "content-filter", "content_filtered", "safety", "sensitive", "recitation", "blocklist")
_FILTERED_TERMS = ("spii", "prohibited_content", "guardrail_intervened", "refusal")
_BUSY = ("rate_limit", "rate limit", "overloaded", "too_many_requests", "unavailable", "throttl")
_OTHER_WORDS = "Ask in other words."


def cut_off(reason: str) -> Interrupted:
    """The error for a stream that broke after its first token."""
    return Interrupted(f"The answer was cut off: {reason}.", "Try again; the text so far is kept.")


def server_failure(error: Any, quote: Callable[[str], str], has_output: bool) -> BackendError:
    """The error for a server's error object or its words."""
    text = quote(error_words(error) or _as_json(error)) or "no reason given"
    if has_output:
        return cut_off(f"the server reports “{text}”")
    status, kind = _status(_first(error)), _kind(_first(error))
    if is_quota(kind) or status == 402:
        return Rejected(f"The server has no quota left: “{text}”.", CHECK_BILLING, status=429)
    if status in BUSY_STATUSES or any(name in kind for name in _BUSY):
        return Overloaded(f"The server is busy: “{text}”.", "Wait a moment, then try again.")
    return Rejected(f"The server failed: “{text}”.", "Look at the server's log.", status=status or 500)


def finish_failure(reason: str | None, has_output: bool) -> BackendError | None:
    """The error for a finish reason, or None if the answer is one."""
    name = (reason or "").lower()
    if name in (*_FILTERED, *_FILTERED_TERMS):
        what = "cut the answer off" if has_output else "withheld the answer"
        return _declined(f"The server's filter {what} ({reason}).", has_output)
    if name in (*_FAILED, _OUT_OF_MEMORY):
        return server_failure(f"finish_reason {reason}", str, has_output)
    return None


def refusal(text: str, has_output: bool) -> BackendError:
    """The error for a model that declines to answer, with its words."""
    return _declined(f"The model refused to {'go on' if has_output else 'answer'}: “{text}”.", has_output)


def _declined(message: str, has_output: bool) -> BackendError:
    error = Interrupted(message, _OTHER_WORDS) if has_output else Rejected(message, _OTHER_WORDS, status=400)
    error.is_refusal = True
    return error


def _as_json(error: Any) -> str:
    return to_json(error) if isinstance(error, (Mapping, list)) else ""


def _first(error: Any) -> Any:
    """The error itself, or the first of a list."""
    return error[0] if isinstance(error, list) and error else error


def _status(error: Any) -> int | None:
    """The HTTP status that an error object names, as a number or in text."""
    if not isinstance(error, Mapping):
        return None
    for name in ("code", "status", "status_code", "error_code"):
        text = str(error.get(name))
        if text.isdecimal() and 400 <= int(text[:4]) < 600:
            return int(text)
    return None


def _kind(error: Any) -> str:
    if not isinstance(error, Mapping):
        return ""
    return " ".join(str(error.get(name)) for name in ("code", "type", "status")).lower()
