"""The parts of a table in a PDF page."""

from __future__ import annotations

from dataclasses import dataclass, field

from rag.reading.layout.lines import Line
from rag.reading.layout.segments import Segment


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


def overlap(cell: Segment | Column, column: Column) -> float:
    """Return by how many points two horizontal extents overlap; negative if they don't."""
    return min(cell.right, column.right) - max(cell.left, column.left)
