"""Recognizes figures of a plan, a capacity or a limit where a question asks for what there was, or another limit."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.kinds import FIGURES
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.answer_spans import answer_span
from rag.answering.evidence.units.split import Unit

_ASKS_FACT = re.compile(r"\b(?:did|was|were)\b", re.IGNORECASE)
_PLANNED = re.compile(
    r"\b(?:(?-i:will|can|could)|able to|capable of|capacity|plans? to|planned|planning|expect(?:s|ed)?|forecasts?|goal"
    r"|anticipates?|intend(?:s|ed)?|aims? to|target(?:s|ed)? (?:of|at|is|to)|budget(?:ed)?|projected|scheduled|guidance"
    r"|outlook|estimated to|set to|on track to)\b",
    re.IGNORECASE,
)
# "As expected, sales were $5 million": what stands before a comma says nothing about the figure.
_CLAUSE_END = re.compile(r"[;:(]|,\s|\b(?:and|but|while|whereas|although)\b")
_PLANNED_LABEL = re.compile(
    r"\b(?:outlook|guidance|forecasts?|budget(?:ed)?|target|planned|capacity|projected|projections?)\b", re.IGNORECASE
)
# A question with one of these doesn't ask for what there was.
_ASKS_PLAN = re.compile(
    rf"{_PLANNED.pattern}|{_PLANNED_LABEL.pattern}|\b(?:plan|maximum|limit|would|should|propos\w*|estimat\w*|predict\w*)\b",
    re.IGNORECASE,
)
_AT_LEAST = re.compile(
    r"\b(?:at least|(?:no|not) (?:less|fewer) than|minimum|or (?:more|older|over|above|longer|higher))\b", re.IGNORECASE
)
_AT_MOST = re.compile(
    r"\b(?:at (?:the )?most|(?:no|not) more than|maximum|up to|(?:not|never) exceed|no later than"
    r"|or (?:less|fewer|younger|under|below|shorter|lower))\b",
    re.IGNORECASE,
)


def is_only_planned(question: Question, unit: Unit) -> bool:
    """Return whether a question asks for a figure of what there was, and a unit has that of a plan or a capacity."""
    if not _ASKS_FACT.search(question.text) or _ASKS_PLAN.search(question.text):
        return False
    if unit.cell:
        return bool(_PLANNED_LABEL.search(f"{unit.label} {unit.cell.column_header}"))
    return question.kind in FIGURES and bool(_PLANNED.search(_clause(unit.text, question)))


def has_other_limit(question: Question, unit: Unit) -> bool:
    """Return whether a question asks how much is the least, and a unit says how much is the most, or the reverse."""
    text = f"{unit.label} {unit.cell.column_header}" if unit.cell else unit.text
    asked, own = ((bool(_AT_LEAST.search(each)), bool(_AT_MOST.search(each))) for each in (question.text, text))
    return asked in ((True, False), (False, True)) and own == asked[::-1]


def _clause(text: str, question: Question) -> str:
    """Return the words of a sentence before its figure that belong to it."""
    start, end = answer_span(text, question)
    if (start, end) == (0, len(text)):
        return ""
    ends = [match.end() for match in _CLAUSE_END.finditer(text, 0, start)]
    # "Plans for 300, or" has nothing else between a comma and its figure.
    return text[next((place for place in reversed(ends) if text[place:start].strip()), 0) : start]
