"""Joins the segments of lines of prose whose spaces are as wide as those between columns.

Typesetters stretch the spaces of a line to its right margin, and far if the next word is long: a name in a fixed-width
font, or a word that can't be hyphenated.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from rag.reading.layout.text_lines.lines import Line, is_figure
from rag.reading.layout.text_lines.segments import Segment, join_segments

_SAME_EDGE = 1.5  # points by which the right edges of justified lines differ
_LEAST_LINES = 3  # that end at a right margin
_LINE_STEP = 1.6  # the most between two lines of a paragraph, in units of their height
_WIDEST = 4.0  # a space that a typesetter leaves, in the same units


def join_justified(lines: Sequence[Line]) -> list[Line]:
    """Return the lines, in which the pieces of a justified line are one segment."""
    if all(len(line.segments) == 1 for line in lines):
        return [*lines]
    edges = sorted(line.right for line in lines)
    return [
        _joined(lines, index) if len(line.segments) > 1 and _is_margin(line.right, edges) else line
        for index, line in enumerate(lines)
    ]


def _is_margin(right: float, edges: Sequence[float]) -> bool:
    """Return whether several lines end where one does; `edges` are in order."""
    return bisect_left(edges, right + _SAME_EDGE) - bisect_left(edges, right - _SAME_EDGE) >= _LEAST_LINES


def _joined(lines: Sequence[Line], index: int) -> Line:
    line = lines[index]
    segments = [line.segments[0]]
    for segment in line.segments[1:]:
        if _is_stretched(segments[-1], segment, lines, index):
            segments[-1] = join_segments(segments[-1], segment, " ")
        else:
            segments.append(segment)
    return Line(segments) if len(segments) < len(line.segments) else line


def _is_stretched(before: Segment, after: Segment, lines: Sequence[Line], index: int) -> bool:
    """Return whether a space is one of a sentence: the lines around it have words there.

    The two pieces were drawn one after the other, as those of two columns side by side often aren't. A space that is
    above another one by chance needs such lines on both sides.
    """
    if after.order - before.order != before.count or after.left - before.right > _WIDEST * after.size:
        return False
    if is_figure(before.text) or is_figure(after.text):
        return False
    top, bottom = _run(lines, index, -1, before, after), _run(lines, index, 1, before, after)
    around = [_covers(lines, inside, inside + step, before, after) for inside, step in ((top, -1), (bottom, 1))]
    return any(around) if top == bottom else bottom - top == 1 and all(around)


def _run(lines: Sequence[Line], index: int, step: int, before: Segment, after: Segment) -> int:
    """Return the index of the last line, in one direction, of those that have a space at the same place."""
    while _is_near(lines, index, index + step) and any(
        left.right < after.left and right.left > before.right for left, right in pairwise(lines[index + step].segments)
    ):
        index += step
    return index


def _is_near(lines: Sequence[Line], index: int, other: int) -> bool:
    if not 0 <= other < len(lines):
        return False
    line, next_line = lines[index], lines[other]
    return abs(next_line.bottom - line.bottom) < _LINE_STEP * max(line.size, next_line.size)


def _covers(lines: Sequence[Line], inside: int, outside: int, before: Segment, after: Segment) -> bool:
    return _is_near(lines, inside, outside) and any(
        segment.left < before.right and segment.right > after.left for segment in lines[outside].segments
    )
