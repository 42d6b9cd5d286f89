"""Writes text and tables as Markdown, and keeps the span of each cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rag.documents import Cell, Content, Limits, Note, NoteKind, Page, Table
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.formats.text.decode import SOFT_HYPHEN
from rag.reading.markdown.cells import INNER, GridCell
from rag.reading.markdown.header_rows import mark_header

# Cells whose structure is kept, for all tables of a file. A cell takes about 100 bytes in a reader's answer, which is
# limited; the rows after these are text only.
_STRUCTURED_CELLS = 200_000
MAX_COLUMNS = 16_384  # as many as a sheet of Excel
_FIELD_CHARACTERS = 3  # the least that a field takes


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
        cells = list(map(_tidy_cell, cells))
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
        start, spans, inner = self._length, list[Cell](), list[Table]()
        for number, row in enumerate(rows):
            self._add_row(number, row, width, spans, inner)
            if number == 0:
                self._add("\n|" + " --- |" * width)
            if number + 1 < height:
                self._add("\n")
        self._structured_cells += len(spans)
        self._tables += [Table(start, self._length, tuple(spans), caption), *inner]

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

    def _add_row(
        self, number: int, row: dict[int, GridCell], width: int, spans: list[Cell], inner: list[Table]
    ) -> None:
        self._add("|")
        for column in range(width):
            cell = row.get(column)
            start = self._length + 1
            is_first = cell is not None and (cell.row, cell.column) == (number, column)
            self._add(" ")
            if cell:
                self._add_cell(cell, inner if is_first else [])
            if cell and is_first and self._structured_cells + len(spans) < _STRUCTURED_CELLS:
                spans.append(Cell(number, column, start, self._length, cell.row_span, cell.column_span, cell.header))
            self._add(" |")

    def _add_cell(self, cell: GridCell, inner: list[Table]) -> None:
        """Add the text of a cell, with the tables inside of it as a list of their rows."""
        for number, text in enumerate(cell.text.replace("|", "\\|").split(INNER)):
            if 0 < number <= len(cell.inner):
                self._add_inner(mark_header(cell.inner[number - 1]), inner)
            self._add(text)

    def _add_inner(self, cells: Sequence[GridCell], inner: list[Table]) -> None:
        start, spans, row = self._length, list[Cell](), None
        for cell in sorted(cells, key=lambda cell: (cell.row, cell.column)):
            if cell.text:
                self._add("" if row is None else ", " if cell.row == row else "; ")
                row, first = cell.row, self._length
                self._add_cell(cell, inner)
                spans.append(
                    Cell(cell.row, cell.column, first, self._length, cell.row_span, cell.column_span, cell.header)
                )
        if spans and self._structured_cells + len(spans) < _STRUCTURED_CELLS:
            self._structured_cells += len(spans)
            inner.append(Table(start, self._length, tuple(spans)))

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
        return FileError(FileProblem.MORE_CHARACTERS, name=self._name, limit=self._limits.characters)


def _shifted(table: Table, shift: int) -> Table:
    cells = [replace(cell, start=cell.start + shift, end=cell.end + shift) for cell in table.cells]
    return replace(table, start=table.start + shift, end=table.end + shift, cells=tuple(cells))


def _tidy_cell(cell: GridCell) -> GridCell:
    inner = tuple(list(map(_tidy_cell, cells)) for cells in cell.inner)
    return replace(cell, text=_one_line(cell.text), inner=inner)


def _one_line(text: str) -> str:
    return " ".join(text.replace(SOFT_HYPHEN, "").split())
