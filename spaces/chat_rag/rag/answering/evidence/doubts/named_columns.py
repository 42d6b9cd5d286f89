"""Finds the cells of a row whose column a question names less than that of another cell of the row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rag.answering.evidence.doubts.other_cells import GENERAL
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_scope import WHOLE, label_stems, match_length, match_period, text_stems
from rag.answering.evidence.units.split import Unit

_LONGEST_TITLE = 60  # characters: a sentence before a table has words that say nothing of its figures


def are_outdone(question: Question, units: Sequence[Unit]) -> list[bool]:
    """Return for each unit whether another cell, with the same label, has more words of the question above it.

    "Single" is outdone by "Return" if the question says "return", the whole company's income by that of the segment
    which is asked for, a town's income by its population, of another sheet. A cell of another time outdoes none.
    """
    named = [_named(question, unit) for unit in units]
    labels = [(unit.document.id, label_stems(unit) - WHOLE) for unit in units]
    rivals: dict[tuple[str, frozenset[str]], set[frozenset[str]]] = defaultdict(set)
    for unit, label, words in zip(units, labels, named, strict=True):
        if words and label[1] and _can_be_meant(question, unit):
            rivals[label].add(words)
    return [
        unit.cell is not None and any(words < other for other in rivals.get(label, ()))
        for unit, label, words in zip(units, labels, named, strict=True)
    ]


def _named(question: Question, unit: Unit) -> frozenset[str]:
    """Return the words of the question that only the column, the section and the table's title have."""
    if not unit.cell:
        return frozenset()
    title = unit.before if len(unit.before) <= _LONGEST_TITLE else ""
    words = unit.once(text_stems, unit.cell.section, unit.cell.column_header, title)
    return words.intersection(question.stems) - label_stems(unit) - GENERAL - WHOLE


def _can_be_meant(question: Question, unit: Unit) -> bool:
    return match_period(question, unit, {}) >= 0 and match_length(question, unit) >= 0
