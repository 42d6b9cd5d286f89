"""The parts of a table in a PDF page."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from rag.reading.layout.lines import Line
from rag.reading.layout.segments import Segment

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
    """A cell by row and column; its segments are in reading order."""

    row: int
    column: int
    segments: list[Segment]
    column_span: int = 1
    row_span: int = 1
    header: bool = False


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


def touched_columns(cell: Segment, columns: Sequence[Column], least: float = OVERLAP) -> range:
    """Return the indexes of the columns, which are sorted, that a cell overlaps by more than `least` points."""
    first = bisect_left(columns, cell.left + least, key=_right_edge)
    end = bisect_left(columns, cell.right - least, lo=first, key=_left_edge)
    return range(first, max(first, end))


_left_edge, _right_edge = attrgetter("left"), attrgetter("right")


def overlap(cell: Segment | Column, column: Column) -> float:
    """Return by how many points two horizontal extents overlap; negative if they don't."""
    return min(cell.right, column.right) - max(cell.left, column.left)
