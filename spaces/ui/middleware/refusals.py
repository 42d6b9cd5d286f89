"""Why a page doesn't do what an event asks for, as Gradio shows it, and as an HTTP status for programs."""

from __future__ import annotations

import gradio as gr

from backends import BackendError, NotConfigured, SpaceportError
from ui.admission.errors import Refused, TooSlow

CANT_USE_INPUTS = "The page can't use what this event contains. Reload the page and try again."
CLIENT_LEFT = "The client has left."


class Refusal(gr.Error):
    """An answer to the sender of an event and no error of the page: the log has no line about it."""

    def __init__(self, message: str, status: int = 422, retry_after: int | None = None) -> None:
        super().__init__(message, print_exception=False)
        self.status, self.retry_after = status, retry_after


def refusal(error: SpaceportError) -> Refusal:
    """Return the refusal that says the same as an error, without the marks of code, which the page would show."""
    text, retry_after = str(error).replace("`", ""), error.retry_after if isinstance(error, Refused) else None
    return Refusal(text, _status(error), retry_after)


def invalid(name: str, problem: str) -> Refusal:
    """Return the refusal of an input; `problem` says what it should be."""
    return Refusal(f"The value of {name!r} is invalid: {problem}.")


def _status(error: SpaceportError) -> int:
    match error:
        case Refused():
            return 429
        case TooSlow():
            return 504
        case BackendError() if not isinstance(error, NotConfigured):
            return 502
    return 422
