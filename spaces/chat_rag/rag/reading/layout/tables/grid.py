"""The columns of a table in a PDF page, and the cells of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rag.reading.layout.tables.aligned_words import aligned_starts, split_at
from rag.reading.layout.tables.cells import OVERLAP, Column, ColumnEdges, Grid, GridCell, overlap
from rag.reading.layout.tables.headers import header_cells, header_line_count
from rag.reading.layout.tables.merged_columns import WIDE_SPACE, merge_columns, merge_crossed
from rag.reading.layout.tables.regions import header_above
from rag.reading.layout.tables.rows import group_rows
from rag.reading.layout.text_lines.lines import Line, goes_on_below, is_figure
from rag.reading.layout.text_lines.segments import Segment, split_segment
from rag.reading.layout.text_lines.words import Words

_HEADER_GAP = 2.5  # the most between a header and its first row, in units of the height of a line


def make_grid(lines: Sequence[Line], least: int, first: int, end: int, words: Words | None) -> tuple[Grid, int] | None:
    """Return the table in the lines from `first` to `end`, and its first line, or None if they have no columns.

    Headers of a single cell, which make no row of their own, can be above it, from the line `least` on.
    """
    region = lines[first:end]
    headers = header_line_count(region)
    rows = [line for line in region[headers:] if len(line.segments) > 1]
    rows = rows or [line for line in region if len(line.segments) > 1]
    if starts := aligned_starts(rows, region, words):
        region = [split_at(line, starts, words) for line in region]
        lines = [*lines[:first], *region, *lines[end:]]
        rows = [line for line in region[headers:] if len(line.segments) > 1]
    if sum(1 for line in region if len(line.segments) > 1) < 2:
        return None
    columns = find_columns(rows, region[:headers], min(line.segments[1].left for line in rows))
    columns = merge_crossed(columns, rows, words)
    if len(columns) < 2:
        return None
    edges = ColumnEdges(columns)
    body = [_split_line(line, columns, edges, words) for line in region[headers:]]
    if _is_ragged(body, edges):
        return None
    figures_left = _figures_left(rows, columns, edges)
    top = header_above(lines, least, first, figures_left, columns[-1].right) if figures_left else first
    if top == first > least and not headers and _is_joined_header(lines, first, columns, edges, words):
        top = first - 1
    while top > least and _is_wrapped_header(lines[top - 1], lines[top]):
        top -= 1
    header = [_split_line(line, columns, edges, words, WIDE_SPACE) for line in lines[top : first + headers]]
    count = header_line_count([*header, *body], min(columns[1].left, columns[0].right)) if top < first else headers
    cells, header_rows = header_cells(header[:count], columns)
    groups = group_rows([*header[count:], *body], columns[1].left)
    for row, group in enumerate(groups, header_rows):
        cells += _row_cells(row, group, columns, edges)
    return Grid(columns, cells, header_rows + len(groups)), top


def _is_wrapped_header(upper: Line, lower: Line) -> bool:
    """Return whether a line above the first row is a part of its cells: it goes on there, and isn't a title.

    A title is drawn before the row, and such a line after the row's label.
    """
    label = lower.segments[0]
    return all(cell.order > label.order for cell in upper.segments) and goes_on_below(upper, lower)


def _is_joined_header(
    lines: Sequence[Line], first: int, columns: Sequence[Column], edges: ColumnEdges, words: Words | None
) -> bool:
    """Return whether the line above the first row has a name for each column, which are only a space apart.

    A sentence can have a space in the right place for two columns, hardly for more.
    """
    line, row = lines[first - 1], lines[first]
    if len(columns) < 3 or len(line.segments) > 1 or line.bottom - row.bottom > _HEADER_GAP * max(line.size, row.size):
        return False
    cells = _split_line(line, columns, edges, words, WIDE_SPACE).segments
    places = [edges.touched(cell) for cell in cells]
    if [list(place) for place in places] != [[index] for index in range(len(columns))]:
        return False
    return not any(is_figure(cell.text) for cell in cells)


def _figures_left(rows: Sequence[Line], columns: Sequence[Column], edges: ColumnEdges) -> float | None:
    """Return the left edge of the first column, after the labels, that has mostly figures."""
    surplus = [0] * len(columns)  # of figures over other cells
    for line in rows:
        for segment in line.segments:
            for index in edges.columns_of(segment):
                surplus[index] += 1 if is_figure(segment.text) else -1
    return next((column.left for column, more in zip(columns[1:], surplus[1:], strict=True) if more > 0), None)


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
    edges = ColumnEdges()
    for cell in cells:
        edges.add(cell, OVERLAP / 2)
    columns = merge_columns(list(map(Column, edges.lefts, edges.rights)), [*rows, *header])
    if labels:
        right = min(max(label.right for label in labels), columns[0].left if columns else label_edge)
        columns.insert(0, Column(min(label.left for label in labels), right))
    return columns


def _split_line(
    line: Line, columns: Sequence[Column], edges: ColumnEdges, words: Words | None, least: float = 0.0
) -> Line:
    """Split segments that cover several columns, whose words were closer than the space between columns elsewhere.

    `least` is the width of a space at which they are split, in units of the line's height.
    """
    wide = [segment for segment in line.segments if len(edges.columns_of(segment)) > 1]
    if words is None or not wide:
        return line
    segments: list[Segment] = []
    for segment in line.segments:
        if segment in wide:
            covered = [columns[index] for index in edges.columns_of(segment)]
            segments += split_segment(segment, words, covered, least * segment.size)
        else:
            segments.append(segment)
    return Line(segments)


def _is_ragged(lines: Sequence[Line], edges: ColumnEdges) -> bool:
    """Return whether many cells cover several columns, so that the lines aren't a table."""
    cells = [segment for line in lines if len(line.segments) > 1 for segment in line.segments]
    wide = [cell for cell in cells if len(edges.columns_of(cell)) > 1]  # few are
    wide = [cell for cell in wide if len(edges.touched(cell, 2 * OVERLAP, first=1)) > 1]
    return len(wide) > 0.3 * len(cells)


def _row_cells(row: int, group: Sequence[Line], columns: Sequence[Column], edges: ColumnEdges) -> list[GridCell]:
    """Return the cells of a row whose cells may have several lines."""
    cells: dict[int, GridCell] = {}
    for line in group:
        for segment in line.segments:
            first, span = column_of(segment, columns, edges)
            if first in cells:
                cells[first].segments.append(segment)
                cells[first].column_span = max(span, cells[first].column_span)
            else:
                cells[first] = GridCell(row, first, [segment], span)
    ordered = [cells[column] for column in sorted(cells)]
    for cell, following in pairwise(ordered):
        if cell.column_span > 1:
            cell.column_span = min(cell.column_span, following.column - cell.column)
    return ordered


def column_of(segment: Segment, columns: Sequence[Column], edges: ColumnEdges) -> tuple[int, int]:
    """Return the column of a cell and how many it spans."""
    touched = edges.columns_of(segment)
    if not touched:
        distances = [abs(segment.left + segment.right - column.left - column.right) for column in columns]
        return distances.index(min(distances)), 1
    if touched[0] == 0:
        return 0, 1
    if len(touched) > 1 and is_figure(segment.text):
        return max(touched, key=lambda index: overlap(segment, columns[index])), 1
    return touched[0], len(touched)
