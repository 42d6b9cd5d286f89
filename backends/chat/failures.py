"""Failures that a server reports inside of an answer, as the `BackendError` that they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backends.errors import BackendError, Interrupted, Rejected
from backends.http.failures.causes import error_cause
from backends.http.failures.error_words import error_kind, error_words
from backends.http.failures.errors import CHECK_BILLING, LOOK_AT_LOG, OTHER_WORDS, SEND_LESS, busy
from backends.http.failures.waits import requested_wait
from backends.text import to_json

# Finish reasons of servers and gateways that end an answer which isn't one.
_FAILED = ("error", "abort", "aborted", "cancelled", "failed", "timeout", "overloaded", "malformed_function_call")
_FAILED_ERRORS = ("model_error", "network_error", "internal_error", "server_error", "engine_error")
CALL_REASONS = ("tool_calls", "function_call")
LENGTH_REASONS = ("length", "max_tokens", "model_length")
_OUT_OF_MEMORY = "insufficient_system_resource"
_FILTERED = ("content_filter", "content-filter", "content_filtered", "safety", "sensitive", "recitation", "blocklist")
_FILTERED_TERMS = (
    "image_safety",
    "content_policy",
    "content_policy_violation",
    "blocked",
    "spii",
    "prohibited_content",
    "guardrail_intervened",
    "refusal",
)


def cut_off(reason: str) -> Interrupted:
    """The error for a stream that broke after its first token."""
    return Interrupted(f"The answer was cut off: {reason}.", "Try again; the text so far is kept.")


def server_failure(error: Any, quote: Callable[[str], str], has_output: bool = False) -> BackendError:
    """The error for a server's error object or its words."""
    words = error_words(error) or _as_json(error)
    text = quote(words) or "no reason given"
    if has_output:
        return cut_off(f"the server reports “{text}”")
    status = _status(_first(error))
    cause = error_cause(status, error_kind(error), words.lower())
    if cause == "quota":
        return Rejected(f"The server has no quota left: “{text}”.", CHECK_BILLING, status=429)
    if cause == "busy":
        return busy(f"The server is busy: “{text}”.", requested_wait({}, f"{words} {_as_json(error)}"))
    if cause is None:
        return Rejected(f"The server failed: “{text}”.", LOOK_AT_LOG, status=status or 500)
    remedies = {"too long": SEND_LESS, "filter": OTHER_WORDS, "key": "Check the API key of this target."}
    refused = Rejected(f"The server refused the request: “{text}”.", remedies[cause], status=status or 400)
    refused.is_refusal = cause == "filter"
    return refused


def finish_failure(reason: str | None, has_output: bool) -> BackendError | None:
    """The error for a finish reason, or None if the answer is one."""
    name = (reason or "").lower()
    if name in (*_FILTERED, *_FILTERED_TERMS):
        what = "cut the answer off" if has_output else "withheld the answer"
        return _declined(f"The server's filter {what} ({reason}).", has_output)
    if name in (*_FAILED, *_FAILED_ERRORS, _OUT_OF_MEMORY):
        return server_failure(f"finish_reason {reason}", str, has_output)
    return None


def refusal(text: str, has_output: bool) -> BackendError:
    """The error for a model that declines to answer, with its words."""
    return _declined(f"The model refused to {'go on' if has_output else 'answer'}: “{text}”.", has_output)


def _declined(message: str, has_output: bool) -> BackendError:
    error = Interrupted(message, OTHER_WORDS) if has_output else Rejected(message, OTHER_WORDS, status=400)
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
    for name in ("code", "status", "status_code", "statusCode", "http_code", "error_code"):
        number = str(error.get(name)).partition(" ")[0]  # also of "429 Too Many Requests"
        if number.isdecimal() and 400 <= int(number[:4]) < 600:
            return int(number)
    return None
