"""Columns of prose: the parts of a PDF page in the order in which they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import attrgetter

from rag.reading.layout.gutters import are_blocks, side_changes
from rag.reading.layout.text_lines.lines import is_figure
from rag.reading.layout.text_lines.segments import Segment

_LEAST_LINES = 3
_MOST_DEPTH = 6
_EDGE = 8.0  # points within which lines begin below each other
_GUTTER = 0.5  # the least width of the space between two columns, in units of the lines' height


def reading_order(segments: Sequence[Segment], depth: int = 0) -> list[list[Segment]]:
    """Return groups of segments in reading order: above the columns, each column, and below them."""
    if depth == _MOST_DEPTH or len(segments) < 2 * _LEAST_LINES:
        return [list(segments)] if segments else []
    by_height = sorted(segments, key=attrgetter("bottom"), reverse=True)
    for least_spaces, are_beside in ((0, are_blocks), (2, _are_columns)):
        for position in _column_edges(by_height, least_spaces):
            if parts := _split(by_height, position, are_beside):
                return [group for part in parts for group in reading_order(part, depth + 1)]
    return [list(segments)]


def _split(
    by_height: Sequence[Segment], position: float, are_beside: Callable[[Sequence[Segment], Sequence[Segment]], bool]
) -> tuple[Sequence[Segment], ...]:
    """Return what is above two sides, the sides, and what is below them; nothing if none are side by side."""
    for first, last in _runs(by_height, position):
        run = by_height[first:last]
        left = [segment for segment in run if segment.left < position - 1]
        right = [segment for segment in run if segment.left >= position - 1]
        if are_beside(left, right):
            return by_height[:first], left, right, by_height[last:]
    return ()


def _column_edges(segments: Sequence[Segment], least_spaces: int) -> list[float]:
    """Return the positions where lines with some spaces start below each other, the most frequent first."""
    leftmost = min(segment.left for segment in segments)
    counts = Counter(
        round(segment.left / 2)
        for segment in segments
        if segment.left > leftmost + 2 * segment.size and segment.text.count(" ") >= least_spaces
    )
    # Neighbours count together: a left edge isn't exact.
    edges = {edge: counts[edge - 1] + count + counts[edge + 1] for edge, count in counts.items()}
    frequent = [edge for edge, count in edges.items() if count >= _LEAST_LINES]
    frequent.sort(key=lambda edge: (-edges[edge], edge))
    return [2.0 * edge - 2 for edge in frequent[:8]]


def _runs(segments: Sequence[Segment], position: float) -> list[tuple[int, int]]:
    """Return the spans of segments, from top to bottom, that stay on one side of a position; the longest first."""
    runs, start = [], 0
    for index, segment in enumerate(segments):
        if segment.left < position - 1 and segment.right > position - _GUTTER * segment.size:
            runs.append((start, index))
            start = index + 1
    runs.append((start, len(segments)))
    runs = [_trim(segments, run, position) for run in runs if run[1] - run[0] >= 2 * _LEAST_LINES]
    return sorted(runs, key=lambda run: run[0] - run[1])


def _trim(segments: Sequence[Segment], run: tuple[int, int], position: float) -> tuple[int, int]:
    """Remove lines above and below that have nothing beside them, if a gap separates them from the columns."""
    first, last = run
    sides = [segment.left >= position - 1 for segment in segments[first:last]]
    if all(sides) or not any(sides):
        return first, first
    start = max(sides.index(True), sides.index(False)) + first
    end = last - max(sides[::-1].index(True), sides[::-1].index(False))
    if not _is_apart(segments[start - 1 : last], sides[start - 1 - first :]):
        start = _after_gap(segments, first, start)
    if _is_apart(segments[first : end + 1][::-1], sides[: end + 1 - first][::-1]):
        return start, end
    for index in range(end, last):
        if _is_gap(segments[index - 1], segments[index]):
            return start, index
    return start, last


def _is_apart(segments: Sequence[Segment], sides: Sequence[bool]) -> bool:
    """Return whether the first segment has nothing beside it, and a gap separates it from the next one on its side.

    The other side can begin a little higher, so that the gap isn't seen between it and the first segment.
    """
    if len(segments) < 2 or abs(segments[0].bottom - segments[1].bottom) < segments[0].size:
        return False
    following = next((other for other, side in zip(segments[1:], sides[1:], strict=True) if side == sides[0]), None)
    if following is None:
        return False
    upper, lower = sorted((segments[0], following), key=lambda segment: -segment.bottom)
    return _is_gap(upper, lower)


def _after_gap(segments: Sequence[Segment], first: int, start: int) -> int:
    """Return the first index up to `start` from which on there is no gap between the lines."""
    for index in range(start, first, -1):
        if _is_gap(segments[index - 1], segments[index]):
            return index
    return first


def _is_gap(upper: Segment, lower: Segment) -> bool:
    return upper.bottom - lower.bottom > 1.7 * max(upper.size, lower.size)


def _are_columns(left: Sequence[Segment], right: Sequence[Segment]) -> bool:
    """Return whether two sides are columns of prose and not the cells of a table."""
    if min(len(left), len(right)) < _LEAST_LINES or not (_is_prose(left) and _is_prose(right)):
        return False
    changes = side_changes(left, right)
    beside = _lines_side_by_side(left, right)
    if changes <= 3 or beside < min(len(left), len(right)) / 2:
        return True
    # Drawn line by line across both columns: then only running text tells columns from a table.
    return changes >= 1.6 * beside and _is_running_text(left) and _is_running_text(right)


def _is_prose(segments: Sequence[Segment]) -> bool:
    words = sum(1 for segment in segments if segment.text.count(" ") >= 2)
    figures = sum(1 for segment in segments if is_figure(segment.text))
    return words >= 0.55 * len(segments) and figures <= 0.1 * len(segments)


def _is_running_text(segments: Sequence[Segment]) -> bool:
    """Return whether most lines go on in the next one: they are full, and the next one starts in the middle."""
    starts = [segment.text.lstrip(" (“\"'‘„«")[:1] for segment in segments]
    inside = sum(1 for start in starts if start.islower() or (start.isalpha() and start.lower() == start.upper()))
    widest: dict[int, float] = {}  # by the left edge: a side can have several columns
    for segment in segments:
        edge = round(segment.left / _EDGE)
        widest[edge] = max(widest.get(edge, 0), segment.right - segment.left)
    full = sum(1 for s in segments if s.right - s.left > 0.6 * widest[round(s.left / _EDGE)])
    return inside >= 0.3 * len(segments) and full >= 0.6 * len(segments)


def _lines_side_by_side(left: Sequence[Segment], right: Sequence[Segment]) -> int:
    """Return how many lines of the left side share their baseline with one of the right side."""
    baselines = sorted([(segment.bottom, 0, segment.size) for segment in left] + [(s.bottom, 1, s.size) for s in right])
    return sum(
        1 for (y, side, size), (above, other, _) in pairwise(baselines) if side != other and above - y < 0.2 * size
    )
