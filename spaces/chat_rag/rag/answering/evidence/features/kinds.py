"""Measures whether a unit has the kind of answer that a question asks for."""

from __future__ import annotations

import re
from functools import partial

from rag.answering.evidence.question_analysis.kinds import FIGURES, Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_kinds import has_kind
from rag.answering.evidence.tables.cell_scope import text_stems
from rag.answering.evidence.tables.figures import is_figure, is_measure
from rag.answering.evidence.units.amounts import has_amount, has_figure, says_amount, says_price, says_share
from rag.answering.evidence.units.answer_candidates import Finder, candidates, counts, find_candidates, has_price
from rag.answering.evidence.units.split import Unit

_CONDITION = re.compile(r"\b(?:when|whenever|if|where|once|upon|after|before|until|unless)\b", re.IGNORECASE)

_AMOUNTS = (Kind.MONEY, Kind.PERCENT, Kind.NUMBER)  # "As of April 30, 2023, they are as follows:" has none


def kind_features(question: Question, unit: Unit) -> dict[str, float]:
    """Return the features of a unit that say whether it has the kind of answer."""
    find = partial(unit.once, find_candidates)
    has = has_kind(question, unit.cell, unit.measure) if unit.cell else _has_kind(question, unit.text, find)
    return {
        "counts": float(_counts(question, unit, find)),
        "has the kind": float(has is True),
        "lacks the kind": float(has is False),
        "lacks a figure": float(_lacks_figure(question, unit, has, find)),
    }


def _has_kind(question: Question, text: str, find: Finder) -> bool | None:
    """Return whether a sentence has the kind of answer that the question asks for; None if nothing tells.

    A share in words, such as "fully", can be one.
    """
    if question.kind in (Kind.OTHER, Kind.YES_NO):
        return None
    kinds = (question.kind, *([Kind.MONEY, Kind.PERCENT] if question.may_be_money else []))
    found = any(any(candidates(kind, text, question, find)) for kind in kinds)
    return None if not found and question.kind is Kind.PERCENT and says_share(text) else found


def _counts(question: Question, unit: Unit, find: Finder) -> bool:
    """Return whether a unit says how many there are of what the question counts."""
    if not question.counted:
        return False
    if cell := unit.cell:
        labels = unit.once(text_stems, cell.row_label, cell.column_header)
        return bool(question.counted & labels) and unit.once(is_figure, cell.text)
    return counts(unit.text, question, find)


def _lacks_figure(question: Question, unit: Unit, has: bool | None, find: Finder) -> bool:
    """Return whether a unit has no figure, as the question asks for; a date can be a condition.

    `has` says whether it has the kind of answer.
    """
    if question.kind not in FIGURES:
        return False
    if unit.cell:  # "3 May" isn't an answer to how much, "Indefinite" is one to how long
        is_amount = unit.once(is_figure, unit.cell.text) or unit.once(is_measure, unit.cell.text)
        return has is False and not is_amount and not says_amount(unit.cell.text)
    if question.wants_price:
        return not (has_price(unit.text, question, find) or says_price(unit.text))
    if question.kind is Kind.PERCENT and unit.once(says_share, unit.text):
        return False
    if question.kind in _AMOUNTS:
        return not (unit.once(has_amount, unit.text) or counts(unit.text, question, find))
    is_condition = question.kind is Kind.DATE and _CONDITION.search(unit.text)
    return not (unit.once(has_figure, unit.text) or is_condition)
