"""Errors of publishing, each with a remedy for the person who publishes.

PublishError            .message, .remedy
├── StageError          the Space's files can't be put together
├── ContentError        a staged file must not be published
├── SpaceFailed         the Space was built or started, and failed
└── SpaceNotReady       the Space doesn't run, but its commit isn't known to have failed

What the Hub refuses is a `HubError` of `backends.hub`.
"""

from __future__ import annotations

from backends.errors import SpaceportError


class PublishError(SpaceportError):
    """A Space can't be published, planned or rolled back."""


class StageError(PublishError):
    """The Space's files can't be put together."""


class ContentError(PublishError):
    """A staged file must not be published."""


class SpaceFailed(PublishError):
    """The Space was built or started, and failed."""


class SpaceNotReady(PublishError):
    """The Space doesn't run `commit`, which isn't known to have failed: it sleeps, is paused, or has no machine."""

    def __init__(self, message: str, remedy: str = "", *, commit: str | None = None) -> None:
        super().__init__(message, remedy)
        self.commit = commit
