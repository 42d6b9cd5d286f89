"""Writes text and tables as Markdown, finds their header rows, and keeps the span of each cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.documents import Cell, Content, Limits, Note, NoteKind, Page, Table
from rag.errors import DocumentError
from rag.reading.decode import SOFT_HYPHEN

# Cells whose structure is kept, for all tables of a file. A cell takes about 100 bytes in a reader's answer, which is
# limited; the rows after these are text only.
_STRUCTURED_CELLS = 200_000
MAX_COLUMNS = 16_384  # as many as a sheet of Excel
_FIELD_CHARACTERS = 3  # the least that a field takes
_NAME = re.compile(r"(19|20)\d\d\b|\D*[^\W\d]")


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell of a table and its text, before it has a place in a document."""

    row: int
    column: int
    text: str
    row_span: int = 1
    column_span: int = 1
    header: bool = False


class ContentWriter:
    """Collects what a reader finds: blocks that an empty line separates, tables, pages and notes."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.notes: list[Note] = []
        self._name, self._limits = name, limits
        self._parts: list[str] = []
        self._length = 0
        self._structured_cells = self._hidden = 0
        self._tables: list[Table] = []
        self._page_starts: list[int] = []

    def add_block(self, text: str) -> None:
        """Add a paragraph, or Markdown with several blocks."""
        if text := text.replace(SOFT_HYPHEN, "").strip("\n"):
            self._separate()
            self._add(text)

    def add_page(self) -> None:
        """Begin a page."""
        self._separate()
        self._page_starts.append(self._length)

    def add_table(self, cells: Sequence[GridCell], caption: str = "") -> None:
        """Add a table: a line for each row; a cell that spans several rows or columns is in each of them."""
        cells = [replace(cell, text=_one_line(cell.text)) for cell in cells]
        if not any(cell.text for cell in cells):
            return
        height = max(cell.row for cell in cells) + 1
        width = max(cell.column + cell.column_span for cell in cells)
        self._check_size(cells, height, width)
        rows: list[dict[int, GridCell]] = [{} for _ in range(height)]
        for cell in mark_header(cells):
            for row in rows[cell.row : cell.row + cell.row_span]:
                for column in range(cell.column, cell.column + cell.column_span):
                    row.setdefault(column, cell)
        if caption:
            self.add_block(caption)
        self._separate()
        start, spans = self._length, list[Cell]()
        for number, row in enumerate(rows):
            self._add_row(number, row, width, spans)
            if number == 0:
                self._add("\n|" + " --- |" * width)
            if number + 1 < height:
                self._add("\n")
        self._structured_cells += len(spans)
        self._tables.append(Table(start, self._length, tuple(spans), caption))

    def add_content(self, content: Content) -> None:
        """Add what another reader found in a part of the file."""
        if content.text.strip():
            self._separate()
            shift = self._length
            self._add(content.text)
            for table in content.tables:
                if self._structured_cells + len(table.cells) <= _STRUCTURED_CELLS:
                    self._structured_cells += len(table.cells)
                    self._tables.append(_shifted(table, shift))
        for note in content.notes:
            if note.kind == NoteKind.HIDDEN_TEXT:
                self.note_hidden(note.count)
            else:
                self.notes.append(note)

    def note_hidden(self, count: int) -> None:
        """Add to the number of pieces of text that nobody can see."""
        self._hidden += count

    def limited(self, cells: Iterable[GridCell]) -> Iterator[GridCell]:
        """Yield the cells until their text is too long; a file can repeat one cell very often."""
        length = 0
        for cell in cells:
            length += len(cell.text) + _FIELD_CHARACTERS
            if length > self._limits.characters:
                raise self._too_long()
            yield cell

    def content(self) -> Content:
        """Return everything that was added."""
        ends = [*self._page_starts[1:], self._length]
        pages = tuple(
            Page(number, start, end)
            for number, (start, end) in enumerate(zip(self._page_starts, ends, strict=False), 1)
        )
        hidden = [Note(NoteKind.HIDDEN_TEXT, self._hidden)] if self._hidden else []
        return Content("".join(self._parts), pages, tuple(self._tables), (*self.notes, *hidden))

    def _check_size(self, cells: Sequence[GridCell], height: int, width: int) -> None:
        """Raise `DocumentError` for a table that takes much time before its text is too long."""
        if width > MAX_COLUMNS:
            raise DocumentError(
                f"“{self._name}” has a table with more than {MAX_COLUMNS:,} columns.", "Split it into smaller tables."
            )
        fields = max(height * width, sum(cell.row_span * cell.column_span for cell in cells))
        if fields * _FIELD_CHARACTERS > self._limits.characters:
            raise self._too_long()

    def _add_row(self, number: int, row: dict[int, GridCell], width: int, spans: list[Cell]) -> None:
        self._add("|")
        for column in range(width):
            cell = row.get(column)
            text = cell.text.replace("|", "\\|") if cell else ""
            start = self._length + 1
            self._add(f" {text} |")
            is_first = cell is not None and (cell.row, cell.column) == (number, column)
            if cell and is_first and self._structured_cells + len(spans) < _STRUCTURED_CELLS:
                spans.append(
                    Cell(number, column, start, start + len(text), cell.row_span, cell.column_span, cell.header)
                )

    def _separate(self) -> None:
        if self._length:
            self._add("\n\n")

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        # Checked for each cell: one that spans many rows and columns repeats, so a small file can grow without bound.
        if self._length > self._limits.characters:
            raise self._too_long()

    def _too_long(self) -> DocumentError:
        return DocumentError(
            f"“{self._name}” has more than {self._limits.characters:,} characters, the limit for one file.",
            "Split it into smaller files.",
        )


def _shifted(table: Table, shift: int) -> Table:
    cells = [replace(cell, start=cell.start + shift, end=cell.end + shift) for cell in table.cells]
    return replace(table, start=table.start + shift, end=table.end + shift, cells=tuple(cells))


def mark_header(cells: Iterable[GridCell]) -> list[GridCell]:
    """Return the cells; if none is a header, those of the first row become headers if they name columns.

    Names are years, and texts that don't start with a figure. The row below a header that spans columns belongs to the
    header, too.
    """
    cells = list(cells)
    if any(cell.header for cell in cells) or not any(cell.row for cell in cells):
        return cells
    first = [cell for cell in cells if cell.row == 0]
    rows = max((cell.row_span for cell in first), default=1)
    if rows == 1 and any(cell.column_span > 1 for cell in first):
        rows = 2
    header = [cell for cell in cells if cell.row < rows and cell.text]
    if max(cell.row for cell in cells) < rows or not all(_NAME.match(cell.text) for cell in header):
        return cells
    return [replace(cell, header=True) if cell.row < rows else cell for cell in cells]


def _one_line(text: str) -> str:
    return " ".join(text.replace(SOFT_HYPHEN, "").split())
