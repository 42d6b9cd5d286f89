"""Compares the periods and the parts of a company that a cell's labels name with those of the question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.evidence.question_analysis.periods import (
    CALENDAR,
    PERIOD_STEMS,
    Day,
    days_in,
    last_day,
    length_in,
    years_of,
)
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import is_figure, is_period, plain_label
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.units.document_structure import structure_of
from rag.answering.evidence.units.split import Unit
from rag.search.bm25 import STOP_WORDS, stems

# What says that a figure is of the whole company, or is the one in its books.
WHOLE = frozenset(
    stems(["total", "consolidated", "reported", "overall", "group", "company", "combined", "sum", "amount"])
)
# What names a column of changes. It is none of a part; the feature "change column" knows it.
_CHANGE_WORDS = ("change", "increase", "decrease", "variance", "growth", "percent")
_CHANGES = frozenset(stems(_CHANGE_WORDS))
# "Exchange losses" and a "gross margin percentage" aren't changes.
_CHANGE = re.compile(
    r"\b(?:changes?|(?:in|de)creas(?:e|es|ed)|variances?|growth|percent)\b|\bpercentage (?:change|growth)|%(?! of\b)",
    re.IGNORECASE,
)
# The header "%" is of a share where a share is asked for.
_CHANGE_IN_WORDS = re.compile(r"\b(?:changes?|(?:in|de)creas(?:e|es|ed)|variances?|growth)\b", re.IGNORECASE)
_RATIO = re.compile(r"%|\b(?:per ?cent(?:age)?|share|proportion|fraction|ratio|rate|margin)\b", re.IGNORECASE)
# A caption says that all figures are shares; "Sales rose by 5%" and "amounts per share of stock" don't.
_RATIO_CAPTION = re.compile(
    r"(?<!\d)(?<!\d\s)(?:%|\bper ?cent(?:age)?s?\b)|(?<!per )\b(?:share|proportion|fraction)s? of\b", re.IGNORECASE
)
# What a column measures: "Unit price" beside "Amount" isn't the figure of a part of the company.
_MEASURES = frozenset(
    stems(["unit price cost fee quantity number count rate duration length minutes hours days weeks usd eur gbp chf"])
)
_NO_PART = PERIOD_STEMS | _CHANGES | _MEASURES | STOP_WORDS
_NO_DAY = 31  # of a month without a day
RowKey = tuple[str, int]
_RowWords = tuple[str, frozenset[str], frozenset[str]]  # the document; words of the label, and those of the section


def label_stems(unit: Unit) -> frozenset[str]:
    """Return the stems of a cell's row label, without the other sign that it can have and without stop words."""
    return unit.once(_label_stems, unit.cell.row_label) if unit.cell else frozenset()


def _label_stems(label: str) -> frozenset[str]:
    words = text_stems(plain_label(label))
    return words - STOP_WORDS or words


def text_stems(*texts: str) -> frozenset[str]:
    """Return the stems of some texts."""
    return frozenset(stems(texts))


def is_change(text: str) -> bool:
    """Return whether labels name the change of a figure."""
    return bool(_CHANGE.search(text))


def without_levels(question: Question, units: Sequence[Unit]) -> list[Unit]:
    """Return the units without the figures that don't say by how much something changed, if the question asks that.

    If it asks which share of something another thing is, it's without the figures of changes and of amounts, unless
    nothing else is there.
    """
    if question.asks_ratio:
        return [unit for unit in units if not _is_no_ratio(question, unit)] or list(units)
    return [unit for unit in units if not (question.asks_change and _is_level(unit))]


def without_shorter_labels(question: Question, units: Sequence[Unit]) -> list[Unit]:
    """Return the units without cells whose label is in the question only as a part of another row's label.

    "Cash" isn't asked for by "cash and cash equivalents", nor "Revenue" by "cost of revenue".
    """
    words = set(question.stems)
    sections = {unit.cell.section for unit in units if unit.cell}
    stems_of = {section: frozenset(stems([section])) & words for section in sections}
    keys = [
        (unit.document.id, label_stems(unit) - WHOLE, stems_of[unit.cell.section]) if unit.cell else None
        for unit in units
    ]
    asked = {key for key in keys if key and key[1] and key[1] <= words}
    shorter = {key for key in asked if any(_is_longer(other, key) for other in asked)}
    return [unit for unit, key in zip(units, keys, strict=True) if key not in shorter]


def _is_longer(row: _RowWords, other: _RowWords) -> bool:
    """Return whether a row's label has all words of another one, and of its section, and more.

    A row of a segment isn't dropped for one of the company.
    """
    document, label, section = row
    return document == other[0] and other[1] < label and other[2] <= label | section


def _is_level(unit: Unit) -> bool:
    cell = unit.cell
    return bool(cell and is_figure(cell.text) and not names_change(cell))


def _is_no_ratio(question: Question, unit: Unit) -> bool:
    cell = unit.cell
    if not cell or not is_figure(cell.text):
        return False
    labels = f"{cell.section} {cell.row_label} {cell.column_header}"
    is_ratio = "%" in cell.text or _RATIO.search(f"{labels} {unit.measure}") or _RATIO_CAPTION.search(unit.before)
    return not is_ratio or bool(_CHANGE_IN_WORDS.search(labels) and not question.names_change)


