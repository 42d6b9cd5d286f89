"""Puts the pages of a PDF together: words and tables that go on from one page to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile

from rag.documents import Cell, Content, Note, Page, RecognizedLine, Span, Table
from rag.reading.formats.pdf.hyphens import HYPHEN, resolve_hyphens, unmoved
from rag.reading.formats.pdf.ligatures import repair_ligatures
from rag.reading.layout.page_text import HYPHENS, PageText, TableText
from rag.reading.layout.tables.cells import Column
from rag.reading.layout.text_lines.lines import is_figure

PAGE_SEPARATOR = "\n\n"
_SAME_COLUMN = 6.0  # points by which the edges of a table's columns differ between two pages


@dataclass(slots=True)
class _PlacedTable:
    """A table of the document, and the columns of its last part."""

    table: Table
    columns: Sequence[Column]
    header_rows: int


def join_broken_words(pages: Sequence[PageText]) -> list[PageText]:
    """Move the end of a word that a page break interrupts to the first page."""
    joined = list(pages)
    for index in range(len(joined) - 1):
        first, second = joined[index], joined[index + 1]
        end, start = first.comments[0], second.body[0]
        body = first.text[first.body[0] : end].rstrip("\n")
        rest = second.text[start : second.comments[0]]
        if not (body.endswith(HYPHENS) and body[-2:-1].isalpha() and rest[:1].islower()) or _in_table(second, start):
            continue
        word = rest.split(maxsplit=1)[0]
        cut = first.body[0] + len(body)
        joined[index] = with_text(first, cut - 1, cut, HYPHEN + word)
        joined[index + 1] = with_text(second, start, start + len(rest) - len(rest[len(word) :].lstrip()), "")
    return joined


def _in_table(page: PageText, position: int) -> bool:
    return any(table.start <= position < table.end for table in page.tables)


def with_text(page: PageText, start: int, end: int, text: str) -> PageText:
    """Return the page with another text between two positions outside of its tables."""
    change = len(text) - (end - start)

    def move(position: int) -> int:
        return position + change if position >= end else position

    tables = [_move_table(table, move) for table in page.tables]
    body, comments = (page.body[0], move(page.body[1])), (move(page.comments[0]), move(page.comments[1]))
    recognized = [_move_line(line, move) for line in page.recognized]
    changed = page.text[:start] + text + page.text[end:]
    return PageText(changed, tables, body, recognized=recognized, comments=comments)


def assemble(pages: Sequence[PageText], notes: tuple[Note, ...]) -> Content:
    """Return the text of all pages with the spans of its pages, tables, heads and feet."""
    texts, moves = resolve_hyphens([page.text for page in pages])
    texts = repair_ligatures(texts)
    text = PAGE_SEPARATOR.join(texts)
    spans: list[Page] = []
    furniture: list[Span] = []
    tables: list[Table] = []
    recognized: list[RecognizedLine] = []
    open_table: _PlacedTable | None = None  # at the end of the page before
    start = 0
    for number, (page, page_text, moved) in enumerate(zip(pages, texts, moves, strict=True), 1):
        end = start + len(page_text)
        spans.append(Page(number, start, end))
        body = start + moved(page.body[0]), start + moved(page.body[1])
        furniture += [(first, last) for first, last in ((start, body[0]), (body[1], end)) if text[first:last].strip()]
        recognized += [_move_line(line, partial(_place, start, moved)) for line in page.recognized]
        for part in page.tables:
            placed = _PlacedTable(_place_table(part, start, moved), part.columns, part.header_rows)
            joined = open_table and part.is_first and continue_table(open_table, placed, text)
            if joined:
                tables[-1] = joined.table
            else:
                tables.append(placed.table)
            open_table = joined or placed
        if not (page.tables and page.tables[-1].is_last):
            open_table = None
        start = end + len(PAGE_SEPARATOR)
    return Content(text, tuple(spans), tuple(tables), notes, tuple(furniture), tuple(recognized))


def _place(start: int, moved: Callable[[int], int], position: int) -> int:
    return start + moved(position)


def _move_table(part: TableText, move: Callable[[int], int]) -> TableText:
    cells = [replace(cell, start=move(cell.start), end=move(cell.end)) for cell in part.cells]
    return replace(part, start=move(part.start), end=move(part.end), cells=cells)


def _place_table(part: TableText, start: int, moved: Callable[[int], int]) -> Table:
    """Return a table of a page that begins at `start`; most pages have no hyphens that move their text."""
    if moved is not unmoved:
        part = _move_table(part, moved)
    cells = tuple(
        Cell(cell.row, cell.column, cell.start + start, cell.end + start, cell.row_span, cell.column_span, cell.header)
        for cell in part.cells
    )
    return Table(part.start + start, part.end + start, cells, part.caption)


def _move_line(line: RecognizedLine, move: Callable[[int], int]) -> RecognizedLine:
    return replace(line, start=move(line.start), end=move(line.end))


def continue_table(first: _PlacedTable, second: _PlacedTable, text: str) -> _PlacedTable | None:
    """Return the two parts of a table as one if it goes on at the top of the next page; it has one header."""
    if len(first.columns) != len(second.columns):
        return None
    if any(_distance(one, other) > _SAME_COLUMN for one, other in zip(first.columns, second.columns, strict=True)):
        return None
    skipped = second.header_rows
    if _header_texts(second, text) != _header_texts(first, text) and skipped:
        body = [text[cell.start : cell.end] for cell in second.table.cells if not cell.header]
        if any(map(is_figure, body)) or second.table.caption:
            return None  # a table of its own
        skipped = 0  # its first row looks like a header, as in any table of words
    shift = 1 + first.table.cells[-1].row - skipped  # cells are in the order of their rows
    cells = [
        Cell(
            cell.row + shift,
            cell.column,
            cell.start,
            cell.end,
            cell.row_span,
            cell.column_span,
            cell.header and first.header_rows == 0,
        )
        for cell in second.table.cells
        if cell.row >= skipped
    ]
    table = replace(first.table, end=second.table.end, cells=(*first.table.cells, *cells))
    return _PlacedTable(table, second.columns, first.header_rows)


def _header_texts(part: _PlacedTable, text: str) -> list[tuple[int, int, str]]:
    """Return the cells of the header; a table over many pages has many other cells."""
    top = takewhile(lambda cell: cell.row < part.header_rows, part.table.cells)
    return [(cell.row, cell.column, text[cell.start : cell.end]) for cell in top if cell.header]


def _distance(one: Column, other: Column) -> float:
    """Return how far apart two columns are at the edge, or the middle, at which they are aligned."""
    edges = one.left - other.left, one.right - other.right, one.center - other.center
    return min(map(abs, edges))
