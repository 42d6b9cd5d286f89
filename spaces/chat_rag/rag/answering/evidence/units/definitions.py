"""Recognizes sentences that define a term."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import stems

_DEFINES = re.compile(
    r"\b(?:is|are|was|were) (?:defined|described|understood) (?:as|to)\b|\b(?:is|are) used to (?:refer|describe|mean)\b"
    r"|\b(?:refers? to|means?|stands? for)\b|\w[”\"’']?\s?[=:]\s",
    re.IGNORECASE,
)


def defines(question: Question, unit: Unit) -> bool:
    """Return whether a sentence defines the term that the question asks for: "Shift work refers to …"."""
    if not question.defined or unit.cell:
        return False
    match = _DEFINES.search(unit.text)
    return match is not None and question.defined <= set(stems([unit.text[: match.end()]]))
