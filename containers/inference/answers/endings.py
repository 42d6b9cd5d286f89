"""How the answer to a request ended."""

from __future__ import annotations

from dataclasses import dataclass

from backends import SpaceportError, Stopwatch


@dataclass(frozen=True, slots=True)
class Ending:
    """The kind of the error, or "", with the status, and the times and counts of the answer so far.

    `queue_seconds` is None for a request that never had its turn.
    """

    kind: str
    status: int
    error: SpaceportError | None
    seconds: float
    queue_seconds: float | None
    stopwatch: Stopwatch
