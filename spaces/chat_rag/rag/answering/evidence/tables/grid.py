"""A table by rows and columns, with the labels of each of its figures.

It is read once and keeps numbers: a question reads only the rows of its passages again.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, islice, pairwise

from rag.answering.evidence.tables.cell_texts import CellTexts, Row
from rag.answering.evidence.tables.figures import find_unit, without_note_mark, without_unit
from rag.answering.evidence.tables.header_rows import HeaderRow, HeaderRules
from rag.answering.evidence.tables.row_labels import is_share
from rag.documents import Cell, Span, Table

# Of a table whose rows all look like headers, each figure would otherwise have all of them.
MAX_HEADER_ROWS = 20
_UNIT_ROWS = 4  # the first rows, of which one can name the unit
_CHECKPOINT_CELLS = 500
_AFTER = 2**32 - 1  # after all characters


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
class _State:
    """What is known above a row: the headers, the section, and the cells of earlier rows that reach into it."""

    headers: tuple[HeaderRow, ...] = ()
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
    _texts: CellTexts = field(init=False)
    _checkpoint_rows: list[int] = field(init=False)
    _checkpoints: list[_State] = field(init=False)

    def __post_init__(self) -> None:
        self._texts, cells = CellTexts(self.text), self.table.cells
        is_sorted = all(first.row <= second.row for first, second in pairwise(cells))
        self._cells = cells if is_sorted else tuple(sorted(cells, key=lambda cell: cell.row))
        self._index_rows(max((cell.row + cell.row_span for cell in cells), default=0))
        self._by_start = array("I", sorted(range(len(cells)), key=lambda at: self._cells[at].start))
        self._header_rows = bytearray()
        self._checkpoint_rows, self._checkpoints = [0], [_State()]
        rules = HeaderRules(self._cells, self._texts, len(self._row_ends))
        self._names = rules.find_names()
        passed = 0
        for number, row, state in self._rows(0, rules):
            if passed >= _CHECKPOINT_CELLS:
                self._checkpoint_rows.append(number)
                self._checkpoints.append(state)
                passed = 0
            passed += len(row)
        self.unit = self._find_unit()

    def labeled_cells(self, start: int = 0, end: int | None = None, reach: int = 0) -> Iterator[LabeledCell]:
        """Yield the cells with values, row by row, of the rows that begin between two characters of the text.

        Without an `end`, these are all rows from `start` on. Cells more than `reach` characters after the end are left
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
        lengths, starts, without_headers = [0] * count, [_AFTER] * count, [_AFTER] * count
        for cell in self._cells:
            lengths[cell.row] += 1
            starts[cell.row] = min(starts[cell.row], cell.start)
            if not cell.header:  # a CSV file has each header where it names a value first
                without_headers[cell.row] = min(without_headers[cell.row], cell.start)
        self._row_ends = array("I", accumulate(lengths))
        self._row_starts = array("I", starts)
        self._latest_starts = array("I", accumulate((start % _AFTER for start in without_headers), max))
        self._earliest_starts = array("I", reversed([*accumulate(reversed(without_headers), min)]))

    def _own_cells(self, number: int) -> tuple[Cell, ...]:
        return self._cells[self._row_ends[number - 1] if number else 0 : self._row_ends[number]]

    def _rows(self, first: int, rules: HeaderRules | None = None) -> Iterator[tuple[int, Row, _State]]:
        """Yield the rows from the checkpoint at or before the row `first` on, each with the state above it.

        The first time, the `rules` say which ones are headers.
        """
        checkpoint = bisect_right(self._checkpoint_rows, first) - 1
        state = self._checkpoints[checkpoint]
        for number in range(self._checkpoint_rows[checkpoint], len(self._row_ends)):
            own = self._own_cells(number)
            row = self._row(state.merged, own)
            if rules:
                self._header_rows.append(rules.is_header(row, number))
            yield number, row, state
            state = self._state_below(row, number, state, own)

    @staticmethod
    def _row(merged: tuple[Cell, ...], own: tuple[Cell, ...]) -> Row:
        """Return the cells of a row by their columns."""
        row = {cell.column: cell for cell in own}
        if not merged and len(row) == len(own) and not any([cell.column_span > 1 for cell in own]):  # noqa: C419
            return row
        row = {}
        for cell in (*merged, *own):
            for column in range(cell.column, cell.column + cell.column_span):
                row.setdefault(column, cell)
        return row

    def _state_below(self, row: Row, number: int, state: _State, own: tuple[Cell, ...]) -> _State:
        headers, section, in_headers, last_label = state.headers, state.section, state.in_headers, state.last_label
        if self._header_rows[number]:
            header = HeaderRow.of(row)
            headers, in_headers = (*headers[1 - MAX_HEADER_ROWS :], header) if in_headers else (header,), True
        else:
            section, in_headers, last_label = self._below(row, number, state)
        merged = tuple([cell for cell in (*state.merged, *own) if cell.row + cell.row_span > number + 1])
        return _State(headers, section, in_headers, merged, last_label)

    def _below(self, row: Row, number: int, state: _State) -> tuple[str, bool, str]:
        """Return the section below a row that names no columns, whether it's in the headers, and the last label."""
        label = self._texts.row_label(row)
        if not self._texts.has_values(row, number):
            return (label, state.in_headers, "") if label else (state.section, state.in_headers, state.last_label)
        if not label and self._texts.is_total(row, number):
            return "", False, ""
        section = "" if label.lower().startswith("total") else state.section
        return section, False, state.last_label if not label or is_share(label) else label

    def _labels(self, row: Row, number: int, state: _State) -> tuple[str, str]:
        """Return the label of a row, and what stands above it: its section, or the row that it is a share of."""
        label, section = self._texts.row_label(row), state.section
        if is_share(label):
            return label, ": ".join(filter(None, (section.rstrip(": "), state.last_label)))
        if label:
            return label, section
        if state.last_label and not self._names and not self._texts.is_total(row, number):
            return state.last_label, section
        return section.rstrip(": "), ""

    def _labeled(self, row: Row, number: int, state: _State, last: int) -> Iterator[LabeledCell]:
        """Yield the cells of a row that begin before the character `last`."""
        label, section = self._labels(row, number, state)
        values = [(column, cell) for column, cell in self._texts.values(row, number) if cell.start < last]
        row = {column: cell for column, cell in row.items() if cell.start < last}
        start, end = min(cell.start for cell in row.values()), max(cell.end for cell in row.values())
        words = " ".join(self._texts.content(cell) for _, cell in values if self._texts.has_words(cell))
        named = f"{label} {self._texts.content(row.get(self._names))}".strip() if self._names else label
        words = f"{words} {self._key_name(state)}".rstrip()
        for column, cell in [*values, *self._key(row, state)]:
            own_label = label if column == self._names else named
            names = [without_note_mark(self._texts.content(row.cell_above(column))) for row in state.headers]
            header = " ".join(dict.fromkeys(filter(None, map(without_unit, names))))
            unit = next(filter(None, map(find_unit, names)), "")
            yield LabeledCell(
                cell, self._texts.figure(row, column, cell), own_label, section, header, start, end, words, unit
            )

    def _key(self, row: Row, state: _State) -> list[tuple[int, Cell]]:
        """Return the number of a row that another column names: the article number of a list can be asked for."""
        return [(0, row[0])] if 0 in row and self._key_name(state) else []

    def _key_name(self, state: _State) -> str:
        """Return what the numbers in the first column are of: "Line" of the lines 10 and 12; "" in another table."""
        names = [self._texts.content(header.cell_above(0)) for header in state.headers] if self._names else []
        return " ".join(filter(None, names))

    def _find_unit(self) -> str:
        rows = [row for _, row, _ in islice(self._rows(0), _UNIT_ROWS)]
        cells = ((column, self._texts.content(cell)) for row in rows for column, cell in row.items())
        # "Cost ($ thousands)" says nothing of the other columns.
        texts = (self.table.caption, *(text for column, text in cells if column == 0 or not without_unit(text)))
        return next(filter(None, map(find_unit, texts)), "")