def names_change(cell: LabeledCell) -> bool:
    """Return whether the labels of a cell name the change of a figure."""
    return is_change(f"{cell.section} {cell.column_header} {cell.row_label}")


def latest_days(units: Sequence[Unit]) -> dict[RowKey, Day]:
    """Return the end of the last period of each row."""
    latest: dict[RowKey, Day] = {}
    for unit in units:
        if unit.cell and (day := unit.once(last_day, unit.cell.column_header)):
            key = unit.document.id, unit.start
            latest[key] = max(day, latest.get(key, day))
    return latest


def match_years(asked: frozenset[str], own: frozenset[str], around: frozenset[str]) -> float:
    """Return 1 if the text has the years, 0.5 if they stand around it, -1 if it has others only, 0 if unknown."""
    if not asked:
        return 0.0
    if asked & own:
        return 1.0
    return -1.0 if own else 0.5 if asked & around else -0.3


def match_period(question: Question, unit: Unit, latest: dict[RowKey, Day]) -> float:
    """Return how well the end of a cell's period matches the question, as `match_years` does.

    Without a year in the question, the periods of a row before the last one aren't meant.
    """
    header = _dated_label(unit)
    newest = latest.get((unit.document.id, unit.start))
    is_newest = newest is None or unit.once(last_day, header) == newest
    if not question.years:
        return 0.0 if is_newest else -0.5
    is_dated = question.days or question.quarter
    # "Notes due 2031" of any balance sheet.
    if unit.cell and not is_dated and question.years <= years_of(unit.cell.row_label):
        return 1.0 if is_newest else -0.5
    days = unit.once(days_in, header)
    if days and (question.days or question.quarter or question.is_fiscal):
        return 1.0 if any(_is_asked(question, day, header, unit) for day in days) else -1.0
    own = unit.once(years_of, header) or unit.once(years_of, unit.label)
    fiscal = structure_of(unit.document).fiscal_years
    own |= {str(fiscal.quarter_of(day)[0]) for day in days if fiscal != CALENDAR}
    return match_years(question.years, own, unit.once(years_of, unit.before))


def _dated_label(unit: Unit) -> str:
    """Return the label of a cell that names its period: the header of its column, the title of its rows, or its row."""
    cell = unit.cell
    return unit.once(_dated, cell.column_header, cell.section, cell.row_label) if cell else ""


def _dated(header: str, section: str, row: str) -> str:
    has_period = last_day(header) or length_in(header)
    if not has_period and is_period(row):
        return row
    return header if has_period or not (last_day(section) and length_in(section)) else section


def _is_asked(question: Question, day: Day, header: str, unit: Unit) -> bool:
    """Return whether a period that ends on a day is the question's, by its date or by its quarter and fiscal year."""
    if question.days:
        return any(
            (each.year, each.month) == (day.year, day.month) and each.day in (day.day, _NO_DAY)
            for each in question.days
        )
    year, quarter = structure_of(unit.document).fiscal_years.quarter_of(day)
    is_quarter = question.quarter in (0, quarter) or length_in(header) > 3
    years = {str(year)} if question.is_fiscal else {str(year), str(day.year)}
    return is_quarter and bool(years & question.years)


def match_length(question: Question, unit: Unit) -> float:
    """Return whether a cell has the length of the question's period: 1, -1, or 0 if one of them names none."""
    length = unit.once(length_in, _dated_label(unit))
    if not length or not question.months:
        return 0.0
    return 1.0 if question.months == length else -1.0


def find_parts(question: Question, units: Sequence[Unit]) -> list[bool]:
    """Return whether each cell is only of a part that the question doesn't name, while the whole has a cell as well.

    "Operating income" of a segment isn't the company's, and the change of a figure isn't the figure.
    """
    common = _common_header_stems(units)
    parts = [_part(question, unit) - common.get((unit.document.id, unit.start), frozenset()) for unit in units]
    labels = [(unit.document.id, label_stems(unit)) for unit in units]
    # A list of duties has no parts.
    figures = [unit.cell is not None and is_figure(unit.cell.text) for unit in units]
    rows = list(zip(labels, figures, parts, strict=True))
    wholes = {label for label, figure, part in rows if figure and not part}
    return [figure and bool(part) and label in wholes for label, figure, part in rows]


def _common_header_stems(units: Sequence[Unit]) -> dict[RowKey, frozenset[str]]:
    """Return the stems that the headers of all cells of a row have; they tell no cell from another."""
    common: dict[RowKey, frozenset[str]] = {}
    for unit in units:
        if unit.cell:
            key, words = (unit.document.id, unit.start), unit.once(text_stems, unit.cell.column_header)
            common[key] = common[key] & words if key in common else words
    return common


def _part(question: Question, unit: Unit) -> frozenset[str]:
    """Return the stems of a cell's section and header without periods, the whole, and the question's words."""
    words = unit.once(text_stems, unit.cell.section, unit.cell.column_header) if unit.cell else frozenset[str]()
    if words & WHOLE:
        return frozenset()
    others = words.difference(_NO_PART, question.stems, label_stems(unit))
    return frozenset(word for word in others if word.isalpha() and len(word) > 1)
