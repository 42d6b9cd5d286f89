"""The parts of a table in a PDF page."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment

OVERLAP = 1.0  # points by which a cell and a column overlap at least


@dataclass(slots=True)
class Column:
    """The horizontal extent of a column."""

    left: float
    right: float

    @property
    def center(self) -> float:
        return (self.left + self.right) / 2


@dataclass(slots=True)
class GridCell:
    """A cell by row and column; its segments are in reading order. `start` and `end` are set when it's written."""

    row: int
    column: int
    segments: list[Segment]
    column_span: int = 1
    row_span: int = 1
    header: bool = False
    start: int = 0
    end: int = 0


@dataclass(slots=True)
class Grid:
    """A table of a page: its columns, and its cells by row and column."""

    columns: list[Column]
    cells: list[GridCell]
    row_count: int
    caption: list[Line] = field(default_factory=list)

    @property
    def header_rows(self) -> int:
        return max((cell.row + cell.row_span for cell in self.cells if cell.header), default=0)


class ColumnEdges:
    """The left and right edges of a table's columns, from left to right, to find those that a cell is in."""

    def __init__(self, columns: Iterable[Column] = ()) -> None:
        self.lefts: list[float] = []
        self.rights: list[float] = []
        self._known: dict[Segment, range] = {}
        for column in columns:
            self.lefts.append(column.left)
            self.rights.append(column.right)

    def touched(self, cell: Segment, least: float = OVERLAP, first: int = 0) -> range:
        """Return the indexes, from `first` on, of the columns that a cell overlaps by more than `least` points."""
        start = bisect_left(self.rights, cell.left + least, first)
        end = bisect_left(self.lefts, cell.right - least, start)
        return range(start, end if end > start else start)

    def columns_of(self, cell: Segment) -> range:
        """Return the indexes of the columns that a cell overlaps, which are found once, when no column is added."""
        found = self._known.get(cell)
        if found is None:
            found = self._known[cell] = self.touched(cell)
        return found

    def add(self, cell: Segment, least: float) -> None:
        """Make a column of a cell that is in none, or widen the only one that it's in."""
        touched = self.touched(cell, least)
        if not touched:
            index = bisect_left(self.lefts, cell.left)
            self.lefts.insert(index, cell.left)
            self.rights.insert(index, cell.right)
        elif len(touched) == 1:
            index = touched[0]
            self.lefts[index] = min(self.lefts[index], cell.left)
            self.rights[index] = max(self.rights[index], cell.right)


def overlap(cell: Segment | Column, column: Column) -> float:
    """Return by how many points two horizontal extents overlap; negative if they don't."""
    return min(cell.right, column.right) - max(cell.left, column.left)
