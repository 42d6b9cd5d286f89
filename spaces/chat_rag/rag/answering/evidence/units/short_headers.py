"""Reads the short names of columns as the words of a question: "cyl" as "cylinders", "Art. no." as "article number"."""

from __future__ import annotations

import re
from dataclasses import replace

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit

_NAME = re.compile(r"[a-z\d]+(?:[_.][a-z\d]+)*")  # "elev_ft" of a data file, unlike the words that people write
_PART = re.compile(r"(?<![^\W_])[a-z]{3,5}(?![^\W_])")
_SHORTENED = re.compile(r"\b([a-z]{2,5})\.(?!\w)")
_NUMBER = re.compile(r"\b(?:no|nr)\b|#")
_WORD = re.compile(r"[a-z]+")
_LEFT_OUT = 2  # letters at the end, at least


def with_whole_words(question: Question, unit: Unit) -> Unit:
    """Return a cell whose column's name also has the words of a question that begin with a part of it."""
    if not unit.cell:
        return unit
    words = frozenset(_WORD.findall(question.text.lower()))
    whole = [word for word in _longer(unit.cell.column_header, words) if word in words]
    if not whole:
        return unit
    return replace(unit, cell=replace(unit.cell, column_header=" ".join([unit.cell.column_header, *whole])))


def _longer(header: str, words: frozenset[str]) -> list[str]:
    """Return the words that parts of a header are short for."""
    lower = header.lower()
    parts = [*_PART.findall(header)] if _NAME.fullmatch(header) else _SHORTENED.findall(lower)
    longer = [
        word
        for part in parts
        if part not in words
        for word in sorted(words)
        if word.startswith(part) and len(word) >= len(part) + _LEFT_OUT
    ]
    return [*longer, "number"] if _NUMBER.search(lower) else longer
