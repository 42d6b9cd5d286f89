"""What an error of a server is about, by its status, the names that it gives itself, and its words."""

from __future__ import annotations

from typing import Literal

Cause = Literal["quota", "filter", "busy", "key", "too long"]

BUSY_STATUSES = (429, 498, 503, 529)  # 498: Groq's flexible tier, 529: Anthropic
# Not "billing", nor "quota" alone: some servers name them for a limit that a minute's wait lifts.
_QUOTA = (
    "insufficient_quota", "insufficient_balance", "insufficient balance", "insufficient credit", "credit balance",
    "billing_hard_limit", "billing_not_active", "exceeded_current_quota", "budget_exceeded", "exceededbudget",
    "spending limit", "spend limit", "out of credits", "no credits", "included credits", "余额不足", "欠费",
)  # fmt: skip
_PLAN = "check your plan and billing"  # Google says it of limits for a minute, too
_BUSY = (
    "rate_limit", "rate limit", "overloaded", "too_many_requests", "unavailable", "throttl", "resource_exhausted",
    "capacity_exceeded",
)  # fmt: skip
_FILTER = ("content_filter", "content_policy", "responsibleaipolicy", "datainspectionfailed", "data_inspection_failed")
_KEY = ("invalid_api_key", "authentication", "unauthorized", "unauthenticated")
_TOO_LONG = ("context_length", "context_size", "string_above_max_length", "request_too_large")
_TOO_LONG_WORDS = ("context", "too long", "too large", "maximum allowed length", "reduce the length", "reduce your")


def error_cause(status: int | None, kind: str, words: str) -> Cause | None:
    """Return what an error is about; `kind` and `words` are in small letters."""
    asks_to_pay = _PLAN in words and "resource_exhausted" not in kind and "retry" not in words
    if status == 402 or is_quota(kind) or is_quota(words) or asks_to_pay:
        return "quota"
    if any(name in kind for name in _FILTER):
        return "filter"
    if status == 413 or any(name in kind for name in _TOO_LONG):
        return "too long"
    if status in BUSY_STATUSES or any(name in kind for name in _BUSY):
        return "busy"
    if status in (401, 403) or any(name in kind for name in _KEY):
        return "key"
    is_refusal = status is None or 400 <= status < 500
    return "too long" if is_refusal and any(name in words for name in _TOO_LONG_WORDS) else None


def is_quota(text: str) -> bool:
    """Return whether a refusal, in small letters, is about the account's money, which waiting doesn't change."""
    return any(name in text for name in _QUOTA)
