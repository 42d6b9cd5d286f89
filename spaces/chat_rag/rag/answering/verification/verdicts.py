"""The verdict on a sentence and its evidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """A part of a passage that supports a sentence, in characters of the passage's text."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the passages say what a sentence says, and the evidence, at most one part of each passage."""

    supported: bool
    evidence: tuple[Evidence, ...] = ()
