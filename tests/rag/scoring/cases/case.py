"""An answer that a person would mark by hand, with the mark.

Questions, gold answers and wordings are those of reports and of the models that read them. They were written and marked
before the code that scores them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """An answer to a question, and whether a person would mark it right."""

    question: str
    gold: tuple[str, ...]
    answer: str
    correct: bool


def cases(question: str, gold: str | tuple[str, ...], right: tuple[str, ...], wrong: tuple[str, ...]) -> list[Case]:
    """Return the right and the wrong answers to a question."""
    golds = (gold,) if isinstance(gold, str) else gold
    return [
        *(Case(question, golds, answer, correct=True) for answer in right),
        *(Case(question, golds, answer, correct=False) for answer in wrong),
    ]
