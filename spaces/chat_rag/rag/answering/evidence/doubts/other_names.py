"""Recognizes sentences that mention a name of the question, but aren't about what is asked of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.numbered_names import has_number, has_numbered, has_other_number, numbered_names
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import stems

_BEGINNING = 1_000  # characters in which a document says what it is about
_DENIAL = re.compile(r"(?:\b(?:not|never|cannot|no longer)|n['’]t)((?:\s\w{1,30}){1,3})", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|never|no|without|cannot)\b|n['’]t\b", re.IGNORECASE)
_BRACKETS = re.compile(r"\([^()]*\)")
# A word of the question is none of the sentence's below this likeness of their vectors. Of 61 first sentences for
# questions that ask who, 2 have no word as like as this beside the names, and neither answers (November 2026).
_ALIKE = 0.6


def is_of_other_number(question: Question, unit: Unit) -> bool:
    """Return whether the text and headings of a unit give a numbered name of the question other numbers only."""
    return any(
        has_other_number(f"{unit.text}\n{unit.heading}", name, number) and not has_number(unit.text, number)
        for name, number in numbered_names(question.text)
    )


def lacks_number(question: Question, unit: Unit) -> bool:
    """Return whether neither a unit nor what stands around it has a numbered name of the question."""
    own = f"{unit.text}\n{unit.cell.column_header if unit.cell else ''}"
    beginning = unit.document.text[:_BEGINNING]
    around = "\n".join((unit.heading, unit.before, unit.after, unit.label, unit.document.name, beginning))
    return any(
        not has_number(own, number) and not has_numbered(around, name, number)
        for name, number in numbered_names(question.text)
    )


def lacks_asked_name(question: Question, unit: Unit) -> bool:
    """Return whether a question asks if something is so, and nothing around a sentence has one of its names."""
    if question.kind is not Kind.YES_NO or unit.cell or not question.names:
        return False
    document = f"{unit.document.name} {unit.document.text[:_BEGINNING]}"
    around = set(stems([unit.text, unit.heading, unit.before, unit.after, document]))
    return any(not around.issuperset(stems([name])) for name in question.names)


def is_denied(question: Question, unit: Unit) -> bool:
    """Return whether a sentence says that what the question takes for granted isn't so: "It isn't sold by Acme"."""
    if question.kind in (Kind.YES_NO, Kind.REASON) or unit.cell or _DENIES.search(question.text):
        return False
    asked = set(question.stems) - question.name_stems
    denied = (set(stems([match[1]])) for match in _DENIAL.finditer(_BRACKETS.sub(" ", unit.text)))
    return any(asked & words for words in denied)


def lacks_role(question: Question, unit: Unit, likeness: Mapping[str, float]) -> bool:
    """Return whether a question asks who has a role or does something, and a sentence only has the names in it.

    `likeness` says how like each stem of the question the most similar word of the sentence is.
    """
    asked = [stem for stem in question.stems if stem not in question.name_stems and not stem.isdigit()]
    if question.kind is not Kind.PERSON or unit.cell or not asked or not any(likeness.values()):
        return False
    own = set(stems([unit.text, unit.heading, unit.referent]))
    return own.isdisjoint(asked) and all(likeness.get(stem, 0.0) < _ALIKE for stem in asked)
