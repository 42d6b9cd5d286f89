"""The error of a request to the Hub."""

from __future__ import annotations

from backends.errors import SpaceportError


class HubError(SpaceportError):
    """The Hub refused a request or doesn't answer; `status` is its HTTP status, or None."""

    def __init__(self, message: str, remedy: str = "", *, status: int | None = None) -> None:
        super().__init__(message, remedy)
        self.status = status
