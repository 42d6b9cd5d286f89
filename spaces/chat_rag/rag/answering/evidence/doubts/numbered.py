"""Recognizes cells that lack the number by which a question names something: "line 45", "version 1.9"."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.periods import PERIOD_STEMS
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import YEAR
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import STOP_WORDS, stems

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# "5 passengers" and "20 kg" are amounts, and name nothing.
_NUMBERED = re.compile(
    rf"(?<![\w.,-])([^\W\d_]+)[ -]({_NUMBER.pattern})(?![\w%]|[.,:/-]\d|\s?[%$€£]| \w+s\b"
    r"| (?!is|in|on|at|of|to|do|or|go)[^\W\d_]{1,2}\b)"
)
# They say where something stands in a document, when something is, or compare.
_NO_NAME = re.compile(
    r"(?:note|table|page|figure|section|chapter|item|form|part|top|first|last|next|past|over|above|below|under|about"
    r"|nearly|almost|only|between|until|after|before|since|exceed\w*|buy|order|take|aged?)",
    re.IGNORECASE,
)


def lacks_row_number(question: Question, unit: Unit) -> bool:
    """Return whether neither a cell's row nor what stands around it has a number that names what is asked for."""
    asked = _numbers(question)
    if not unit.cell or not asked:
        return False
    row = unit.document.text[unit.start : unit.end]
    around = f"{row} {unit.cell.column_header} {unit.label} {unit.before} {unit.heading} {unit.measure}"
    return not asked <= set(_NUMBER.findall(around))


def _numbers(question: Question) -> set[str]:
    """Return the numbers that follow a noun, without years, days and the lengths of periods."""
    return {
        match[2]
        for match in _NUMBERED.finditer(question.text)
        if match[1].lower() not in STOP_WORDS
        and not _NO_NAME.fullmatch(match[1])
        and PERIOD_STEMS.isdisjoint(stems([match[1]]))
        and not YEAR.fullmatch(match[2])
    }
