"""A table by rows and columns, with the labels of each of its figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.answering.evidence.tables.figures import find_unit, is_blank, is_figure, is_period, without_note_mark
from rag.documents import Cell, Table

# Of a table whose rows all look like headers, each figure would otherwise have all of them.
MAX_HEADER_ROWS = 20
# The first column of a list: 1, 2., A-17, 1003; a year names a row by itself.
_NUMBERING = re.compile(r"(?!(?:19|20)\d\d$)#?(?:[A-Z]{1,4}-?)?\d{1,8}\.?")
_FEWEST_NUMBERED = 2
_LETTERS = re.compile(r"[^\W\d_]{3}")


@dataclass(frozen=True, slots=True)
class LabeledCell:
    """A cell with its row label (below the label of its section), its column headers, top to bottom, and its unit."""

    cell: Cell
    text: str
    row_label: str
    section: str
    column_header: str
    start: int
    end: int
    """The span of the cell's row."""
    row_words: str = ""
    """The cells of the row that have words: of a list of flights, from where to where each is."""


@dataclass(slots=True)
class Grid:
    """A table of a document's text; a merged cell stands at each of its places."""

    table: Table
    text: str
    rows: list[dict[int, Cell]] = field(init=False)
    _first_figure_row: int = field(init=False)
    _names: int = field(init=False)
    """The column with the names of the rows if the first one has only their numbers, as in an invoice; otherwise 0."""

    def __post_init__(self) -> None:
        count = max((cell.row + cell.row_span for cell in self.table.cells), default=0)
        self.rows = [{} for _ in range(count)]
        for cell in self.table.cells:
            for row in self.rows[cell.row : cell.row + cell.row_span]:
                for column in range(cell.column, cell.column + cell.column_span):
                    row.setdefault(column, cell)
        self._first_figure_row = self._find_first_figure_row()
        self._names = self._find_names()

    @property
    def unit(self) -> str:
        """The unit that the caption or a header names, or ""."""
        return find_unit(self.table.caption) or next(
            filter(None, (find_unit(self.content(cell)) for row in self.rows[:4] for cell in row.values())), ""
        )

    def content(self, cell: Cell | None) -> str:
        """Return the text of a cell on one line."""
        return " ".join(self.text[cell.start : cell.end].split()) if cell else ""

    def labeled_cells(self) -> Iterator[LabeledCell]:
        """Yield the cells with values, row by row."""
        headers: list[dict[int, Cell]] = []
        section, in_headers = "", True
        for number, row in enumerate(self.rows):
            if self._is_header(row, number):
                headers = [*headers[1 - MAX_HEADER_ROWS :], row] if in_headers else [row]
                in_headers = True
                continue
            label = without_note_mark(self.content(row.get(0)))
            values = self._values(row, number)
            if not values:
                section = label or section
                continue
            in_headers = False
            start, end = min(cell.start for cell in row.values()), max(cell.end for cell in row.values())
            words = " ".join(self.content(cell) for _, cell in values if self._has_words(cell))
            named = f"{label} {self.content(row.get(self._names))}".strip() if self._names else label
            for column, cell in values:
                header, own_label = self._column_header(headers, column), label if column == self._names else named
                yield LabeledCell(cell, self.content(cell), own_label, section, header, start, end, words)
            if label.lower().startswith("total"):
                section = ""

    def _values(self, row: dict[int, Cell], number: int) -> list[tuple[int, Cell]]:
        """Return the cells of a row behind its label that have a value."""
        cells = [(column, cell) for column, cell in row.items() if column > 0 and cell.row == number]
        unique = {cell: column for column, cell in reversed(cells)}
        return [(column, cell) for cell, column in reversed(unique.items()) if not is_blank(self.content(cell))]

    def _is_header(self, row: dict[int, Cell], number: int) -> bool:
        """Return whether a row names columns: it is marked so, or has no figure and names at least one column."""
        cells = [cell for column, cell in row.items() if column > 0]
        if not row or all(cell.header for cell in row.values()):
            return True
        texts = [self.content(cell) for cell in cells]
        if not cells or any(is_figure(text) for text in texts):
            return False
        if all(is_period(text) or find_unit(text) or is_blank(text) for text in texts):
            return True
        # Above the first figure, words name columns. A table without figures has one row of them.
        has_figures = self._first_figure_row < len(self.rows)
        return number < self._first_figure_row if has_figures else number == 0

    def _find_first_figure_row(self) -> int:
        for number, row in enumerate(self.rows):
            if any(is_figure(self.content(cell)) for column, cell in row.items() if column > 0):
                return number
        return len(self.rows)

    def _find_names(self) -> int:
        rows = [row for number, row in enumerate(self.rows) if number >= self._first_figure_row and 0 in row]
        if len(rows) < _FEWEST_NUMBERED or not all(_NUMBERING.fullmatch(self.content(row[0])) for row in rows):
            return 0
        columns = sorted({column for row in rows for column in row if column > 0})
        worded = (column for column in columns if all(self._has_words(row.get(column)) for row in rows))
        return next(worded, 0)

    def _has_words(self, cell: Cell | None) -> bool:
        text = self.content(cell)
        return bool(_LETTERS.search(text)) and not is_figure(text) and not is_period(text)

    def _column_header(self, headers: list[dict[int, Cell]], column: int) -> str:
        parts = [self.content(self._header_cell(row, column)) for row in headers]
        return " ".join(dict.fromkeys(without_note_mark(part) for part in parts if part and not find_unit(part)))

    def _header_cell(self, row: dict[int, Cell], column: int) -> Cell | None:
        """Return the header of a column; a blank one belongs to the header before it, as in a merged cell."""
        columns = sorted(each for each in row if each > 0)
        if column in row or not columns:
            return row.get(column)
        if len(columns) == 1:  # one header in the middle of all columns
            return row[columns[0]]
        before = [each for each in columns if each < column]
        return row[before[-1] if before else columns[0]]
