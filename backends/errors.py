"""What can go wrong between a caller and a model, in words for the person who reads them.

    SpaceportError        an error with a remedy, whatever it is about
    └── BackendError
        ├── NotConfigured     the target cannot be used as it is set up
        ├── Unreachable       nothing (sensible) answers at the address
        ├── Rejected          the server refused the request (.status)
        ├── Overloaded        the server is busy; try later (.retry_after, seconds or None)
        ├── TimedOut          the server took the request and fell silent
        └── Interrupted       the stream broke after its first token; the text so far stays with the caller

Each says what happened (.message) and what to do about it (.remedy).
"""

from __future__ import annotations


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
        """The error on a line, the remedy indented on the next."""
        return f"error: {self.message}\n  {self.remedy}".rstrip()


class BackendError(SpaceportError):
    """A model could not be reached, would not answer, or broke off."""


class NotConfigured(BackendError):
    """The target is unknown, misspelt, or lacks a variable, a key, a package or a model."""


class Unreachable(BackendError):
    """Nothing answers at the target's address, or what answers does not speak its protocol."""


class Rejected(BackendError):
    """The server refused the request; `status` is its HTTP status."""

    def __init__(self, message: str, remedy: str = "", *, status: int) -> None:
        super().__init__(message, remedy)
        self.status = status


class Overloaded(BackendError):
    """The server has no room now; `retry_after` is the wait it asked for, in seconds."""

    def __init__(self, message: str, remedy: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


class TimedOut(BackendError):
    """Nothing came for longer than the target's time-out."""


class Interrupted(BackendError):
    """The stream broke after its first token."""
