"""The header rows of a table in a PDF page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

from rag.reading.layout.tables.cells import Column, GridCell
from rag.reading.layout.text_lines.lines import OVERLAPPING, Line, belongs_to_row, is_figure, is_next_line
from rag.reading.layout.text_lines.segments import Segment

_MOST_HEADER_LINES = 8
Placed = tuple[int, int, list[Segment]]  # a header cell: first column, span, segments from top to bottom
_CLOSE = 1.8  # the most that two lines of a header cell are apart, in units of their height


def header_line_count(lines: Sequence[Line], label_right: float | None = None) -> int:
    """Return how many lines at the top are headers: words and years, up to the first line with a label."""
    has_figures = any(_has_figure(line) for line in lines)
    data_left = label_right or _data_left(lines)
    is_labeled = False
    for index, line in enumerate(lines[:_MOST_HEADER_LINES]):
        has_label = line.left + line.segments[0].right < 2 * data_left
        if has_label and _is_between_header_lines(lines, index):
            is_labeled = True
            continue
        if _has_figure(line) or (has_label and (is_labeled or len(line.segments) == 1)):
            return index
        if is_labeled and (not has_figures or belongs_to_row(lines, index, data_left)):
            return index
        if has_label and not has_figures and len(line.segments) == 2:
            return index  # in two columns of words, the first row looks as all others do
        is_labeled |= has_label
    return 0


def _is_between_header_lines(lines: Sequence[Line], index: int) -> bool:
    """Return whether a line is a label in the middle of two lines of names: they are closer than lines of text."""
    if not 0 < index < len(lines) - 1 or len(lines[index].segments) > 1:
        return False
    above, line, below = lines[index - 1 : index + 2]
    closest = OVERLAPPING * line.size
    is_between = above.bottom - line.bottom < closest and line.bottom - below.bottom < closest
    return is_between and min(above.left, below.left) > line.right and not _has_figure(below)


def _data_left(lines: Sequence[Line]) -> float:
    """Return where the column of the labels ends: at the first figure, or at the second cell."""
    rows = [line for line in lines if len(line.segments) > 1]
    figures = [segment.left for line in rows for segment in line.segments[1:] if is_figure(segment.text)]
    return min(figures or [line.segments[1].left for line in rows], default=0.0)


def _has_figure(line: Line) -> bool:
    return any(is_figure(segment.text) for segment in line.segments)


def header_cells(lines: Sequence[Line], columns: Sequence[Column]) -> tuple[list[GridCell], int]:
    """Return the header cells and the number of header rows; cells that stand on each other are one cell."""
    placed: list[Placed] = []
    for line in reversed(lines):
        # From right to left: a segment is put before what is in its cell already.
        for segment, first, span in reversed(_place(line, columns, has_row_below=bool(placed))):
            if below := _lower_part(segment, placed):
                below[2].insert(0, segment)
                continue
            same = next(
                (cell for cell in placed if cell[:2] == (first, span) and _stands_on(segment, cell[2][0])), None
            )
            if same and not _is_covered(placed, same):
                same[2].insert(0, segment)
            else:
                placed.append((first, span, [segment]))
    return _stack(placed)


def _lower_part(segment: Segment, placed: Sequence[Placed]) -> Placed | None:
    """Return the cell whose upper line a segment is: drawn right before it, aligned with it, and over nothing else."""
    near = [cell for cell in placed if _stands_on(segment, cell[2][0])]
    under = [cell for cell in near if min(segment.right, cell[2][0].right) > max(segment.left, cell[2][0].left)]
    if len(under) != 1 or not is_next_line(segment, under[0][2][0]):
        return None
    lower = under[0][2][0]
    shifts = (
        segment.left - lower.left,
        segment.right - lower.right,
        segment.left + segment.right - lower.left - lower.right,
    )
    return under[0] if min(map(abs, shifts)) < segment.size / 2 else None


def _stands_on(segment: Segment, below: Segment) -> bool:
    return segment.bottom - below.bottom < _CLOSE * max(segment.size, below.size)


def _is_covered(placed: Sequence[Placed], cell: Placed) -> bool:
    """Return whether another header cell is already above one."""
    return any(other is not cell and other[2][0].bottom > cell[2][0].bottom and _share(other, cell) for other in placed)


def _share(one: Placed, other: Placed) -> bool:
    return one[0] < other[0] + other[1] and other[0] < one[0] + one[1]


def _stack(placed: Sequence[Placed]) -> tuple[list[GridCell], int]:
    """Give each header cell its row, counted from the lowest one."""
    levels: list[int] = []
    for index, cell in enumerate(placed):
        below = [levels[other] for other in range(index) if _share(placed[other], cell)]
        levels.append(max(below, default=-1) + 1)
    rows = max(levels, default=-1) + 1
    cells = [
        GridCell(rows - 1 - level, first, segments, span, header=True)
        for level, (first, span, segments) in zip(levels, placed, strict=True)
    ]
    return sorted(cells, key=lambda cell: (cell.row, cell.column)), rows


def _place(line: Line, columns: Sequence[Column], *, has_row_below: bool) -> list[tuple[Segment, int, int]]:
    """Return the cells of a header line with their first column and how many they span."""
    label = [segment for segment in line.segments[:1] if _is_label(segment, columns)]
    cells = line.segments[len(label) :]
    placed = [(segment, 0, 1) for segment in label]
    if not cells or len(cells) == len(columns) - 1:
        return placed + [(cell, index, 1) for index, cell in enumerate(cells, 1)]
    if len(cells) == 1 and _is_unit(cells[0], columns):
        return [*placed, (cells[0], 1, len(columns) - 1)]
    edges = [(left.right + right.left) / 2 for left, right in pairwise(cells)]
    for cell, low, high in zip(cells, [float("-inf"), *edges], [*edges, float("inf")], strict=True):
        zone = [index for index, column in enumerate(columns) if index and low < column.center < high]
        placed.append((cell, *_best_span(cell, zone, columns, prefer_wide=has_row_below)))
    return placed


def _is_unit(cell: Segment, columns: Sequence[Column]) -> bool:
    """Return whether a text in brackets, such as (in millions), is in the middle of all columns after the labels."""
    shift = cell.left + cell.right - columns[1].left - columns[-1].right
    return cell.text.strip().startswith("(") and abs(shift) < 4 * cell.size


def _is_label(segment: Segment, columns: Sequence[Column]) -> bool:
    return segment.left < columns[0].right and (segment.left + segment.right) / 2 < columns[1].left


def _best_span(cell: Segment, zone: Sequence[int], columns: Sequence[Column], *, prefer_wide: bool) -> tuple[int, int]:
    """Return the neighbouring columns over which a header cell is centered, or the one that it's above."""
    center = (cell.left + cell.right) / 2
    if not zone:
        distances = [abs(center - column.center) for column in columns]
        return distances.index(min(distances)), 1
    spans = [(first, last) for first, last in [*combinations(zone, 2), *((index, index) for index in zone)]]

    def distance(span: tuple[int, int]) -> tuple[float, int]:
        left, right = columns[span[0]].left, columns[span[1]].right
        edges = (abs(center - (left + right) / 2), abs(cell.left - left), abs(cell.right - right))
        off = edges[0] if span[0] != span[1] else min(edges)
        width = span[1] - span[0]
        outside = max(0.0, left - cell.left - cell.size) + max(0.0, cell.right - right - cell.size)
        return round((off + outside) / cell.size), -width if prefer_wide else width

    first, last = min(spans, key=distance)
    return first, last - first + 1
