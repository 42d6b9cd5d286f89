"""Decides whether the best sentence or cell only comes near to what a question asks for."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.abstention.foreign_question import are_english
from rag.answering.evidence.doubts.missing_time import lacks_time
from rag.answering.evidence.doubts.numbered import lacks_row_number
from rag.answering.evidence.doubts.other_cells import (
    counts_something_else,
    is_not_the_total,
    is_of_other_labels,
    names_something_else,
)
from rag.answering.evidence.doubts.other_names import is_denied, lacks_asked_name, lacks_number
from rag.answering.evidence.doubts.other_quantity import is_of_other_quantity
from rag.answering.evidence.doubts.plans import has_other_limit, is_only_planned
from rag.answering.evidence.doubts.scope import is_of_other_period, is_of_other_year, is_per_other, lacks_name
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.headings import only_introduces
from rag.answering.evidence.units.split import Unit

_OF_UNIT = (
    counts_something_else,
    is_denied,
    is_only_planned,
    has_other_limit,
    is_of_other_period,
    is_of_other_quantity,
    is_of_other_year,
    is_per_other,
    lacks_asked_name,
    lacks_name,
    lacks_number,
    lacks_row_number,
    lacks_time,
    names_something_else,
    only_introduces,
)
_AMONG_UNITS = (is_of_other_labels, is_not_the_total)


def is_near_miss(question: Question, unit: Unit, units: Sequence[Unit]) -> bool:
    """Return whether a unit is about another plan, limit, period, subject or row than the question, or has no time.

    The words for these are those of English.
    """
    if not question.is_english or not are_english([unit.document]):
        return False
    return any(check(question, unit) for check in _OF_UNIT) or any(
        check(question, unit, units) for check in _AMONG_UNITS
    )
