"""Recognizes figures of another quantity in a sentence: the statutory rate where the effective one is asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.evidence.question_analysis.kinds import FIGURES
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.answer_spans import answer_span
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import STOP_WORDS, stems

_WORD = re.compile(r"[^\W\d_][\w&.’'-]*")
_LINK = re.compile(
    r"\s(?:of|at|is|was|are|were|totaled|equaled)(?:\s(?:about|approximately|nearly|almost|over|around|only|just))?\s*$",
    re.IGNORECASE,
)
# These make no other quantity: "the total cost", "the current price".
_GENERAL = frozenset(stems(["total overall current actual final"]))
_REACH = 80  # characters before a figure that can name it


def is_of_other_quantity(question: Question, unit: Unit) -> bool:
    """Return whether the words before a figure name another one than the question, with the same last word.

    "A rate below the statutory rate of 21%" has no effective tax rate.
    """
    start, end = answer_span(unit.text, question)
    if unit.cell or question.kind not in FIGURES or (start, end) == (0, len(unit.text)):
        return False
    first = max(0, start - _REACH)
    link = _LINK.search(unit.text, first, start)
    own = _last_phrase(unit.text[first : link.start()].split()) if link else []
    asked = _modifiers(question, own[-1]) if len(own) > 1 else set[str]()
    return bool(asked - _GENERAL) and asked.isdisjoint(own)


def _modifiers(question: Question, noun: str) -> set[str]:
    """Return the stems of the words right before a noun in a question; none if it doesn't have the noun."""
    words = question.text.split()
    place = next((at for at, word in enumerate(words) if noun in stems([word])), 0)
    return set(_last_phrase(words[:place])) - question.name_stems


def _last_phrase(words: Sequence[str]) -> list[str]:
    """Return the stems of the last words, after any verb in the past, stop word or mark."""
    phrase: list[str] = []
    for word in reversed(words):
        if word.lower() in STOP_WORDS or not _WORD.fullmatch(word) or word.endswith("ed"):
            break
        phrase = [*(stem for stem in stems([word]) if len(stem) > 1), *phrase]
    return phrase
