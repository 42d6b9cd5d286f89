"""Header cells of a PDF table whose text runs upwards or downwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.reading.layout.text_lines.segments import Segment, join_segments
from rag.reading.layout.text_lines.words import Words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WIDEST_GAP = 0.9  # between two words of a cell, in units of the text's height
_NEAR = 3.0  # the most between the cells and the row below them, in units of its height
_SAME_EDGE = 2.0  # points by which cells of a header begin or end apart
_RIGHT_ANGLE = 0.1  # radians


@dataclass(slots=True)
class _Cell:
    """A line of vertical text, which has the words from `first` to `last`, and its place on the upright page."""

    first: int
    last: int
    left: float
    bottom: float
    right: float
    top: float

    @property
    def center(self) -> float:
        return (self.left + self.right) / 2


def vertical_headers(turned: Words, lines: Sequence[Sequence[Segment]]) -> tuple[list[Segment], NDArray[np.bool_]]:
    """Return vertical texts above the cells of a row as segments of a line above it, and which words are in them.

    `lines` are the other segments of the page by their baselines, from top to bottom.
    """
    import numpy as np

    found: list[Segment] = []
    used = np.zeros(len(turned), bool)
    for group in _groups(_cells(turned)):
        row = _row_below(group, lines)
        columns = _by_column(group, row)
        if len(columns) < 2:
            continue
        beside = _line_beside(group, lines, row)
        for cells in columns:
            segment = _segment(turned, cells[0], beside, len(found))
            for cell in cells[1:]:
                segment = join_segments(segment, _segment(turned, cell, beside, len(found)), " ")
            found.append(segment)
            for cell in cells:
                used[cell.first : cell.last + 1] = True
    return found, used


def _cells(words: Words) -> list[_Cell]:
    """Return the lines of words that run upwards or downwards, in the order in which they were drawn."""
    cells: list[_Cell] = []
    quarter = abs(words.angle % math.pi - math.pi / 2) < _RIGHT_ANGLE
    for index, (place, is_vertical) in enumerate(zip(words.upright_places().tolist(), quarter.tolist(), strict=True)):
        if not is_vertical:
            continue
        left, bottom, right, top = place
        last = cells[-1] if cells else None
        if last and last.last == index - 1 and _goes_on(last, left, bottom, right, top):
            last.last, last.left, last.right = index, min(left, last.left), max(right, last.right)
            last.bottom, last.top = min(bottom, last.bottom), max(top, last.top)
        else:
            cells.append(_Cell(index, index, left, bottom, right, top))
    return cells


def _goes_on(cell: _Cell, left: float, bottom: float, right: float, top: float) -> bool:
    """Return whether a word goes on with a line of vertical text."""
    width = right - left
    is_beside = abs(cell.center - (left + right) / 2) < width / 2
    return is_beside and max(bottom - cell.top, cell.bottom - top) < _WIDEST_GAP * width


def _groups(cells: Sequence[_Cell]) -> list[list[_Cell]]:
    """Return the cells of each header: they begin, end or have their middle at one height."""
    groups: list[list[_Cell]] = []
    for cell in cells:
        for group in groups:
            other = group[0]
            bottom, top = cell.bottom - other.bottom, cell.top - other.top
            if min(abs(bottom), abs(top), abs(bottom + top) / 2) < _SAME_EDGE:
                group.append(cell)
                break
        else:
            groups.append([cell])
    return groups


def _row_below(group: Sequence[_Cell], lines: Sequence[Sequence[Segment]]) -> Sequence[Segment]:
    """Return the line right below the cells, or nothing."""
    bottom = min(cell.bottom for cell in group)
    for line in lines:
        if len(line) > 1 and line[0].bottom < bottom - line[0].size / 2:
            return line if bottom - line[0].top < _NEAR * line[0].size else ()
    return ()


def _by_column(group: Sequence[_Cell], row: Sequence[Segment]) -> list[list[_Cell]]:
    """Return the cells over each cell of the row below, from left to right; nothing if one is over none of them."""
    columns: dict[int, list[_Cell]] = {}
    for cell in group:
        distances = [max(below.left - cell.center, cell.center - below.right) for below in row]
        nearest = min(distances, default=math.inf)
        if nearest > cell.right - cell.left:
            return []
        columns.setdefault(distances.index(nearest), []).append(cell)
    return [columns[index] for index in sorted(columns)]


def _line_beside(
    group: Sequence[_Cell], lines: Sequence[Sequence[Segment]], row: Sequence[Segment]
) -> tuple[float, float]:
    """Return the bottom and the height of the line for the cells: those of the name of the labels, if it has one."""
    top, left = max(cell.top for cell in group), min(cell.left for cell in group)
    labels = [line[0] for line in lines if line[0].right <= left and row[0].bottom < line[0].bottom < top]
    if labels:
        return labels[-1].bottom, labels[-1].size
    return max(min(cell.bottom for cell in group), row[0].top), row[0].size


def _segment(words: Words, cell: _Cell, line: tuple[float, float], number: int) -> Segment:
    start, end = int(words.starts[cell.first]), int(words.ends[cell.last])
    order = -10 * (number + 1)  # no text was drawn right before or after it
    return Segment(words.text[start:end], range(start, end), cell.left, cell.right, *line, order)
