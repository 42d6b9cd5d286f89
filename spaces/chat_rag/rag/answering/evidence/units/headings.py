"""Recognizes headings that answer, and the sentence that answers the question in the heading above it, as in an FAQ."""

from __future__ import annotations

import re

from rag.answering.evidence.features.similarity import last_heading
from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import STOP_WORDS, stems

_INTRODUCES = re.compile(r"\b(?:following|follows|below|then|these)\b[^.:;]{0,200}:[*_ ]{0,4}$")
# Of the question's words that its heading must have: the visitor asks it in other words.
_LEAST_SHARE = 0.75


def is_heading_without_answer(question: Question, unit: Unit) -> bool:
    """Return whether a unit is a heading with a date, and the question doesn't ask when."""
    return question.kind is not Kind.DATE and not unit.cell and unit.text == last_heading(unit)


def only_introduces(_: Question, unit: Unit) -> bool:
    """Return whether a sentence only introduces what follows it: "The fees are as follows:"."""
    return not unit.cell and bool(_INTRODUCES.search(unit.text))


def answers_heading(question: Question, unit: Unit) -> bool:
    """Return whether a sentence is the first one below a heading that asks what the question does, or names the thing.

    Of two questions in a heading, the first sentence may answer the other one.
    """
    heading, asked = last_heading(unit), set(question.stems)
    if not unit.opens_section or not asked:
        return False
    words = set(stems([heading])) - STOP_WORDS
    is_question = heading.count("?") == 1 and len(asked & words) >= _LEAST_SHARE * len(asked)
    return is_question or (question.asks_what_it_is and words == asked)
