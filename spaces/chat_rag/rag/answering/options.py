"""Settings of one answer. A command's --help reads the defaults here, without all that answers."""

from __future__ import annotations

from dataclasses import dataclass

MAX_QUESTION_CHARACTERS = 10_000
PASSAGE_CHARACTERS = 6000  # of all passages of one answer


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """Settings of one answer.

    `passages` is the number of passages to send if they fit, `characters` how long they may be together. The
    temperature is 0 because an answer from documents is looked up, not made up. `general_knowledge` lets the model
    answer without passages if the documents don't answer. With `writes` "quotes", an answer from documents is the
    quotes, and the model isn't called.
    """

    passages: int = 12
    max_tokens: int = 512
    temperature: float = 0.0
    system: str = ""
    general_knowledge: bool = False
    characters: int = PASSAGE_CHARACTERS
    writes: str = "answer"
