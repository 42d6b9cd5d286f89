"""Tables of a Markdown text, with the exact span of each cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.documents import Cell, Table

# Lines in a row that have bars, with or without the frame around them.
_BLOCK = re.compile(r"^(?:[^|\n]*\|[^\n]*(?:\n|\Z)){2,}", re.MULTILINE)
_RULE = re.compile(r"[|: \t-]++")  # the line below the header of a table with a frame
_BAR = re.compile(r"(?<!\\)\|")
_LINE = re.compile(r"[^\n]+")
_QUOTE = re.compile(r"[ \t]{0,99}+(?:>[ \t]{0,99}+)+")  # before each line of a quotation
Span = tuple[int, int]


def find_markdown_tables(text: str) -> tuple[Table, ...]:
    """Return the tables: lines with bars below each other, with as many cells in the second line as in the first."""
    tables = []
    for block in _BLOCK.finditer(text):
        lines = [_line_span(text, line) for line in _LINE.finditer(text, block.start(), block.end())]
        rows = [list(_cell_spans(text, *line)) for line in lines]
        rule = text[slice(*lines[1])]
        has_rule = "-" in rule and bool(_RULE.fullmatch(rule))
        if len(rows[0]) == len(rows[1]) > 1:
            del rows[1 : 1 + has_rule]
            tables.append(Table(lines[0][0], lines[-1][1], tuple(_cells(rows, has_rule))))
    return tuple(tables)


def _line_span(text: str, line: re.Match[str]) -> Span:
    quote = _QUOTE.match(text, line.start(), line.end())
    return quote.end() if quote else line.start(), line.end()


def _cell_spans(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the span of each cell of a line, without the white space around it; an empty cell has an empty span."""
    line = text[start:end]
    frame_start, frame_end = len(line) - len(line.lstrip()), len(line.rstrip())
    bars = [bar.start() for bar in _BAR.finditer(line)]
    edges = [-1 if not bars or bars[0] > frame_start else bars.pop(0), *bars]
    if not bars or bars[-1] != frame_end - 1:
        edges.append(len(line))
    for left, right in pairwise(edges):
        cell = line[left + 1 : right]
        first = start + left + 1 + len(cell) - len(cell.lstrip())
        yield first, max(first, start + left + 1 + len(cell.rstrip()))


def _cells(rows: Sequence[Sequence[Span]], has_rule: bool) -> Iterator[Cell]:
    for row, spans in enumerate(rows):
        for column, (start, end) in enumerate(spans):
            if end > start:
                yield Cell(row, column, start, end, header=has_rule and row == 0)
