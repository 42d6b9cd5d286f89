"""A table by rows and columns, with the labels of each of its figures.

It is read once and keeps numbers: a question reads only the rows of its passages again.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, islice, pairwise

from rag.answering.evidence.tables.figures import (
    find_unit,
    is_blank,
    is_figure,
    is_measure,
    is_period,
    without_note_mark,
    without_unit,
)
from rag.answering.evidence.tables.row_labels import is_share, is_total, is_value
from rag.documents import Cell, Span, Table

# Of a table whose rows all look like headers, each figure would otherwise have all of them.
MAX_HEADER_ROWS = 20
# The first column of a list: 1, 2., A-17, 1003, 07/08/2015; a year names a row by itself.
_NUMBERING = re.compile(r"(?!(?:19|20)\d\d$)#?(?:[A-Z]{1,4}-?)?\d{1,8}\.?|\d{1,4}([/.-])\d{1,2}\1(?:\d\d){1,2}")
_FEWEST_NUMBERED = 2
_LETTERS = re.compile(r"[^\W\d_]{3}")
_UNIT_ROWS = 4  # the first rows, of which one can name the unit
_CHECKPOINT_CELLS = 500
_BEHIND = 2**32 - 1  # behind all characters


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
    unit: str = ""
    """The unit that the headers of its column name."""


@dataclass(frozen=True, slots=True)
class _HeaderRow:
    """A row that names columns."""

    cells: dict[int, Cell]
    columns: tuple[int, ...]
    """The columns with a name, from left to right, without the first one of the table."""

    @classmethod
    def of(cls, row: dict[int, Cell]) -> _HeaderRow:
        return cls(row, tuple(sorted(column for column in row if column > 0)))

    def cell_above(self, column: int) -> Cell | None:
        """Return the header of a column; a blank one belongs to the header before it, as in a merged cell."""
        if column in self.cells or not self.columns:
            return self.cells.get(column)
        if len(self.columns) == 1:  # one header in the middle of all columns
            return self.cells[self.columns[0]]
        return self.cells[self.columns[max(0, bisect_left(self.columns, column) - 1)]]


@dataclass(frozen=True, slots=True)
class _State:
    """What is known above a row: the headers, the section, and the cells of earlier rows that reach into it."""

    headers: tuple[_HeaderRow, ...] = ()
    section: str = ""
    in_headers: bool = True
    merged: tuple[Cell, ...] = ()
    last_label: str = ""
    """The label of the last row of the section that is neither its total nor the share of another row."""


@dataclass(slots=True)
class Grid:
    """A table of a document's text; a merged cell stands at each of its places."""

    table: Table
    text: str
    unit: str = field(init=False)
    """The unit that the caption, the corner or a header names for all columns, or ""."""
    _cells: tuple[Cell, ...] = field(init=False)  # by rows
    _row_ends: array[int] = field(init=False)  # for each row how many cells it and those above it have
    _row_starts: array[int] = field(init=False)  # the first character of each row's own cells
    # The last character at which it or a row above begins, and the first one at which it or a row below does.
    _latest_starts: array[int] = field(init=False)
    _earliest_starts: array[int] = field(init=False)
    _by_start: array[int] = field(init=False)  # the numbers of the cells, as they stand in the text
    _names: int = field(init=False)
    """The column with the names of the rows if the first one has only their numbers, as in an invoice; otherwise 0."""
    _header_rows: bytearray = field(init=False)  # for each row whether it names columns
    _marks_headers: bool = field(init=False)  # the table itself says which cells name columns
    _checkpoint_rows: list[int] = field(init=False)
    _checkpoints: list[_State] = field(init=False)

    def __post_init__(self) -> None:
        cells = self.table.cells
        is_sorted = all(first.row <= second.row for first, second in pairwise(cells))
        self._cells = cells if is_sorted else tuple(sorted(cells, key=lambda cell: cell.row))
        self._index_rows(max((cell.row + cell.row_span for cell in cells), default=0))
        self._marks_headers = any(cell.header and cell.column > 0 for cell in cells)
        self._by_start = array("I", sorted(range(len(cells)), key=lambda at: self._cells[at].start))
        self._header_rows = bytearray()
        self._checkpoint_rows, self._checkpoints = [0], [_State()]
        first_figure_row = self._find_first_figure_row()
        self._names = self._find_names(first_figure_row)
        passed = 0
        for number, row, state in self._rows(0, first_figure_row):
            if passed >= _CHECKPOINT_CELLS:
                self._checkpoint_rows.append(number)
                self._checkpoints.append(state)
                passed = 0
            passed += len(row)
        self.unit = self._find_unit()

    def content(self, cell: Cell | None) -> str:
        """Return the text of a cell on one line."""
        return " ".join(self.text[cell.start : cell.end].split()) if cell else ""

    def labeled_cells(self, start: int = 0, end: int | None = None, reach: int = 0) -> Iterator[LabeledCell]:
        """Yield the cells with values, row by row, of the rows that begin between two characters of the text.

        Without an `end`, these are all rows from `start` on. Cells more than `reach` characters behind the end are left
        out: a row can be as long as its document.
        """
        last = len(self.text) if end is None else end + reach
        for number, row, state in self._rows(bisect_left(self._latest_starts, start)):
            if self._earliest_starts[number] >= last:
                return
            row_start = min((self._row_starts[number], *(cell.start for cell in state.merged)))
            if row and row_start >= start and (end is None or row_start < end) and not self._header_rows[number]:
                yield from self._labeled(row, number, state, last)

    def spans_between(self, start: int, end: int) -> Iterator[tuple[Span, bool]]:
        """Yield the spans of the cells between two characters of the text, each with whether it is a header."""
        first = bisect_left(self._by_start, start, key=lambda at: self._cells[at].start)
        for position in range(max(0, first - 1), len(self._by_start)):
            cell = self._cells[self._by_start[position]]
            if cell.start >= end:
                return
            yield (cell.start, cell.end), cell.header

    def _index_rows(self, count: int) -> None:
        lengths, starts, without_headers = [0] * count, [_BEHIND] * count, [_BEHIND] * count
        for cell in self._cells:
            lengths[cell.row] += 1
            starts[cell.row] = min(starts[cell.row], cell.start)
            if not cell.header:  # a CSV file has each header where it names a value first
                without_headers[cell.row] = min(without_headers[cell.row], cell.start)
        self._row_ends = array("I", accumulate(lengths))
        self._row_starts = array("I", starts)
        self._latest_starts = array("I", accumulate((start % _BEHIND for start in without_headers), max))
        self._earliest_starts = array("I", reversed([*accumulate(reversed(without_headers), min)]))

    def _own_cells(self, number: int) -> tuple[Cell, ...]:
        return self._cells[self._row_ends[number - 1] if number else 0 : self._row_ends[number]]

    def _rows(self, first: int, first_figure_row: int | None = None) -> Iterator[tuple[int, dict[int, Cell], _State]]:
        """Yield the rows from the checkpoint at or before the row `first` on, each with the state above it.

        The first time, `first_figure_row` is the first one with a figure, and it becomes known which are headers.
        """
        checkpoint = bisect_right(self._checkpoint_rows, first) - 1
        state = self._checkpoints[checkpoint]
        for number in range(self._checkpoint_rows[checkpoint], len(self._row_ends)):
            own = self._own_cells(number)
            row = self._row(state.merged, own)
            if first_figure_row is not None:
                self._header_rows.append(self._is_header(row, number, first_figure_row))
            yield number, row, state
            state = self._state_below(row, number, state, own)

    @staticmethod
    def _row(merged: tuple[Cell, ...], own: tuple[Cell, ...]) -> dict[int, Cell]:
        """Return the cells of a row by their columns."""
        row = {cell.column: cell for cell in own}
        if not merged and len(row) == len(own) and not any([cell.column_span > 1 for cell in own]):  # noqa: C419
            return row
        row = {}
        for cell in (*merged, *own):
            for column in range(cell.column, cell.column + cell.column_span):
                row.setdefault(column, cell)
        return row

    def _state_below(self, row: dict[int, Cell], number: int, state: _State, own: tuple[Cell, ...]) -> _State:
        headers, section, in_headers, last_label = state.headers, state.section, state.in_headers, state.last_label
        if self._header_rows[number]:
            header = _HeaderRow.of(row)
            headers, in_headers = (*headers[1 - MAX_HEADER_ROWS :], header) if in_headers else (header,), True
        else:
            section, in_headers, last_label = self._below(row, number, state)
        merged = tuple([cell for cell in (*state.merged, *own) if cell.row + cell.row_span > number + 1])
        return _State(headers, section, in_headers, merged, last_label)

    def _below(self, row: dict[int, Cell], number: int, state: _State) -> tuple[str, bool, str]:
        """Return the section below a row that names no columns, whether it's in the headers, and the last label."""
        label = self._row_label(row)
        if not self._has_values(row, number):
            return (label, state.in_headers, "") if label else (state.section, state.in_headers, state.last_label)
        if not label and self._is_total(row, number):
            return "", False, ""
        section = "" if label.lower().startswith("total") else state.section
        return section, False, state.last_label if not label or is_share(label) else label

    def _labels(self, row: dict[int, Cell], number: int, state: _State) -> tuple[str, str]:
        """Return the label of a row, and what stands above it: its section, or the row that it is a share of."""
        label, section = self._row_label(row), state.section
        if is_share(label):
            return label, ": ".join(filter(None, (section.rstrip(": "), state.last_label)))
        if label:
            return label, section
        if state.last_label and not self._names and not self._is_total(row, number):
            return state.last_label, section
        return section.rstrip(": "), ""

    def _is_total(self, row: dict[int, Cell], number: int) -> bool:
        return is_total(self.content(cell) for _, cell in self._behind_label(row, number))

    def _row_label(self, row: dict[int, Cell]) -> str:
        return without_note_mark(self.content(row.get(0)))

    def _labeled(self, row: dict[int, Cell], number: int, state: _State, last: int) -> Iterator[LabeledCell]:
        """Yield the cells of a row that begin before the character `last`."""
        label, section = self._labels(row, number, state)
        values = [(column, cell) for column, cell in self._values(row, number) if cell.start < last]
        row = {column: cell for column, cell in row.items() if cell.start < last}
        start, end = min(cell.start for cell in row.values()), max(cell.end for cell in row.values())
        words = " ".join(self.content(cell) for _, cell in values if self._has_words(cell))
        named = f"{label} {self.content(row.get(self._names))}".strip() if self._names else label
        for column, cell in values:
            names, own_label = self._column_names(state.headers, column), label if column == self._names else named
            header = " ".join(dict.fromkeys(filter(None, map(without_unit, names))))
            unit = next(filter(None, map(find_unit, names)), "")
            yield LabeledCell(
                cell, self._figure(row, column, cell), own_label, section, header, start, end, words, unit
            )

    def _figure(self, row: dict[int, Cell], column: int, cell: Cell) -> str:
        """Return the text of a cell with the percent sign that has the next cell for itself, as in filings."""
        text = self.content(cell)
        is_percent = is_figure(text) and self.content(row.get(column + cell.column_span)) == "%"
        return f"{text}%" if is_percent else text

    @staticmethod
    def _behind_label(row: dict[int, Cell], number: int) -> list[tuple[int, Cell]]:
        """Return the row's own cells, each with its first column, without the label, which can be wider than one."""
        label = row.get(0)
        cells = [(column, cell) for column, cell in row.items() if column > 0 and cell.row == number and cell != label]
        unique = {cell: column for column, cell in reversed(cells)}
        return [(column, cell) for cell, column in reversed(unique.items())]

    def _values(self, row: dict[int, Cell], number: int) -> list[tuple[int, Cell]]:
        """Return the cells of a row behind its label that have a value."""
        return [(column, cell) for column, cell in self._behind_label(row, number) if is_value(self.content(cell))]

    def _has_values(self, row: dict[int, Cell], number: int) -> bool:
        """Return whether a row has a value, or a dash in place of one, behind its label."""
        return any(map(self.content, (cell for _, cell in self._behind_label(row, number))))

    def _is_header(self, row: dict[int, Cell], number: int, first_figure_row: int) -> bool:
        """Return whether a row names columns: it is marked so, or has no figure and names at least one column."""
        cells = [cell for column, cell in row.items() if column > 0]
        if not row or all(cell.header for cell in cells or row.values()):  # the corner often isn't marked
            return True
        if not cells or any(self._is_figure(cell) for cell in cells):
            return False
        if self._behind_label(row, number) and not self._has_values(row, number):
            label = self._row_label(row)  # it begins a section; a row without any word only keeps others apart
            return bool(find_unit(label)) or is_period(label)
        # Above the first figure, words name columns. A table without figures has one row of them.
        is_above = number < first_figure_row if first_figure_row < len(self._row_ends) else number == 0
        texts = [*map(self.content, cells)]
        if is_above and (not self._is_named(row) or any(map(is_period, texts))):
            return True
        named = [text for text in texts if not is_blank(text)]
        return all(is_period(text) or find_unit(text) for text in named) and (bool(named) or not self._row_label(row))

    def _is_named(self, row: dict[int, Cell]) -> bool:
        """Return whether a table that marks its headers has a name for this row: "unlimited" is a value there."""
        label = self._row_label(row)
        return self._marks_headers and not (is_blank(label) or find_unit(label) or is_period(label))

    def _find_first_figure_row(self) -> int:
        behind_labels = (cell for cell in self._cells if cell.column + cell.column_span > 1)
        return next((cell.row for cell in behind_labels if self._is_figure(cell)), len(self._row_ends))

    def _is_figure(self, cell: Cell) -> bool:
        """Return whether a cell has a figure that is no name of a column, as "640 W" is one only in the first row."""
        text = self.content(cell)
        return is_figure(text) or (cell.row > 0 and is_measure(text))

    def _find_names(self, first_figure_row: int) -> int:
        cells = [cell for cell in self._cells if cell.row >= first_figure_row and not cell.header]
        labels = [cell for cell in cells if cell.column == 0]
        if len(labels) < _FEWEST_NUMBERED or not all(_NUMBERING.fullmatch(self.content(label)) for label in labels):
            return 0
        rows = {label.row for label in labels}
        worded = Counter(cell.column for cell in cells if cell.column and cell.row in rows and self._has_words(cell))
        return min((column for column, count in worded.items() if count == len(rows)), default=0)

    def _has_words(self, cell: Cell) -> bool:
        text = self.content(cell)
        return bool(_LETTERS.search(text)) and not is_figure(text) and not is_period(text)

    def _find_unit(self) -> str:
        rows = [row for _, row, _ in islice(self._rows(0), _UNIT_ROWS)]
        cells = ((column, self.content(cell)) for row in rows for column, cell in row.items())
        # "Cost ($ thousands)" says nothing of the other columns.
        texts = (self.table.caption, *(text for column, text in cells if column == 0 or not without_unit(text)))
        return next(filter(None, map(find_unit, texts)), "")

    def _column_names(self, headers: tuple[_HeaderRow, ...], column: int) -> list[str]:
        parts = (self.content(row.cell_above(column)) for row in headers)
        return [without_note_mark(part) for part in parts if part]
