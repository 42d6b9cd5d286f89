"""Decides whether a cell is the only figure that a report gives for just what a question asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rag.answering.evidence.question_analysis.mentions import is_about
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_scope import WHOLE, label_stems, match_length, match_period, text_stems
from rag.answering.evidence.tables.figures import value
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
    figure = value(unit.cell.text) if unit.cell else None
    if (
        not unit.cell
        or figure is None
        or not question.years
        or question.names_change
        or not _is_of_period(question, unit)
    ):
        return False
    label, asked = label_stems(unit) - _EMPTY, _asked(question, unit.document)
    # "Dividends paid", of the cash flows, are "cash dividends".
    if not label or not label <= asked or not asked - label <= unit.once(text_stems, unit.cell.section):
        return False
    figures = [*_figures(question, unit)]
    return bool(figures) and all(abs(each) == abs(figure) for each in figures)


def _asked(question: Question, document: Document) -> frozenset[str]:
    """Return the words of a question without its period and the names of whom the document is about."""
    owners = text_stems(*(name for name in question.names if is_about(document, name)))
    return frozenset(question.stems) - owners - question.period_stems - _EMPTY


def _is_of_period(question: Question, unit: Unit) -> bool:
    return match_period(question, unit, {}) == 1 and match_length(question, unit) >= 0


def _figures(question: Question, unit: Unit) -> Iterator[float]:
    """Yield the figures of the period in all rows with the label of a cell, but those of tables that have it often."""
    rows = rows_labeled(unit.document, label_stems(unit))
    if len(rows) > _MOST_ROWS:
        return
    by_table: dict[int, list[tuple[Table, int, int]]] = defaultdict(list)
    for table, start, end in rows:
        by_table[table.start].append((table, start, end))
    for same in by_table.values():
        if len(same) == 1:
            yield from _figures_of_row(question, unit.document, *same[0])


def _figures_of_row(question: Question, document: Document, table: Table, start: int, end: int) -> Iterator[float]:
    """Yield the figures of the question's period in a row, or only that of the whole if it has those of parts too."""
    intro = table.caption or introduction(document, table.start)
    cells = structure_of(document).grid(document, table).labeled_cells(start, start + 1, end - start)
    units = [Unit(document, start, end, cell.text, before=intro, cell=cell) for cell in cells]
    meant = [unit for unit in units if _is_of_period(question, unit)]
    whole = [unit for unit in meant if unit.cell and text_stems(unit.cell.column_header) & WHOLE]
    for unit in whole or meant:
        number = value(unit.cell.text) if unit.cell else None
        if number is not None:
            yield number
