"""What can go wrong on the way to a Space, in words for the person who publishes.

PublishError            .message, .remedy
├── StageError          the app cannot be laid out by itself
├── GuardError          something is staged that must not leave the house
├── HubError            the Hub refused, or does not answer
└── SpaceFailed         the Space was built or started, and failed
"""

from __future__ import annotations

from backends.errors import SpaceportError


class PublishError(SpaceportError):
    """A Space cannot be published, planned or gone back to."""


class StageError(PublishError):
    """The app cannot be laid out by itself."""


class GuardError(PublishError):
    """Something is staged that must not leave the house."""


class HubError(PublishError):
    """The Hub refused, or does not answer; `status` is its HTTP status, or None."""

    def __init__(self, message: str, remedy: str = "", *, status: int | None = None) -> None:
        super().__init__(message, remedy)
        self.status = status


class SpaceFailed(PublishError):
    """The Space was built or started, and failed."""
