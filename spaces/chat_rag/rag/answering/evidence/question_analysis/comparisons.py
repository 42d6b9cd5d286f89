"""Reads with which number a question compares a figure: "In which year were sales less than 600,000 thousand?"."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import gt, lt

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import FACTORS, is_figure, value
from rag.answering.evidence.units.split import Unit
from rag.answering.numbers import NUMBER, SCALE, SIGNS, read_number

_ASKS_WHICH = re.compile(r"(?:in |for |at |on )?(?:which|what)\b|when\b", re.IGNORECASE)
_COMPARED = re.compile(
    rf"\b(?:(less|lower|fewer|smaller|below|under)|more|greater|higher|larger|above|over|exceed\w{{0,3}})(?: ?than)?"
    rf"\s?(?:{SIGNS}\s?)?(?P<minus>[-−–])?\s?(?P<number>{NUMBER})\s?(?P<scale>{SCALE})?(?P<percent>\s?%)?",
    re.IGNORECASE,
)


def fails_comparison(question: Question, unit: Unit) -> bool:
    """Return whether a question asks which figures are above or below a number, and a cell's figure isn't."""
    match = _COMPARED.search(question.text) if _ASKS_WHICH.match(question.text) else None
    number = value(unit.cell.text) if match and unit.cell and is_figure(unit.cell.text) else None
    if not match or not unit.cell or number is None:
        return False
    limit = read_number(match["number"])[0] * (-1 if match["minus"] else 1)
    asked, own = _scale(match["scale"] or ""), _scale(unit.measure)
    if asked and own:  # a question can leave out that a table is in thousands
        number, limit = number * own, limit * asked
    compares: Callable[[float, float], bool] = lt if match[1] else gt
    return not compares(number, limit)


def _scale(text: str) -> float:
    """Return the factor that a text names, or 0."""
    return next((factor for word, factor in FACTORS.items() if word in text.lower()), 0.0)
