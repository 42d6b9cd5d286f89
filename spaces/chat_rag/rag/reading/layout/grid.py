"""The columns of a table in a PDF page, and the cells of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rag.reading.layout.cells import OVERLAP, Column, Grid, GridCell, overlap, touched_columns
from rag.reading.layout.headers import header_cells, header_line_count
from rag.reading.layout.lines import Line, is_figure
from rag.reading.layout.regions import header_above
from rag.reading.layout.rows import group_rows
from rag.reading.layout.segments import Segment, split_segment
from rag.reading.layout.words import Words

_WIDE_SPACE = 0.32  # of the height: more than a space between the words of a header, which can span columns


def make_grid(lines: Sequence[Line], least: int, first: int, end: int, words: Words | None) -> tuple[Grid, int] | None:
    """Return the table in the lines from `first` to `end`, and its first line, or None if they have no columns.

    Headers of a single cell, which make no row of their own, can be above it, from the line `least` on.
    """
    region = lines[first:end]
    headers = header_line_count(region)
    rows = [line for line in region[headers:] if len(line.segments) > 1]
    rows = rows or [line for line in region if len(line.segments) > 1]
    if sum(1 for line in region if len(line.segments) > 1) < 2:
        return None
    columns = find_columns(rows, region[:headers], min(line.segments[1].left for line in rows))
    if len(columns) < 2:
        return None
    body = [_split_line(line, columns, words) for line in region[headers:]]
    if _is_ragged(body, columns):
        return None
    figures_left = _figures_left(rows, columns)
    top = header_above(lines, least, first, figures_left, columns[-1].right) if figures_left else first
    header = [_split_line(line, columns, words, _WIDE_SPACE) for line in lines[top : first + headers]]
    count = header_line_count([*header, *body], min(columns[1].left, columns[0].right)) if top < first else headers
    cells, header_rows = header_cells(header[:count], columns)
    groups = group_rows([*header[count:], *body], columns[1].left)
    for row, group in enumerate(groups, header_rows):
        cells += _row_cells(row, group, columns)
    return Grid(columns, cells, header_rows + len(groups)), top


def _figures_left(rows: Sequence[Line], columns: Sequence[Column]) -> float | None:
    """Return the left edge of the first column, behind the labels, that has mostly figures."""
    for column in columns[1:]:
        cells = [segment for line in rows for segment in line.segments if overlap(segment, column) > OVERLAP]
        if 2 * sum(1 for cell in cells if is_figure(cell.text)) > len(cells):
            return column.left
    return None


def find_columns(rows: Sequence[Line], header: Sequence[Line], label_edge: float) -> list[Column]:
    """Return the columns of some rows; the first one has their labels.

    Narrow cells make the columns. What covers several of them spans them.
    """
    labels = [line.segments[0] for line in rows if line.segments[0].left < label_edge - OVERLAP]
    label_set = set(map(id, labels))
    cells = sorted(
        (segment for line in rows for segment in line.segments if id(segment) not in label_set),
        key=lambda segment: segment.right - segment.left,
    )
    columns: list[Column] = []
    for cell in cells:
        touched = [column for column in columns if overlap(cell, column) > OVERLAP / 2]
        if not touched:
            columns.append(Column(cell.left, cell.right))
        elif len(touched) == 1:
            touched[0].left, touched[0].right = min(cell.left, touched[0].left), max(cell.right, touched[0].right)
    columns.sort(key=lambda column: column.left)
    columns = _merge_columns(columns, [*rows, *header])
    if labels:
        right = min(max(label.right for label in labels), columns[0].left if columns else label_edge)
        columns.insert(0, Column(min(label.left for label in labels), right))
    return columns


def _merge_columns(columns: list[Column], lines: Sequence[Line]) -> list[Column]:
    """Merge neighbours that never have a cell in the same line and are close: they are one column, unevenly aligned."""
    merged: list[Column] = []
    for column in columns:
        if (
            merged
            and column.left - merged[-1].right < 1.5 * lines[0].size
            and not _occur_together(merged[-1], column, lines)
        ):
            merged[-1].right = max(merged[-1].right, column.right)
        else:
            merged.append(column)
    return merged


def _occur_together(left: Column, right: Column, lines: Sequence[Line]) -> bool:
    for line in lines:
        in_left = {id(segment) for segment in line.segments if overlap(segment, left) > OVERLAP}
        in_right = {id(segment) for segment in line.segments if overlap(segment, right) > OVERLAP}
        if in_left - in_right and in_right - in_left:
            return True
    return False


def _split_line(line: Line, columns: Sequence[Column], words: Words | None, least: float = 0.0) -> Line:
    """Split segments that cover several columns, whose words were closer than the space between columns elsewhere.

    `least` is the width of a space at which they are split, in units of the line's height.
    """
    if words is None or not any(len(touched_columns(segment, columns)) > 1 for segment in line.segments):
        return line
    segments: list[Segment] = []
    for segment in line.segments:
        touched = [columns[index] for index in touched_columns(segment, columns)]
        is_wide = len(touched) > 1
        segments += split_segment(segment, words, touched, least * segment.size) if is_wide else [segment]
    return Line(segments)


def _is_ragged(lines: Sequence[Line], columns: Sequence[Column]) -> bool:
    """Return whether many cells cover several columns, so that the lines are no table."""
    cells = [segment for line in lines if len(line.segments) > 1 for segment in line.segments]
    wide = sum(1 for cell in cells if len(touched_columns(cell, columns[1:], 2 * OVERLAP)) > 1)
    return wide > 0.3 * len(cells)


def _row_cells(row: int, group: Sequence[Line], columns: Sequence[Column]) -> list[GridCell]:
    """Return the cells of a row whose cells may have several lines."""
    cells: dict[int, GridCell] = {}
    for line in group:
        for segment in line.segments:
            first, span = column_of(segment, columns)
            if first in cells:
                cells[first].segments.append(segment)
                cells[first].column_span = max(span, cells[first].column_span)
            else:
                cells[first] = GridCell(row, first, [segment], span)
    ordered = [cells[column] for column in sorted(cells)]
    for cell, following in pairwise(ordered):
        cell.column_span = min(cell.column_span, following.column - cell.column)
    return ordered


def column_of(segment: Segment, columns: Sequence[Column]) -> tuple[int, int]:
    """Return the column of a cell and how many it spans."""
    touched = touched_columns(segment, columns)
    if not touched:
        distances = [abs(segment.left + segment.right - column.left - column.right) for column in columns]
        return distances.index(min(distances)), 1
    if touched[0] == 0:
        return 0, 1
    if len(touched) > 1 and is_figure(segment.text):
        return max(touched, key=lambda index: overlap(segment, columns[index])), 1
    return touched[0], len(touched)
