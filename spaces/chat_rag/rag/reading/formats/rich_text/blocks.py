"""Paragraphs and tables of an RTF text; the cells of its rows end at positions on the page."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rag.reading.markdown.cells import GridCell

_SAME_EDGE = 60  # twips, a twentieth of a point each


@dataclass(frozen=True, slots=True)
class CellDefinition:
    """Where a cell ends, and whether it is one with the cell to its left or above it."""

    right: int = 0
    joins_left: bool = False
    joins_above: bool = False


class Row(NamedTuple):
    """The texts of a row and the definitions of its cells; one of them can be longer."""

    cells: list[str]
    definitions: list[CellDefinition]
    is_header: bool


@dataclass(slots=True)
class Story:
    """A text of its own, such as the main one or a page header."""

    parts: list[str] = field(default_factory=list)
    level: int = 0
    in_table: bool = False
    lines: list[str] = field(default_factory=list)  # of a cell that hasn't ended
    cells: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    blocks: list[str | list[Row]] = field(default_factory=list)

    def end_paragraph(self) -> None:
        text = self._take_text()
        if self.in_table:
            self.lines.append(text)
            return
        self.end_table()
        if text:
            self.blocks.append(f"{'#' * self.level} {' '.join(text.split())}" if self.level else text)

    def end_cell(self) -> None:
        self.cells.append("\n".join([*self.lines, self._take_text()]).strip())
        self.lines = []

    def end_row(self, definitions: list[CellDefinition], is_header: bool) -> None:
        self.rows.append(Row(self.cells, definitions, is_header))
        self.cells = []

    def end_table(self) -> None:
        if self.rows:
            self.blocks.append(self.rows)
            self.rows = []
        # Paragraphs that a row without an end has.
        self.blocks += filter(None, self.lines)
        self.lines = []

    def end(self) -> None:
        self.in_table = False
        self.end_paragraph()
        self.end_table()
        self.blocks += filter(None, self.cells)  # of a row without an end

    def _take_text(self) -> str:
        """Return the text of the paragraph; two characters that are halves of one become it."""
        text = "".join(self.parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
        self.parts = []
        return text


def table_cells(rows: list[Row]) -> list[GridCell]:
    """Return the cells of a table, with their spans."""
    edges = _edges(rows)
    grid: list[dict[int, GridCell]] = []
    for number, row in enumerate(rows):
        found: dict[int, GridCell] = {}
        column, last = 0, 0
        for index, text in enumerate(row.cells):
            definition = row.definitions[index] if index < len(row.definitions) else CellDefinition()
            end = max(bisect_left(edges, definition.right - _SAME_EDGE) + 1 if definition.right else 0, column + 1)
            above = grid[-1].get(column) if grid else None
            if definition.joins_left and found:
                found[last] = replace(found[last], column_span=end - found[last].column)
            elif definition.joins_above and above:
                found[column] = replace(above, row_span=number + 1 - above.row)
                last = column
            else:
                found[column] = GridCell(number, column, text, 1, end - column, row.is_header)
                last = column
            column = end
        grid.append(found)
    cells = {(cell.row, cell.column): cell for found in grid for cell in found.values()}
    return list(cells.values())


def _edges(rows: list[Row]) -> list[int]:
    """Return where columns end; edges that are close to each other are one."""
    edges: list[int] = []
    for edge in sorted({definition.right for row in rows for definition in row.definitions if definition.right > 0}):
        if not edges or edge - edges[-1] > _SAME_EDGE:
            edges.append(edge)
    return edges
