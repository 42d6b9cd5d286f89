"""Errors in the language of the page.

What an error says as data is translated whole. For other errors, only the kind and what to do about it are translated;
their own words, which quote servers, libraries and settings, follow in English.
"""

from __future__ import annotations

from backends import SpaceportError
from chat_page.translations.languages import strings
from rag.errors import FileError
from ui.admission.errors import Refused, TooSlow
from ui.admission.strings import Reason


def error_text(error: SpaceportError) -> str:
    """Return an error as one text."""
    return " ".join(filter(None, error_parts(error)))


def error_parts(error: SpaceportError) -> tuple[str, str]:
    """Return what happened, and what to do."""
    words = strings()
    if isinstance(error, Refused):
        again = words.pluralize(words.try_again_one, words.try_again, seconds=error.retry_after)
        return words.fill(_refusal(error.reason), limit=error.limit), again
    if isinstance(error, TooSlow):
        return words.fill(words.too_slow, seconds=error.seconds), words.too_slow_remedy
    if isinstance(error, FileError):
        message, remedy = words.errors[error.problem.name]
        return words.fill(message, **error.values), words.fill(remedy, **error.values)
    kind = next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in words.errors), "")
    return (" ".join(words.errors[kind]), str(error)) if kind else (error.message, error.remedy)


def _refusal(reason: Reason) -> str:
    words = strings()
    return {
        Reason.TOO_MANY_QUESTIONS: words.too_many_questions,
        Reason.TOO_MANY_FROM_ADDRESS: words.too_many_from_address,
        Reason.VISITOR_BUSY: words.visitor_busy,
        Reason.ADDRESS_BUSY: words.address_busy,
        Reason.FULL: words.full,
        Reason.WAITED: words.waited,
    }[reason]
