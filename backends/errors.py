"""Errors between a caller and a model, in words for the person who reads them.

    SpaceportError        any error with a remedy
    └── BackendError
        ├── NotConfigured     the target can't be used as it is configured (.target)
        ├── Unreachable       no server, or not a model API, at the address
        ├── Rejected          the server refused the request (.status)
        ├── Overloaded        the server is busy; try later (.retry_after, seconds or None)
        ├── TimedOut          the server accepted the request and sent nothing more
        ├── Interrupted       the stream broke after its first token; the caller keeps the text so far
        └── InvalidAnswer     the answer is complete, but isn't what the request asked for (.text)

Each has a message (what happened) and a remedy (what to do).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backends.types import Usage


class SpaceportError(Exception):
    """What happened (`message`) and what to do about it (`remedy`)."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()

    @property
    def for_terminal(self) -> str:
        """The error on one line, the remedy indented on the next."""
        return f"error: {self.message}\n  {self.remedy}".rstrip()


class BackendError(SpaceportError):
    """The model is unreachable, refused the request, or stopped before the end.

    `usage` has the tokens that the server counted all the same, or is None. `is_refusal` says that the model, or a
    filter of its server, declined to answer: the server works, and may have counted tokens.
    """

    usage: Usage | None = None
    is_refusal = False


class NotConfigured(BackendError):
    """The target is unknown or misspelt, or a variable, key, package or model is missing.

    `target` names the entry of the catalogue, or is "" for an error outside of one. `reason` is the message without
    that name.
    """

    def __init__(self, message: str, remedy: str = "", *, target: str = "") -> None:
        super().__init__(f"Target {target}: {message}" if target else message, remedy)
        self.target = target
        self.reason = message


class Unreachable(BackendError):
    """Nothing answers at the target's address, or what answers doesn't speak its protocol."""


class Rejected(BackendError):
    """The server refused the request; `status` is the HTTP status."""

    def __init__(self, message: str, remedy: str = "", *, status: int) -> None:
        super().__init__(message, remedy)
        self.status = status


class Overloaded(BackendError):
    """The server has no capacity now; `retry_after` is the wait it asks for, in seconds."""

    def __init__(self, message: str, remedy: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


class TimedOut(BackendError):
    """The server sent nothing for longer than the target's time-out."""


class Interrupted(BackendError):
    """The stream broke after its first token."""


class InvalidAnswer(BackendError):
    """The answer doesn't match the request's schema, or a tool call has no valid arguments; `text` is what came."""

    def __init__(self, message: str, remedy: str = "", *, text: str) -> None:
        super().__init__(message, remedy)
        self.text = text
