"""Columns of a table in a PDF page that are hardly more than a space apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment, split_at_words
from rag.reading.layout.text_lines.words import Words

_LEAST_ROWS, _LEAST_LINES = 2, 3
_SAME_START = 0.6  # points by which the words of a column differ at the left
_WIDE_SPACE = 0.32  # of the height: more than a space between words


def aligned_starts(rows: Sequence[Line], lines: Sequence[Line], words: Words | None) -> list[float]:
    """Return where all rows have a word that begins below the one in the row above, mostly after a wide space.

    `lines` are all lines of the table, of which some can be single segments.
    """
    if words is None or len(rows) < _LEAST_ROWS:
        return []
    common = [(left, int(wide)) for left, wide in _inner_starts(rows[0], words)]
    for row in rows[1:]:
        if not common:
            return []
        starts = list(_inner_starts(row, words))
        found = ((left, count, _nearest(starts, left)) for left, count in common)
        common = [(left, count + near[1]) for left, count, near in found if near and abs(near[0] - left) < _SAME_START]
    frequent = [left for left, wide in common if 2 * wide > len(rows)]
    return [left for left in frequent if sum(_begins_at(line, left, words) for line in lines) >= _LEAST_LINES]


def _begins_at(line: Line, left: float, words: Words) -> bool:
    starts = [*(segment.left for segment in line.segments), *(start for start, _ in _inner_starts(line, words))]
    return any(abs(start - left) < _SAME_START for start in starts)


def split_at(line: Line, starts: Sequence[float], words: Words | None) -> Line:
    """Return a line whose segments are split where a word begins at one of the places."""
    if words is None:
        return line
    return Line([part for segment in line.segments for part in _split(segment, starts, words)])


def _split(segment: Segment, starts: Sequence[float], words: Words) -> list[Segment]:
    if segment.words is None:
        return [segment]
    first, last = segment.words
    cuts = [
        index
        for index in range(first + 1, last + 1)
        if any(abs(float(words.left[index]) - left) < _SAME_START for left in starts)
    ]
    return split_at_words(segment, words, cuts) if cuts else [segment]


def _inner_starts(row: Line, words: Words) -> Iterator[tuple[float, bool]]:
    """Yield where the words after the first one of each segment begin, and whether the space before is wide."""
    for segment in row.segments:
        if segment.words is not None and " " in segment.text:
            first, last = segment.words
            lefts, rights = words.left[first + 1 : last + 1].tolist(), words.right[first:last].tolist()
            for left, right in zip(lefts, rights, strict=True):
                yield left, left - right > _WIDE_SPACE * segment.size


def _nearest(starts: Sequence[tuple[float, bool]], left: float) -> tuple[float, bool] | None:
    return min(starts, key=lambda start: abs(start[0] - left), default=None)
