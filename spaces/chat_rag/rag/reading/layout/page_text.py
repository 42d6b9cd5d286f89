"""Writes the layout of a PDF page as text, with the spans of its tables' cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.documents import RecognizedLine
from rag.reading.layout.page import PageLayout
from rag.reading.layout.tables.cells import Column, Grid, GridCell
from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment
from rag.reading.layout.text_lines.words import HYPHEN

HYPHENS = ("\x02", HYPHEN, "-", "‐", "\u00ad")
_BAR, _BLANK = " | ", " |"
LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_CONTROLS = dict.fromkeys([*range(1, 9), 11, 12, *range(14, 32), 127, 0xAD])
# A letter whose font doesn't say which one it is has the code 0; a mark shows that something is there.
REPLACEMENT = "\ufffd"
# Bullets and marks of the fonts Symbol and Wingdings, which have their places among characters for private use.
_SYMBOLS = {0xF0B7: "•", 0xF0A7: "▪", 0xF0A8: "□", 0xF0D8: "➢", 0xF0FC: "✓", 0xF076: "❖"}
_CLEAN = LIGATURES | _CONTROLS | _SYMBOLS | {0: REPLACEMENT, 10: " ", 13: " ", 9: " ", 0xA0: " "}
_UNCLEAN = re.compile(f"[{re.escape(''.join(map(chr, _CLEAN)))}]")


@dataclass(slots=True)
class TableText:
    """A table with spans in its page's text, and where its columns are; its cells are in the order of their rows."""

    start: int
    end: int
    cells: list[GridCell]
    caption: str
    columns: Sequence[Column]
    header_rows: int
    is_last: bool  # nothing but the foot of the page follows
    is_first: bool


@dataclass(slots=True)
class PageText:
    """The text of a page; `HYPHEN` stands for a hyphen at a line end. `body` is the span without head and foot.

    `comments` is the span of its comments at the end of the body; no word or table of the page goes on in them.
    `spans` are those of the segments, and `recognized` are the lines of a picture.
    """

    text: str = ""
    tables: list[TableText] = field(default_factory=list)
    body: tuple[int, int] = (0, 0)
    segments: list[Segment] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    recognized: list[RecognizedLine] = field(default_factory=list)
    comments: tuple[int, int] = (0, 0)

    @property
    def has_only_comments(self) -> bool:
        """Whether nothing but comments, or nothing at all, is on the page."""
        start, end = self.comments
        return end - start == len(self.text)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.segments: list[Segment] = []
        self.spans: list[tuple[int, int]] = []

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)

    def add_segment(self, segment: Segment) -> tuple[int, int]:
        """Write a line; return its span."""
        text = clean_text(segment.text)
        start = self.length
        self.length = end = start + len(text)
        self.parts.append(text)
        self.segments.append(segment)
        self.spans.append((start, end))
        return start, end

    def add_segments(self, segments: Sequence[Segment]) -> tuple[int, int]:
        """Write the lines of a cell, with a space between them; return the span."""
        start, end = self.add_segment(segments[0])
        for segment in segments[1:]:
            if is_broken(self.parts[-1], segment.text):
                self.parts[-1] = self.parts[-1][:-1] + HYPHEN
            else:
                self.add(" ")
            _, end = self.add_segment(segment)
        return start, end


def clean_text(text: str) -> str:
    """Return a text without ligatures and control characters, and with one space between its words."""
    if text.isascii() and text.isprintable():  # most texts are, and need no table
        return text if text.isalnum() else " ".join(text.split())
    return " ".join((text.translate(_CLEAN) if _UNCLEAN.search(text) else text).split())


def is_broken(text: str, following: str) -> bool:
    """Return whether a line ends in a hyphen after a letter or digit, and the next one goes on with one."""
    return text.endswith(HYPHENS) and text[-2:-1].isalnum() and following.strip()[:1].isalnum()


def write_page(layout: PageLayout) -> PageText:
    """Return the text of a page: a line for each line and each row of a table, with bars between its cells."""
    writer, page = _Writer(), PageText()
    _write_lines(writer, layout.head)
    start = writer.length
    for number, block in enumerate(layout.blocks):
        if isinstance(block, Grid):
            edges = number == len(layout.blocks) - 1, number == 0
            page.tables.append(TableText(*_write_grid(writer, block), block.columns, block.header_rows, *edges))
            writer.add("\n")
        else:
            following = layout.blocks[number + 1] if number + 1 < len(layout.blocks) else None
            _write_line(writer, block, following if isinstance(following, Line) else None)
    comments = writer.length
    _write_lines(writer, layout.comments)
    end = writer.length
    _write_lines(writer, layout.foot)
    page.text, page.segments, page.spans = "".join(writer.parts).rstrip("\n"), writer.segments, writer.spans
    start, comments, end = (min(position, len(page.text)) for position in (start, comments, end))
    page.body, page.comments = (start, end), (comments, end)
    return page


def _write_lines(writer: _Writer, lines: Sequence[Line]) -> None:
    for line in lines:
        _write_line(writer, line, None)


def _write_line(writer: _Writer, line: Line, following: Line | None) -> None:
    """Write a line and a line end, unless a word goes on in the next line."""
    *first, last = line.segments
    for segment in first:
        writer.add_segment(segment)
        writer.add(" ")
    start, end = writer.add_segment(last)
    text = writer.parts[-1]
    if following and end > start and is_broken(text, following.segments[0].text):
        writer.parts[-1] = text[:-1] + HYPHEN
    elif end > start or any(segment.text.strip() for segment in line.segments):
        writer.add("\n")


def _write_grid(writer: _Writer, grid: Grid) -> tuple[int, int, list[GridCell], str]:
    """Write a table; return its span, its cells by row, and its caption."""
    start = writer.length
    cells: list[GridCell] = []
    rows: list[list[GridCell]] = [[] for _ in range(grid.row_count)]
    for cell in grid.cells:
        rows[cell.row].append(cell)
    for number, row in enumerate(rows):
        if number:
            writer.add("\n")
        _write_row(writer, row, len(grid.columns))
        cells += row
    caption = " ".join(line.text.translate(_CLEAN).strip() for line in grid.caption).replace(HYPHEN, "-")
    return start, writer.length, cells, caption


def _write_row(writer: _Writer, row: Sequence[GridCell], columns: int) -> None:
    """Write the cells of a row, from left to right.

    A blank cell and the places that a cell spans are empty between their bars.
    """
    if not row or (row[-1].column == 0 and row[-1].column_span != columns):
        columns = 1  # the title of a section
    start, written = writer.length, 0
    for cell in row:
        if cell.column:
            _write_bars(writer, start, _BLANK * (cell.column - max(written, 1)) + _BAR)
        cell.start, cell.end = writer.add_segments(cell.segments)
        written = cell.column + 1
    if written < columns:
        _write_bars(writer, start, _BLANK * (columns - max(written, 1)))


def _write_bars(writer: _Writer, row_start: int, bars: str) -> None:
    writer.add(bars if writer.length > row_start else bars[1:])
