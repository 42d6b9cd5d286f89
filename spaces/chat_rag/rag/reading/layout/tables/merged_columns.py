"""Merges the columns of a table in a PDF page that are one column, unevenly aligned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from statistics import median

from rag.reading.layout.tables.cells import OVERLAP, Column, ColumnEdges, overlap
from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment, split_segment
from rag.reading.layout.text_lines.words import Words

_NEAR = 1.5  # in units of the height of a line
WIDE_SPACE = 0.32  # of the height: more than a space between words
_WIDER, _WIDEST_SPACE = 1.3, 0.6  # as many times wider than usual; the widest one between words, of the height
_LEAST_ACROSS = 3  # lines
_Placed = tuple[Segment, int]  # a segment and the number of its line


def merge_columns(columns: Sequence[Column], lines: Sequence[Line]) -> list[Column]:
    """Merge neighbours that never have a cell in the same line and are close.

    A sweep from left to right, which looks at each cell only as long as it reaches into the current column: a page can
    have thousands of columns.
    """
    merged: list[Column] = []
    sweep = _Sweep(lines)
    for column in columns:
        is_near = merged and column.left - merged[-1].right < _NEAR * lines[0].size
        occur_together = sweep.move(merged[-1] if merged else None, column)
        if is_near and not occur_together:
            merged[-1].right = max(merged[-1].right, column.right)
            sweep.widen(merged[-1])
        else:
            merged.append(column)
            sweep.start()
    return merged


class _Sweep:
    """The cells that reach into the current column, and the lines that have one only in the column before it."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._cells = [(segment, number) for number, line in enumerate(lines) for segment in line.segments]
        self._cells.sort(key=lambda placed: -placed[0].left)  # the next one is the last
        self._open: list[_Placed] = []
        self._closed: list[_Placed] = []  # since the last move
        self._lines_before: set[int] = set()

    def move(self, previous: Column | None, column: Column) -> bool:
        """Go to the next column; return whether a line has a cell only in it and another only in the previous one."""
        while self._cells and self._cells[-1][0].left < column.right - OVERLAP:
            self._open.append(self._cells.pop())
        self._closed = [placed for placed in self._open if placed[0].right <= column.left + OVERLAP]
        self._open = [placed for placed in self._open if placed[0].right > column.left + OVERLAP]
        if previous is None:
            return False
        self.widen(previous)
        return any(
            number in self._lines_before and overlap(cell, column) > OVERLAP and overlap(cell, previous) <= OVERLAP
            for cell, number in self._open
        )

    def widen(self, previous: Column) -> None:
        """Remember the lines of the cells that end in a column."""
        self._lines_before.update(number for cell, number in self._closed if overlap(cell, previous) > OVERLAP)

    def start(self) -> None:
        """Forget the column before: the current one becomes it."""
        self._lines_before.clear()


def merge_crossed(columns: Sequence[Column], rows: Sequence[Line], words: Words | None) -> list[Column]:
    """Merge neighbours, after the labels, that most lines of text go across with nothing but a space between words."""
    if len(columns) < 3 or words is None:
        return list(columns)
    across, apart = _count_lines(columns, rows, words)
    merged = list(columns[:1])
    for number, column in enumerate(columns[1:]):  # the number of the column before it
        if number and across[number] >= max(_LEAST_ACROSS, 2 * apart[number] + 1):
            merged[-1] = Column(merged[-1].left, max(merged[-1].right, column.right))
        else:
            merged.append(column)
    return merged


def _count_lines(columns: Sequence[Column], rows: Sequence[Line], words: Words) -> tuple[list[int], list[int]]:
    """Count for each column the lines with a cell that is in it and in the next one, and those with a cell in each."""
    edges, wide = ColumnEdges(columns), _wide_space(rows, words)
    changes, apart = [0] * (len(columns) + 1), [0] * (len(columns) + 1)
    for row in rows:
        parts = _parts(row, columns, edges, words, wide)
        places = [place for part in parts if part.left >= columns[0].right and (place := edges.touched(part))]
        for place in places:
            changes[place.start] += 1
            changes[place.stop - 1] -= 1
        for place, following in pairwise(places):
            apart[place.stop - 1] += following.start == place.stop
    return list(accumulate(changes)), apart


def _parts(row: Line, columns: Sequence[Column], edges: ColumnEdges, words: Words, wide: float) -> Iterator[Segment]:
    """Yield the cells of a row, those over several columns split at their wide spaces and without figures."""
    for segment in row.segments:
        covered = [columns[index] for index in edges.touched(segment)]
        if len(covered) < 2:
            yield segment
        else:
            parts = split_segment(segment, words, covered, wide * segment.size)
            yield from (part for part in parts if not any(map(str.isdigit, part.text)))


def _wide_space(rows: Sequence[Line], words: Words) -> float:
    """Return the width from which on a space is wider than one between words, in units of the height of a line."""
    spaces = [
        (right - left) / segment.size
        for row in rows
        for segment in row.segments
        if segment.words
        for left, right in _spaces(words, *segment.words)
    ]
    usual = median(spaces) if spaces else 0.0
    return min(_WIDEST_SPACE, max(WIDE_SPACE, _WIDER * usual))


def _spaces(words: Words, first: int, last: int) -> Iterator[tuple[float, float]]:
    """Yield the right edges of the words of a segment with the left edge of the next one."""
    return zip(words.right[first:last].tolist(), words.left[first + 1 : last + 1].tolist(), strict=True)
