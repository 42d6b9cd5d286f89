"""Scores answers to the questions of a workload, without another model: the same answer always gets the same score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from rag.answering.verification.verifier import Verifier
from rag.documents import Document
from rag.scoring.answer_text import MAX_CHARACTERS, count_words, parse_json, plain_text, statements
from rag.scoring.correctness import mark_answer
from rag.scoring.questions import Identifier
from rag.scoring.schemas import is_well_formed
from rag.scoring.supported_share import open_verifier, supported_share
from rag.scoring.texts.refusals import is_refusal
from rag.scoring.workload import AskedQuestion

# Answers of several targets to one question come one after the other.
_VERIFIERS = 64


@dataclass(frozen=True, slots=True)
class Score:
    """What is known about an answer; `supported` is a share, and None stands for what can't be said."""

    id: Identifier
    correct: bool | None
    supported: float | None
    refused: bool
    well_formed: bool | None
    words: int
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the score as JSON."""
        return asdict(self)


class Scorer:
    """Scores answers; `documents` are those of the passages, by id."""

    def __init__(self, questions: Mapping[str, AskedQuestion], documents: Mapping[str, Document]) -> None:
        self._questions, self._documents = questions, documents
        self._verifier = lru_cache(_VERIFIERS)(self._new_verifier)

    def score(self, question: AskedQuestion, answer: str) -> Score:
        """Return the score of an answer to a question of the workload."""
        text = plain_text(answer)
        parts = statements(text)
        refused = is_refusal(question.text, parts)
        mark = mark_answer(question.text, question.gold, text, parts, refused=refused)
        checked = text if parse_json(answer) is not None else answer[:MAX_CHARACTERS]
        is_checked = question.passages and not refused
        share = supported_share(checked, question.passages, self._verifier(str(question.id))) if is_checked else None
        return Score(
            question.id,
            mark.correct,
            None if share is None else round(share, 4),
            refused,
            is_well_formed(answer, question.gold.schema),
            count_words(text),
            mark.reason,
        )

    def _new_verifier(self, identifier: str) -> Verifier:
        return open_verifier(self._questions[identifier].passages, self._documents)
