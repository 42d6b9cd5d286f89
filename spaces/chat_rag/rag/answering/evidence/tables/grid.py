"""A table by rows and columns, with the labels of each of its figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.answering.evidence.tables.figures import find_unit, is_blank, is_figure, is_period, without_note_mark
from rag.documents import Cell, Table

# Of a table whose rows all look like headers, each figure would otherwise have all of them.
MAX_HEADER_ROWS = 20


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


@dataclass(slots=True)
class Grid:
    """A table of a document's text; a merged cell stands at each of its places."""

    table: Table
    text: str
    rows: list[dict[int, Cell]] = field(init=False)
    _first_figure_row: int = field(init=False)

    def __post_init__(self) -> None:
        count = max((cell.row + cell.row_span for cell in self.table.cells), default=0)
        self.rows = [{} for _ in range(count)]
        for cell in self.table.cells:
            for row in self.rows[cell.row : cell.row + cell.row_span]:
                for column in range(cell.column, cell.column + cell.column_span):
                    row.setdefault(column, cell)
        self._first_figure_row = self._find_first_figure_row()

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
            for column, cell in values:
                header = self._column_header(headers, column)
                yield LabeledCell(cell, self.content(cell), label, section, header, start, end)
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
