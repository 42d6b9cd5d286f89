"""Blocks of rows side by side on a PDF page, such as the columns of a reference card."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from rag.reading.layout.text_lines.lines import group_by_baseline, is_figure
from rag.reading.layout.text_lines.segments import WIDEST_SPACE, Segment

_LEAST_LINES = 6  # of each block
_LEAST_ROWS = 0.3  # the share of a block's lines that have a term and what it means
_GUTTER = 1.5  # the least width of the space between two blocks, in units of the lines' height
_MOST_CHANGES = 3  # a title or a foot can be drawn apart from its block


def are_blocks(left: Sequence[Segment], right: Sequence[Segment]) -> bool:
    """Return whether two sides are blocks that were drawn one after the other, each row by row.

    The rows of a table go across both sides: it's drawn row by row, or each of its columns by itself.
    """
    if min(len(left), len(right)) < _LEAST_LINES or not _has_gutter(left, right):
        return False
    if side_changes(left, right) > _MOST_CHANGES:
        return False
    lines, others = group_by_baseline(left), group_by_baseline(right)
    if min(len(lines), len(others)) < _LEAST_LINES:
        return False
    rows = _has_rows(lines), _has_rows(others)
    if all(rows):
        return True
    # Text beside a block of rows is in lines of its own; the labels of a table are in those of its cells.
    prose = lines if rows[1] else others
    return any(rows) and _has_words(prose) and not _share_baselines(lines, others)


def side_changes(left: Sequence[Segment], right: Sequence[Segment]) -> int:
    """Return how often the drawing of a page goes from one side to the other."""
    drawn = sorted([*((segment.order, False) for segment in left), *((segment.order, True) for segment in right)])
    return sum(1 for _ in groupby(side for _, side in drawn)) - 1


def _has_gutter(left: Sequence[Segment], right: Sequence[Segment]) -> bool:
    size = max(left[0].size, right[0].size)
    return min(segment.left for segment in right) - max(segment.right for segment in left) >= _GUTTER * size


def _has_rows(lines: Sequence[Sequence[Segment]]) -> bool:
    return sum(1 for line in lines if _is_row(line)) >= max(3.0, _LEAST_ROWS * len(lines))


def _is_row(line: Sequence[Segment]) -> bool:
    """Return whether a line has two cells that were drawn one after the other, and begins with a word."""
    if not any(map(str.isalpha, line[0].text)):
        return False
    return any(
        other.order - cell.order == cell.count and other.left - cell.right > WIDEST_SPACE * cell.size
        for cell, other in pairwise(line)
    )


def _has_words(lines: Sequence[Sequence[Segment]]) -> bool:
    return not any(is_figure(segment.text) for line in lines for segment in line) and (
        2 * sum(1 for line in lines if " " in line[0].text.strip()) >= len(lines)
    )


def _share_baselines(lines: Sequence[Sequence[Segment]], others: Sequence[Sequence[Segment]]) -> bool:
    """Return whether most lines of the shorter side are beside one of the other side."""
    places = {round(line[0].bottom) for line in lines}
    shared = sum(1 for line in others if not places.isdisjoint(_near(line[0].bottom)))
    return 2 * shared >= min(len(lines), len(others))


def _near(bottom: float) -> tuple[int, int]:
    return round(bottom - 0.4), round(bottom + 0.4)
