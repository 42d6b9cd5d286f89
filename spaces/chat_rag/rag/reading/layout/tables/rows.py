"""Rows of a table whose cells have several lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rag.reading.layout.text_lines.lines import OVERLAPPING, Line, goes_on_below, is_figure
from rag.reading.layout.text_lines.segments import Segment

# The lines of a cell are closer together than rows are: 0.71 to 0.80 of the rows' distance in the filings of three
# companies.
_MAX_LINE_DISTANCE = 0.87
_MAX_ROW_LINES = 5
_SAME_CELL = 1.5  # the most that two lines of a cell are apart, in units of their height


def group_rows(lines: Sequence[Line], data_left: float) -> list[list[Line]]:
    """Return the rows; a row is one line, or several if a cell has several lines."""
    joined = _wrapped_labels(lines) | _continued_cells(lines, data_left) | _overlapping(lines)
    rows: list[list[Line]] = []
    for index, line in enumerate(lines):
        if index - 1 in joined:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _overlapping(lines: Sequence[Line]) -> set[int]:
    """Return the indexes of lines whose next line is beside them: cells in the middle of others with more lines."""
    joined: set[int] = set()
    for index, (upper, lower) in enumerate(pairwise(lines)):
        if upper.bottom - lower.bottom >= OVERLAPPING * min(upper.size, lower.size) or _share_column(upper, lower):
            continue
        above = lines[index - 1] if index - 1 in joined else None
        if above and min(len(above.segments), len(lower.segments)) > 1 and not goes_on_below(above, lower):
            continue  # the cell between two rows, which it spans, is in the first one
        joined.add(index)
    return joined


def _share_column(upper: Line, lower: Line) -> bool:
    return any(
        min(above.right, cell.right) > max(above.left, cell.left) for above in upper.segments for cell in lower.segments
    )


def _wrapped_labels(lines: Sequence[Line]) -> set[int]:
    """Return the indexes of the first lines of wrapped row labels; the row's figures are on the label's last line."""
    joined: set[int] = set()
    steps = [upper.bottom - lower.bottom for upper, lower in pairwise(lines)]
    for index, step in enumerate(steps):
        if len(lines[index + 1].segments) < 2:
            continue
        first = index
        while first > max(0, index - _MAX_ROW_LINES) and 0 < steps[first - 1] <= 1.05 * step:
            first -= 1
        neighbours = [*steps[max(0, first - 1) : first], *steps[index + 1 : index + 2]]
        if not neighbours or not 0 < step < _MAX_LINE_DISTANCE * min(neighbours):
            continue
        *label, row = lines[first : index + 2]
        # A word wraps because it doesn't fit, so the line before it is the longer one.
        if all(_begins_label(line, row, step) for line in label) and label[-1].right >= row.segments[0].right:
            joined.update(range(first, index + 1))
    return joined


def _begins_label(line: Line, row: Line, step: float) -> bool:
    """Return whether a line can start the label of `row`, the line with the figures, and isn't a heading."""
    is_aligned = abs(line.left - row.left) < 2 * step and line.right <= row.right
    return len(line.segments) == 1 and is_aligned and not line.text.rstrip().endswith(":")


def _continued_cells(lines: Sequence[Line], data_left: float) -> set[int]:
    """Return the indexes of lines whose next line continues their cells.

    The lines of a cell are drawn one after the other, before the next cell of the row.
    """
    joined: set[int] = set()
    for index, (upper, lower) in enumerate(pairwise(lines)):
        if upper.left > data_left - 1 and goes_on_below(upper, lower):
            joined.add(index)
            continue
        if upper.bottom - lower.bottom > _SAME_CELL * max(upper.size, lower.size):
            continue
        if len(lower.segments) > 1 and _is_drawn_after(upper, lower):
            continue
        continued = [any(_continues(above, cell, upper) for above in upper.segments) for cell in lower.segments]
        if not all(continued):
            continue
        in_label = len(lower.segments) == 1 and lower.left < data_left - 1
        if in_label and len(upper.segments) == 1:
            # Two lines of words alone: a cell only if the row before it goes on, too.
            if index - 1 in joined:
                joined.add(index)
            continue
        joined.add(index)
    return joined


def _is_drawn_after(upper: Line, lower: Line) -> bool:
    """Return whether a line was drawn as a whole after the one above it."""
    return min(cell.order for cell in lower.segments) > max(cell.order for cell in upper.segments)


def _continues(above: Segment, cell: Segment, line: Line) -> bool:
    """Return whether `cell` is drawn right after the one above it, before the next cell of the line above."""
    if cell.order <= above.order or (is_figure(cell.text) and is_figure(above.text)):
        return False
    if min(cell.right, above.right) - max(cell.left, above.left) <= 0:
        return False
    return not any(above.order < other.order < cell.order for other in line.segments if other is not above) and any(
        other.order > cell.order or other.order < above.order for other in line.segments if other is not above
    )
