"""Reads the cells of a table, one or a row at a time: their texts, labels, figures and words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answering.evidence.tables.figures import is_figure, is_measure, is_period, without_note_mark
from rag.answering.evidence.tables.row_labels import is_total, is_value
from rag.documents import Cell

_LETTERS = re.compile(r"[^\W\d_]{3}")
Row = dict[int, Cell]
"""The cells of a row by their columns; a merged cell stands at each of its places."""


@dataclass(frozen=True, slots=True)
class CellTexts:
    """The texts of a table's cells."""

    text: str
    """The text of the document."""

    def content(self, cell: Cell | None) -> str:
        """Return the text of a cell on one line."""
        return " ".join(self.text[cell.start : cell.end].split()) if cell else ""

    def figure(self, row: Row, column: int, cell: Cell) -> str:
        """Return the text of a cell with the percent sign that has the next cell for itself, as in filings."""
        text = self.content(cell)
        is_percent = is_figure(text) and self.content(row.get(column + cell.column_span)) == "%"
        return f"{text}%" if is_percent else text

    def is_figure(self, cell: Cell) -> bool:
        """Return whether a cell has a figure that isn't a name of a column, as "640 W" is one only in the first row."""
        text = self.content(cell)
        return is_figure(text) or (cell.row > 0 and is_measure(text))

    def has_words(self, cell: Cell) -> bool:
        """Return whether a cell has words that are neither a figure nor a period."""
        text = self.content(cell)
        return bool(_LETTERS.search(text)) and not is_figure(text) and not is_period(text)

    def row_label(self, row: Row) -> str:
        """Return the first cell of a row, without footnote marks."""
        return without_note_mark(self.content(row.get(0)))

    def is_total(self, row: Row, number: int) -> bool:
        """Return whether a row without a label is the total of its section."""
        return is_total(self.content(cell) for _, cell in self.after_label(row, number))

    def values(self, row: Row, number: int) -> list[tuple[int, Cell]]:
        """Return the cells of a row after its label that have a value."""
        return [(column, cell) for column, cell in self.after_label(row, number) if is_value(self.content(cell))]

    def has_values(self, row: Row, number: int) -> bool:
        """Return whether a row has a value, or a dash in place of one, after its label."""
        return any(map(self.content, (cell for _, cell in self.after_label(row, number))))

    @staticmethod
    def after_label(row: Row, number: int) -> list[tuple[int, Cell]]:
        """Return the row's own cells, each with its first column, without the label, which can be wider than one."""
        label = row.get(0)
        cells = [(column, cell) for column, cell in row.items() if column > 0 and cell.row == number and cell != label]
        unique = {cell: column for column, cell in reversed(cells)}
        return [(column, cell) for cell, column in reversed(unique.items())]
