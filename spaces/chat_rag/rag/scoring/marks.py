"""A mark: whether an answer is right, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether an answer is right, or None if nothing is known, with a short reason."""

    correct: bool | None
    reason: str
