"""Merges the columns of a table in a PDF page that are one column, unevenly aligned."""

from __future__ import annotations

from collections.abc import Sequence

from rag.reading.layout.lines import Line
from rag.reading.layout.segments import Segment
from rag.reading.layout.tables.cells import OVERLAP, Column, overlap

_NEAR = 1.5  # in units of the height of a line
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
