"""The access token of a visitor who signed in, so that their own account pays for the calls of one event."""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field

from backends.errors import Rejected
from backends.stopwatch import wall_clock

SIGN_IN = "Sign in with Hugging Face to use this model."
SIGN_IN_AGAIN = "Sign in again."


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """An access token; `expires_at` is in seconds since 1970, or None if the provider didn't say."""

    value: str = field(repr=False)
    expires_at: float | None = None


_current: ContextVar[VisitorToken | None] = ContextVar("visitor_token", default=None)


def visitor_context(token: VisitorToken | None) -> Context:
    """Return a copy of the current context, for the task whose calls may use this token.

    The token isn't set in the current context: Gradio's tasks serve one visitor after another.
    """
    context = copy_context()
    context.run(_current.set, token)
    return context


def visitor_token() -> str:
    """Return the token of the visitor for whom this task works; `Rejected` if there is none or it has expired."""
    token = _current.get()
    if token is None:
        raise Rejected("This model runs on your own Hugging Face account.", SIGN_IN, status=401)
    if token.expires_at is not None and token.expires_at <= wall_clock():
        raise Rejected("Your sign-in has expired.", SIGN_IN_AGAIN, status=401)
    return token.value
