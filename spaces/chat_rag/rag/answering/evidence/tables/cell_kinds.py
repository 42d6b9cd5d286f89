"""Whether a cell has the kind of answer that a question asks for, by its text and by the header of its column."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.periods import last_day, length_in
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_scope import names_change
from rag.answering.evidence.tables.figures import is_figure, is_measure, is_period
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.units.answer_candidates import candidates

# What the header of a column says about its figures. The first kind counts: a "Tax (%)" isn't money.
_HEADERS = {
    Kind.PERCENT: r"%|\bper ?cent|\b(?:share|fraction|proportion|rate|pct)\b|\bweight\b",
    Kind.DURATION: r"\b(?:years?|months?|weeks?|days?|hours?|hrs?|minutes?|mins?|seconds?|duration|length|valid for)\b",
    Kind.MONEY: r"[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|price|cost|fee|rent|salary|wage|pay|amount)s?\b",
    Kind.PERSON: r"\b(?:coach|instructor|teacher|trainer|lecturer|director|manager|author|editor|owner|chair)\b",
    Kind.PLACE: r"\b(?:city|town|country|venue|arena|stadium|ground|room|address|location|place|region|origin)\b",
    Kind.NUMBER: r"\b(?:quantity|qty|count|number|no|pieces|pcs|units|seats|people|persons|entries)\b",
}
_HEADER_PATTERNS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _HEADERS.items()}
_SIGN = re.compile(r"[$€£¥₹]")
_IN_PERCENT = re.compile(r"in per ?cent\b", re.IGNORECASE)
_HOW_OFTEN = re.compile(r"\bhow (?:often|frequently)\b", re.IGNORECASE)
_OFTEN = re.compile(r"(?:every|each|once|twice|(?:dai|week|month|quarter|year|annual)ly)\b", re.IGNORECASE)
_LASTS = re.compile(r"\b(?:duration|length|lasts?|takes?)\b", re.IGNORECASE)
_TIME = re.compile(r"\d[\d.,]{0,9}\s?(?:h|hrs?|mins?|s|secs?|d|wks?|yrs?)")
_WORDS = {Kind.PERSON, Kind.PLACE, Kind.REASON}


def has_kind(question: Question, cell: LabeledCell, measure: str = "") -> bool | None:
    """Return whether a cell has the kind of answer that the question asks for; None if nothing tells.

    `measure` is the unit of the table's figures.
    """
    kind, header = question.kind, f"{cell.section} {cell.column_header}"
    if question.asks_change and is_figure(cell.text):
        return names_change(cell)
    if kind in (Kind.OTHER, Kind.YES_NO):
        return None
    if kind is Kind.DATE:  # the period of a figure, or its largest one, is in the header
        is_date = is_period(cell.text) or bool(question.extreme) or _has_candidate(question, cell)
        return is_date or (None if is_figure(cell.text) else False)
    is_money = kind is Kind.MONEY and is_figure(cell.text)  # only the first figure of a column may have a "$"
    if kind in _WORDS:
        named = _kind_of_column(header)
        is_other = is_figure(cell.text) or is_measure(cell.text) or is_period(cell.text)
        if is_other or (named in _WORDS and named is not kind):
            return False
        return _has_candidate(question, cell) or None
    asks_often = bool(_HOW_OFTEN.search(question.text))
    if kind is Kind.DURATION and _OFTEN.match(cell.text):  # "every 8 years" isn't how long something takes
        return asks_often
    if kind is Kind.DURATION and _TIME.fullmatch(cell.text):
        return not asks_often or (False if _LASTS.search(header) else None)
    if not is_money and _has_candidate(question, cell):
        return True
    if not is_figure(cell.text):
        return is_measure(cell.text) and kind is Kind.NUMBER
    own = _kind_of_text(cell.text) or _kind_of_column(header) or (Kind.PERCENT if _IN_PERCENT.match(measure) else None)
    if own is Kind.MONEY and question.may_be_money:
        return True
    return own is kind if own or kind in (Kind.PERCENT, Kind.DURATION) else None


def _has_candidate(question: Question, cell: LabeledCell) -> bool:
    """Return whether the text of a cell alone has the kind: a number needs its column to tell what it counts."""
    return question.kind is not Kind.NUMBER and any(candidates(question.kind, cell.text, question))


def _kind_of_text(text: str) -> Kind | None:
    return Kind.PERCENT if "%" in text else Kind.MONEY if _SIGN.search(text) else None


def _kind_of_column(header: str) -> Kind | None:
    """Return the kind that a header names; "Three months ended" names the period of a figure."""
    if length_in(header) or last_day(header):
        return None
    return next((kind for kind, pattern in _HEADER_PATTERNS.items() if pattern.search(header)), None)
