"""What an engine reads on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or a cell of a table: its box in pixels, and how sure the engine is, from 0 to 1.

    `slope` is how much the line falls for each pixel to the right.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    score: float = 1.0
    slope: float = 0.0

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Reading:
    """The pieces of a picture of this size, which the engine turned to the left by so many quarters."""

    pieces: Sequence[Piece]
    width: int
    height: int
    turns: int = 0
