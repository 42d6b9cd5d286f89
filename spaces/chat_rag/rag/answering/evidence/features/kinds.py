"""Measures whether a unit has the kind of answer that a question asks for."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.kinds import FIGURES, Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_kinds import has_kind
from rag.answering.evidence.tables.figures import is_figure
from rag.answering.evidence.units.answer_spans import (
    candidates,
    counts,
    has_amount,
    has_figure,
    has_price,
    says_amount,
    says_price,
)
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import stems

_CONDITION = re.compile(r"\b(?:when|whenever|if|where|once|upon|after|before|until|unless)\b", re.IGNORECASE)

_AMOUNTS = (Kind.MONEY, Kind.PERCENT, Kind.NUMBER)  # "As of April 30, 2023, they are as follows:" has none


def kind_features(question: Question, unit: Unit) -> dict[str, float]:
    """Return the features of a unit that say whether it has the kind of answer."""
    if unit.cell:
        has = has_kind(question, unit.cell)
    else:
        asks = question.kind not in (Kind.OTHER, Kind.YES_NO)
        kinds = (question.kind, *([Kind.MONEY] if question.may_be_money else []))
        has = any(any(candidates(kind, unit.text, question)) for kind in kinds) if asks else None
    return {
        "counts": float(_counts(question, unit)),
        "has the kind": float(has is True),
        "lacks the kind": float(has is False),
        "lacks a figure": float(_lacks_figure(question, unit)),
    }


def _counts(question: Question, unit: Unit) -> bool:
    """Return whether a unit says how many there are of what the question counts."""
    if cell := unit.cell:
        return bool(question.counted & set(stems([cell.row_label, cell.column_header]))) and is_figure(cell.text)
    return counts(unit.text, question)


def _lacks_figure(question: Question, unit: Unit) -> bool:
    """Return whether a unit has no figure, as the question asks for; a date can be a condition."""
    if question.kind not in FIGURES:
        return False
    if unit.cell:  # "3 May" is no answer to how much, "Indefinite" is one to how long
        text = unit.cell.text
        return has_kind(question, unit.cell) is False and not is_figure(text) and not says_amount(text)
    if question.wants_price:
        return not (has_price(unit.text, question) or says_price(unit.text))
    if question.kind in _AMOUNTS:
        return not (has_amount(unit.text) or counts(unit.text, question))
    is_condition = question.kind is Kind.DATE and _CONDITION.search(unit.text)
    return not (has_figure(unit.text) or is_condition)
