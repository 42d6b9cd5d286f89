"""Words that the pages of all Spaces share: why a request isn't served now, and what to do."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """Why a request was refused."""

    TOO_MANY_QUESTIONS = "too many questions of one visitor"
    TOO_MANY_FROM_ADDRESS = "too many questions from one address"
    VISITOR_BUSY = "the visitor has as many requests as allowed"
    ADDRESS_BUSY = "the address has as many requests as allowed"
    FULL = "too many requests of everybody"
    WAITED = "waited too long"


MESSAGES = {
    Reason.TOO_MANY_QUESTIONS: "This page answers up to {limit:,} of a visitor's questions per minute.",
    Reason.TOO_MANY_FROM_ADDRESS: "This page answers up to {limit:,} questions per minute from one network.",
    Reason.VISITOR_BUSY: "You already have as many requests here as this page allows at once.",
    Reason.ADDRESS_BUSY: "Your network already has as many requests here as this page allows at once.",
    Reason.FULL: "More people are using this page than it can serve.",
    Reason.WAITED: "No place became free in time.",
}
EVENT_FLOOD = "Your network sends more events than this page allows."
TRY_AGAIN_ONE = "Try again in a second."
TRY_AGAIN = "Try again in {seconds} seconds."
TOO_SLOW = "The answer took longer than {seconds:g} seconds and was stopped."
TOO_SLOW_REMEDY = "Ask for less, or choose a faster model."


def try_again(seconds: int) -> str:
    """Return when to try again."""
    return TRY_AGAIN_ONE if seconds == 1 else TRY_AGAIN.format(seconds=seconds)
