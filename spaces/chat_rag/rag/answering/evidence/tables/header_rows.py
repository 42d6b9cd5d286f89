"""Recognizes the rows of a table that name its columns, and the column that names its rows."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.evidence.tables.cell_texts import CellTexts, Row
from rag.answering.evidence.tables.figures import find_unit, is_blank, is_period
from rag.documents import Cell

# The first column of a list: 1, 2., A-17, 1003, 07/08/2015; a year names a row by itself.
_NUMBERING = re.compile(r"(?!(?:19|20)\d\d$)#?(?:[A-Z]{1,4}-?)?\d{1,8}\.?|\d{1,4}([/.-])\d{1,2}\1(?:\d\d){1,2}")
_FEWEST_NUMBERED = 2


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """A row that names columns."""

    cells: dict[int, Cell]
    columns: tuple[int, ...]
    """The columns with a name, from left to right, without the first one of the table."""

    @classmethod
    def of(cls, row: Row) -> HeaderRow:
        return cls(row, tuple(sorted(column for column in row if column > 0)))

    def cell_above(self, column: int) -> Cell | None:
        """Return the header of a column; a blank one belongs to the header before it, as in a merged cell."""
        if column in self.cells or not column or not self.columns:
            return self.cells.get(column)
        if len(self.columns) == 1:  # one header in the middle of all columns
            return self.cells[self.columns[0]]
        return self.cells[self.columns[max(0, bisect_left(self.columns, column) - 1)]]


class HeaderRules:
    """Says of the rows of a table, with `row_count` rows, which ones name columns."""

    def __init__(self, cells: Sequence[Cell], texts: CellTexts, row_count: int) -> None:
        self._cells, self._texts, self._row_count = cells, texts, row_count
        self._marks_headers = any(cell.header and cell.column > 0 for cell in cells)
        after_labels = (cell for cell in cells if cell.column + cell.column_span > 1)
        self._first_figure_row = next((cell.row for cell in after_labels if texts.is_figure(cell)), row_count)

    def is_header(self, row: Row, number: int) -> bool:
        """Return whether a row names columns: it is marked so, or has no figure and names at least one column."""
        cells = [cell for column, cell in row.items() if column > 0]
        if not row or all(cell.header for cell in cells or row.values()):  # the corner often isn't marked
            return True
        if not cells or any(self._texts.is_figure(cell) for cell in cells):
            return False
        if self._texts.after_label(row, number) and not self._texts.has_values(row, number):
            label = self._texts.row_label(row)  # it begins a section; a row without any word only keeps others apart
            return bool(find_unit(label)) or is_period(label)
        # Above the first figure, words name columns. A table without figures has one row of them.
        is_above = number < self._first_figure_row if self._first_figure_row < self._row_count else number == 0
        texts = [*map(self._texts.content, cells)]
        if is_above and (not self._is_named(row) or any(map(is_period, texts))):
            return True
        named = [text for text in texts if not is_blank(text)]
        names_columns = all(is_period(text) or find_unit(text) for text in named)
        return names_columns and (bool(named) or not self._texts.row_label(row))

    def _is_named(self, row: Row) -> bool:
        """Return whether a table that marks its headers has a name for this row: "unlimited" is a value there."""
        label = self._texts.row_label(row)
        return self._marks_headers and not (is_blank(label) or find_unit(label) or is_period(label))

    def find_names(self) -> int:
        """Return the column with the names of the rows if the first one has only their numbers; otherwise 0."""
        cells = [cell for cell in self._cells if cell.row >= self._first_figure_row and not cell.header]
        labels = [cell for cell in cells if cell.column == 0]
        texts = map(self._texts.content, labels)
        if len(labels) < _FEWEST_NUMBERED or not all(map(_NUMBERING.fullmatch, texts)):
            return 0
        rows = {label.row for label in labels}
        in_rows = (cell for cell in cells if cell.column and cell.row in rows)
        worded = Counter(cell.column for cell in in_rows if self._texts.has_words(cell))
        return min((column for column, count in worded.items() if count == len(rows)), default=0)
