"""Reads a CSV or TSV file as lines that can be understood without the header, and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice, zip_longest

from rag.documents import Cell, Content, Limits, Note, Table
from rag.errors import DocumentError
from rag.reading.formats.delimited.dialect import Dialect, find_dialect, read_rows
from rag.reading.formats.delimited.header import find_layout
from rag.reading.formats.delimited.several_tables import split_tables
from rag.reading.formats.text.decode import decode_with_notes

_LAYOUT_ROWS = 200
_REMARK_SPACES, _MOST_REMARKS = 2, 10
_MAX_CELLS = 50_000  # a larger table is text only: its cells would take more memory than its text


def read_csv(data: bytes, name: str, limits: Limits) -> Content:
    """Return one line per row: "column: value; column: value"."""
    text, notes = decode_with_notes(data, name)
    return _read(text, notes, find_dialect(text), name, limits)


def read_tsv(data: bytes, name: str, limits: Limits) -> Content:
    """Return the rows of a file whose cells are separated by tabs; another delimiter counts if it has none."""
    text, notes = decode_with_notes(data, name)
    return _read(text, notes, find_dialect(text, "\t") if "\t" in text else find_dialect(text), name, limits)


def _read(text: str, notes: tuple[Note, ...], dialect: Dialect, name: str, limits: Limits) -> Content:
    lines = _Lines(name, limits)
    rows = ([_one_line(cell) for cell in row] for row in read_rows(text, dialect, name))
    tables = [table for part in split_tables(rows) if (table := _read_table(part, lines))]
    if sum(len(table.cells) for table in tables) > _MAX_CELLS:
        tables = []
    return Content("\n".join(lines.lines), tables=tuple(tables), notes=notes)


def _read_table(rows: Iterator[list[str]], lines: _Lines) -> Table | None:
    """Write the rows of a table with what is above and below it; return None if it has no cells."""
    first = list(islice(rows, _LAYOUT_ROWS))
    layout = find_layout(first)
    titles, headers = first[: layout.titles], first[layout.titles : layout.titles + layout.headers]
    data = chain(first[layout.titles + layout.headers :], rows)
    title = [" ".join(filter(None, row)) for row in titles]
    for line in title:
        lines.add(line)
    writer, start = _Writer(headers, lines), lines.length
    has_columns = any(len(row) > 1 for row in headers)
    remarks = _write_rows(writer, data, may_have_remarks=has_columns)
    if headers and not writer.rows:
        lines.add("; ".join(filter(None, (" ".join(names) for names in writer.names))))
    end = max(lines.length - 1, 0)
    for remark in remarks:
        lines.add(remark)
    return Table(start, end, writer.table_cells(), " ".join(title)) if writer.cells else None


def _write_rows(writer: _Writer, rows: Iterable[list[str]], *, may_have_remarks: bool) -> list[str]:
    """Write the rows of a table; return the remarks that stand below it, which aren't written."""
    unwritten: list[list[str]] = []  # remarks, if no other row follows
    for row in rows:
        unwritten.append(row)
        if not (may_have_remarks and _is_remark(row)):
            writer.write_rows(unwritten)
            unwritten.clear()
    if not writer.rows or len(unwritten) > _MOST_REMARKS:
        writer.write_rows(unwritten)
        unwritten.clear()
    return [row[0] for row in unwritten]


def _is_remark(row: list[str]) -> bool:
    """Return whether a row has nothing but some words in its first cell: below a table, it is a note or a source."""
    has_words = bool(row) and (row[0].count(" ") >= _REMARK_SPACES or ": " in row[0])
    return has_words and not any(row[1:])


class _Lines:
    """The lines of the file's text."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.lines: list[str] = []
        self.length = 0  # of the text with a line end after each line
        self._name, self._limits = name, limits

    def add(self, line: str) -> None:
        self.lines.append(line)
        self.length += len(line) + 1
        # Checked for each line: a long header repeats in each row, so a small file can grow without bound.
        if self.length > self._limits.characters:
            raise DocumentError(
                f"“{self._name}” has more than {self._limits.characters:,} characters, the limit for one file.",
                "Split it into smaller files, or remove columns.",
            )


class _Writer:
    """Writes the rows of a table as lines, and remembers where each cell stands."""

    def __init__(self, headers: list[list[str]], lines: _Lines) -> None:
        self.rows = 0
        self.cells: list[Cell] = []
        self._headers = _filled_right(headers)
        self.names = [tuple(filter(None, names)) for names in zip_longest(*self._headers, fillvalue="")]
        self._header_cells: dict[tuple[int, int], Cell] = {}
        self._lines = lines

    def write_rows(self, rows: list[list[str]]) -> None:
        for row in rows:
            self._write_row(row)

    def _write_row(self, row: list[str]) -> None:
        """Join a row's non-empty cells, each with its column's name or, without one, its column's number."""
        parts, position = [], self._lines.length
        number = len(self._headers) + self.rows
        for column, value in enumerate(row):
            if not value:
                continue
            names = self.names[column] if column < len(self.names) else ()
            label = " ".join(names) or f"column {column + 1}"
            start = position + len(label) + 2
            if len(self.cells) <= _MAX_CELLS:
                self._add_header(column, position)
                self.cells.append(Cell(number, column, start, start + len(value)))
            parts.append(f"{label}: {value}")
            position = start + len(value) + 2
        self.rows += 1
        self._lines.add("; ".join(parts))

    def table_cells(self) -> tuple[Cell, ...]:
        """Return all cells; a header's text is where it is written first."""
        return (*sorted(self._header_cells.values(), key=lambda cell: (cell.row, cell.column)), *self.cells)

    def _add_header(self, column: int, position: int) -> None:
        for row, names in enumerate(self._headers):
            if column < len(names) and names[column]:
                end = position + len(names[column])
                self._header_cells.setdefault((row, column), Cell(row, column, position, end, header=True))
                position = end + 1


def _filled_right(headers: list[list[str]]) -> list[list[str]]:
    """Return header rows in which the name of a group stands above each of its columns."""
    if len(headers) < 2:
        return headers
    groups, names = headers
    filled: list[str] = []
    for index, group in enumerate(groups + [""] * (len(names) - len(groups))):
        filled.append(group or (filled[-1] if filled and index < len(names) and names[index] else ""))
    return [filled, names]


def _one_line(cell: str) -> str:
    return " ".join(cell.split())
