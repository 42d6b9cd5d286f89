"""Recognizes figures of another period, subject or measure than a question's."""

from __future__ import annotations

import re

from rag.answering.evidence.features.similarity import last_heading
from rag.answering.evidence.question_analysis.kinds import FIGURES, Kind
from rag.answering.evidence.question_analysis.mentions import is_about
from rag.answering.evidence.question_analysis.periods import CALENDAR, days_in, lengths_in, quarters_in, years_of
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.document_structure import structure_of
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import stems

_PER = re.compile(
    r"\b(?<!\bas )per (?!cent\b|annum\b|capita\b|se\b|diem\b|the\b|our\b|your\b)([^\W\d_]+)", re.IGNORECASE
)
_AFTER_SLASH = re.compile(r"/ ?(h|hr|km|kg|l|m|mi|min|s|sec)\b")
_SYMBOLS = {
    "h": "hour", "hr": "hour", "km": "kilometer", "kg": "kilogram", "l": "liter", "m": "meter", "mi": "mile",
    "min": "minute", "s": "second", "sec": "second",
}  # fmt: skip
_QUARTER, _YEAR = 3, 12  # months
_IN_YEAR = re.compile(
    r"\b(?:in|for|during) (?:the )?(?:full |fiscal |financial )?(?:year )?(?:19|20)\d\d\b", re.IGNORECASE
)
_SAME_LETTERS, _ENDING = 4, 3  # of a name and its adjective
_TITLE = 300  # characters in which a document says whose it is; a short one has other names in its first thousands
_IN_BRACKETS = re.compile(r"\([^()]*\)")  # "(2018: $5 million)" is the year before the one that the text is about
_AT_END = re.compile(r"\b(?:end|close|beginning|start) of\b", re.IGNORECASE)
_ABBREVIATION = re.compile(r"(?:[A-Z]\.?){2,5}s?")  # a document can have the words that it stands for


def is_of_other_period(question: Question, unit: Unit) -> bool:
    """Return whether a figure is of a period of another length, or of another quarter or year, than the question's."""
    if (not unit.cell and question.kind not in FIGURES) or _AT_END.search(question.text):
        return False
    for number, text in enumerate(_scopes(unit)):
        lengths, quarters = lengths_in(text), quarters_in(text)
        if not unit.cell and _IN_YEAR.search(text):  # "in 2023, after a record fourth quarter"
            lengths |= {_YEAR}
        if number and not quarters and lengths == {_QUARTER}:  # the days of a column are compared already
            quarters = _quarters_of_days(text, question, unit)
        if lengths or quarters:
            return bool(
                (question.months and lengths and question.months not in lengths)
                or (question.quarter and quarters and question.quarter not in quarters)
            )
    return False


def is_of_other_year(question: Question, unit: Unit) -> bool:
    """Return whether a sentence with a figure has other years than the question's, and so has what is around it."""
    own = years_of(_IN_BRACKETS.sub(" ", unit.text))
    if unit.cell or question.kind not in FIGURES - {Kind.DATE} or not own or not question.years:
        return False
    around = f"{unit.text} {unit.heading} {unit.before} {unit.after} {unit.document.name}"
    return question.years.isdisjoint(own | years_of(around))


def _quarters_of_days(text: str, question: Question, unit: Unit) -> frozenset[int]:
    """Return the quarters that end on the days of a text: the second one for "three months ended June 30, 2026"."""
    fiscal = structure_of(unit.document).fiscal_years
    is_known = fiscal != CALENDAR or not question.is_fiscal
    return frozenset(fiscal.quarter_of(day)[1] for day in days_in(text)) if is_known else frozenset()


def is_per_other(question: Question, unit: Unit) -> bool:
    """Return whether a question asks for an amount per mile, and a unit doesn't have one."""
    asked = {stem for word in _PER.findall(question.text) for stem in stems([word])}
    own = {"year" if stem == "annual" else stem for stem in stems([*_own(unit)])}
    own |= {stem for symbol in _AFTER_SLASH.findall(" ".join(_own(unit))) for stem in stems([_SYMBOLS[symbol]])}
    # "A daily rate" is one per day.
    return bool(asked) and not any(stem.startswith(each) for stem in own for each in asked)


def lacks_name(question: Question, unit: Unit) -> bool:
    """Return whether neither a cell nor what stands around it has a name of the question, such as a country.

    A sentence can be about a name that stands far above it.
    """
    if not unit.cell:
        return False
    names = (name for name in question.names if not _ABBREVIATION.fullmatch(name))
    others = [name for name in names if not is_about(unit.document, name, within=_TITLE)]
    around = set(stems([*_own(unit), unit.before, unit.after, unit.heading, unit.cell.row_words])) if others else set()
    return any(not _has_like(around, stem) for name in others for stem in stems([name]))


def _has_like(words: set[str], stem: str) -> bool:
    """Return whether one of some words begins like another: "Japan", "Japanese"."""
    return any(word.startswith(stem[: max(_SAME_LETTERS, len(stem) - _ENDING)]) for word in words)


def _scopes(unit: Unit) -> tuple[str, ...]:
    """Return the texts that can name the period of a unit's figure, the nearest first."""
    if not unit.cell:
        return unit.text, last_heading(unit)
    return f"{unit.cell.column_header} {unit.label}", unit.before, last_heading(unit)


def _own(unit: Unit) -> tuple[str, ...]:
    if not unit.cell:
        return (unit.text,)
    return unit.label, unit.cell.column_header, unit.text, unit.measure
