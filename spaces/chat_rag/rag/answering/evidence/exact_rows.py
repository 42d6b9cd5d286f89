"""Decides whether a cell is the only figure that a report gives for just what a question asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rag.answering.evidence.question_analysis.mentions import is_about
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_scope import WHOLE, label_stems, match_length, match_period, text_stems
from rag.answering.evidence.tables.figures import FACTORS, find_unit, value
from rag.answering.evidence.tables.table_rows import ASKING, rows_labeled
from rag.answering.evidence.units.document_structure import introduction, structure_of
from rag.answering.evidence.units.split import Unit
from rag.documents import Document, Table
from rag.search.bm25 import STOP_WORDS, stems

_EMPTY = WHOLE | ASKING | STOP_WORDS | frozenset(stems(["amounts figures values"]))
_MOST_ROWS = 40  # with one label: a list of as many is no report


def is_exactly_asked(question: Question, unit: Unit) -> bool:
    """Return whether a cell has the label and the period of a question, and no other table has another figure there.

    A table in which the label stands several times has those of the parts of a company.
    """
    own = _own_figure(question, unit)
    figures = [number for number, _ in _figures(question, unit)] if own else []
    return bool(figures) and all(abs(each) == own for each in figures)


def is_part_of_larger(question: Question, unit: Unit) -> bool:
    """Return whether a cell with the label and the period of a question has less than another table has there.

    The compensation in shares for "Research and development" is a part of what was spent on it. A part that the
    question names is what it asks for.
    """
    own = _own_figure(question, unit)
    if not unit.cell or not own or text_stems(unit.cell.section, unit.cell.column_header) & question.name_stems:
        return False
    return any(
        abs(number) > own and _scale(measure) == _scale(unit.measure) for number, measure in _figures(question, unit)
    )


def _scale(measure: str) -> float:
    """Return the factor of a unit: "in thousands" and "in thousands, except per share data" have the same."""
    return next((factor for word, factor in FACTORS.items() if word in measure.lower()), 1.0)


def _own_figure(question: Question, unit: Unit) -> float:
    """Return the figure, without its sign, of a cell with the label and the period of a question; otherwise 0."""
    if not unit.cell or question.names_change or not question.years or not _is_of_period(question, unit):
        return 0.0
    label, asked = label_stems(unit) - _EMPTY, _asked(question, unit.document)
    # "Dividends paid", of the cash flows, are "cash dividends".
    if not label or not label <= asked or not asked - label <= unit.once(text_stems, unit.cell.section):
        return 0.0
    return abs(value(unit.cell.text) or 0.0)


def _asked(question: Question, document: Document) -> frozenset[str]:
    """Return the words of a question without its period and the names of whom the document is about."""
    owners = text_stems(*(name for name in question.names if is_about(document, name)))
    return frozenset(question.stems) - owners - question.period_stems - _EMPTY


def _is_of_period(question: Question, unit: Unit) -> bool:
    return match_period(question, unit, {}) == 1 and match_length(question, unit) >= 0


def _figures(question: Question, unit: Unit) -> Iterator[tuple[float, str]]:
    """Yield the figures of the period, each with its unit, of all rows with a cell's label; tables have it once."""
    rows = rows_labeled(unit.document, label_stems(unit))
    if len(rows) > _MOST_ROWS:
        return
    by_table: dict[int, list[tuple[Table, int, int]]] = defaultdict(list)
    for table, start, end in rows:
        by_table[table.start].append((table, start, end))
    for same in by_table.values():
        if len(same) == 1:
            yield from _figures_of_row(question, unit.document, *same[0])


def _figures_of_row(
    question: Question, document: Document, table: Table, start: int, end: int
) -> Iterator[tuple[float, str]]:
    """Yield the figures of the question's period in a row, or only that of the whole if it has those of parts too."""
    intro = table.caption or introduction(document, table.start)
    grid = structure_of(document).grid(document, table)
    cells = grid.labeled_cells(start, start + 1, end - start)
    measure = grid.unit or find_unit(intro)
    units = [
        Unit(document, start, end, cell.text, before=intro, cell=cell, measure=cell.unit or measure) for cell in cells
    ]
    meant = [unit for unit in units if _is_of_period(question, unit)]
    whole = [unit for unit in meant if unit.cell and text_stems(unit.cell.column_header) & WHOLE]
    for unit in whole or meant:
        number = value(unit.cell.text) if unit.cell else None
        if number is not None:
            yield number, unit.measure
