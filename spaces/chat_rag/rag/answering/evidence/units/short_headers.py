"""Reads the short names of columns as the words of a question: "cyl" as "cylinders", "Art. no." as "article number"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import STOP_WORDS

# "elev_ft" and "Max.Price" of a data file, unlike the words that people write.
_NAME = re.compile(r"[a-z\d]+|[A-Za-z\d]+(?:[_.][A-Za-z\d]+)+")
_PART = re.compile(r"(?<![^\W_])[a-z]{3,5}(?![^\W_])")
_INITIALS = re.compile(r"[A-Z]{2,4}")
_SHORTENED = re.compile(r"\b([a-z]{2,5})\.(?!\w)")
_NUMBER = re.compile(r"\b(?:no|nr)\b|#")
_WORD = re.compile(r"[a-z]+")
_NO_PART = STOP_WORDS - {"for", "of"}
_LEFT_OUT = 2  # letters at the end, at least


def with_whole_words(question: Question, unit: Unit) -> Unit:
    """Return a cell whose column's name also has the words of a question that begin with a part of it."""
    if not unit.cell:
        return unit
    header, words = unit.cell.column_header, _WORD.findall(question.text.lower())
    whole = [word for word in _longer(header, frozenset(words)) if word in words] or _with_initials(header, words)
    if not whole:
        return unit
    return replace(unit, cell=replace(unit.cell, column_header=" ".join([header, *whole])))


def _longer(header: str, words: frozenset[str]) -> list[str]:
    """Return the words that parts of a header are short for."""
    lower = header.lower()
    parts = _PART.findall(lower) if _NAME.fullmatch(header) else _SHORTENED.findall(lower)
    longer = [
        word
        for part in parts
        if part not in words
        for word in sorted(words)
        if word.startswith(part) and len(word) >= len(part) + _LEFT_OUT
    ]
    return [*longer, "number"] if _NUMBER.search(lower) else longer


def _with_initials(header: str, words: Sequence[str]) -> list[str]:
    """Return the words side by side in a question that begin with a header's letters: "goal difference" for "GD"."""
    count = len(header) if _INITIALS.fullmatch(header) else 0
    places = range(len(words) - count + 1) if count else ()
    runs = ([*words[at : at + count]] for at in places)
    named = (run for run in runs if _NO_PART.isdisjoint(run))  # "How many games did they draw?" has no "GD"
    return next((run for run in named if "".join(word[0] for word in run) == header.lower()), [])
