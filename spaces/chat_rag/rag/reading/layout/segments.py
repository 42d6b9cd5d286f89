"""Pieces of a line: words of a page that are next to each other on one baseline."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.reading.layout.words import Words

# In units of the line's height, which is 1.1 to 1.2 times the font size: a space is 0.25 wide, in justified text up to
# 0.8, and the distance of two columns is rarely less than 1.
_WIDEST_SPACE = 0.9
_WIDEST_SPACE_OF_FIGURES = 0.55  # columns of figures can be closer
_WIDEST_SPACE_BEFORE_CURRENCY = 0.3  # the sign of a column stands far from its figure, and near the column before it
_JUMP = 0.15  # how much two words of a line may differ in height
_LINE_END = re.compile(r"\s*[\r\n]\s*")


@dataclass(slots=True, eq=False)
class Segment:
    """A piece of a line and its place, in points of the upright page; `size` is the height of its line.

    `indexes` has the index of each character on the page, or -1 for one that the page doesn't have. `order` is the
    position among the page's segments as they were drawn. `words` are the indexes of its first and last word, or None
    if it was put together from several segments.
    """

    text: str
    indexes: Sequence[int]
    left: float
    right: float
    bottom: float
    size: float
    order: int
    words: tuple[int, int] | None = None

    @property
    def top(self) -> float:
        return self.bottom + self.size


def make_segments(words: Words) -> list[Segment]:
    """Return the segments of a page in the order in which they were drawn."""
    if not len(words):
        return []
    import numpy as np

    left, right, bottom, size = words.left, words.right, words.bottom, words.size
    heights = np.minimum(size[1:], size[:-1])
    figures = words.figures()
    widest = np.where((figures[1:] == 1) & (figures[:-1] == 1), _WIDEST_SPACE_OF_FIGURES, _WIDEST_SPACE)
    widest[(figures[1:] == 2) & (figures[:-1] == 1)] = _WIDEST_SPACE_BEFORE_CURRENCY
    widest *= heights
    gap = left[1:] - right[:-1]
    continues = (gap < widest) & (gap > -0.3 * heights) & (abs(bottom[1:] - bottom[:-1]) < _JUMP * heights)
    continues &= abs(size[1:] - size[:-1]) < _JUMP * heights
    continues &= words.numbers[1:] - words.numbers[:-1] == 1  # nothing hidden is between them
    firsts = [0, *(np.flatnonzero(~continues) + 1).tolist()]
    lasts = [*(first - 1 for first in firsts[1:]), len(words) - 1]
    places = np.stack([left[firsts], right[lasts], bottom[firsts], size[firsts]], axis=1).tolist()
    return [
        _segment(words, first, last, place, order)
        for order, (first, last, place) in enumerate(zip(firsts, lasts, places, strict=True))
    ]


def _segment(words: Words, first: int, last: int, place: Sequence[float], order: int) -> Segment:
    start, end = words.starts[first], words.ends[last]
    text, indexes = words.text[start:end], range(start, end)
    return Segment(_LINE_END.sub(_spaces, text), indexes, *place, order, (first, last))  # type: ignore[arg-type]


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def split_segment(segment: Segment, words: Words, positions: Sequence[float]) -> list[Segment]:
    """Split a segment at the gaps between words that contain one of the horizontal positions."""
    if segment.words is None:
        return [segment]
    first, last = segment.words
    cuts = [
        index + 1
        for index in range(first, last)
        if any(words.right[index] - 1 <= position <= words.left[index + 1] + 1 for position in positions)
    ]
    if not cuts:
        return [segment]
    edges = [first, *cuts, last + 1]
    return [
        _segment(
            words,
            start,
            end - 1,
            (float(words.left[start]), float(words.right[end - 1]), segment.bottom, segment.size),
            segment.order,
        )
        for start, end in itertools.pairwise(edges)
    ]


def join_segments(first: Segment, second: Segment, between: str) -> Segment:
    """Return the two segments as one, with `between` between their texts."""
    return Segment(
        first.text + between + second.text,
        [*first.indexes, *[-1] * len(between), *second.indexes],
        min(first.left, second.left),
        max(first.right, second.right),
        first.bottom,
        max(first.size, second.size),
        min(first.order, second.order),
    )


def inserted_text(text: str, segment: Segment) -> Segment:
    """Return the segment with a text behind it that the page doesn't have."""
    return Segment(
        segment.text + text,
        [*segment.indexes, *[-1] * len(text)],
        segment.left,
        segment.right,
        segment.bottom,
        segment.size,
        segment.order,
    )
