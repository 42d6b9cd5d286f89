"""Pieces of a line: words of a page that are next to each other on one baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from rag.reading.layout.text_lines.words import Words

# In units of the line's height, which is 1.1 to 1.2 times the font size: a space is 0.25 wide, in justified text up to
# 0.8, and the distance of two columns is rarely less than 1.
WIDEST_SPACE = 0.9
WIDEST_SPACE_OF_FIGURES = 0.4  # columns of figures can be closer
WIDEST_SPACE_BEFORE_CURRENCY = 0.3  # the sign of a column stands far from its figure, and near the column before it
SPACE = 0.12  # what is further apart are two words
_JUMP = 0.15  # how much two words of a line may differ in height


class Extent(Protocol):
    """Something with a left and a right edge."""

    left: float
    right: float


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
    count: int = 1  # of the segments that it was put together from

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
    figures = words.figures
    widest = np.where((figures[1:] == 1) & (figures[:-1] == 1), WIDEST_SPACE_OF_FIGURES, WIDEST_SPACE)
    widest[(figures[1:] == 2) & (figures[:-1] == 1)] = WIDEST_SPACE_BEFORE_CURRENCY
    widest *= heights
    gap = left[1:] - right[:-1]
    continues = (gap < widest) & (gap > -0.3 * heights) & (abs(bottom[1:] - bottom[:-1]) < _JUMP * heights)
    continues &= abs(size[1:] - size[:-1]) < _JUMP * heights
    continues &= words.numbers[1:] - words.numbers[:-1] == 1  # nothing hidden is between them
    # Words between which the page has no space are apart if there's room for one.
    continues &= (words.starts[1:] > words.ends[:-1]) | (gap < SPACE * heights)
    firsts = [0, *((~continues).nonzero()[0] + 1).tolist()]
    lasts = [*(first - 1 for first in firsts[1:]), len(words) - 1]
    values = words.starts[firsts], words.ends[lasts], left[firsts], right[lasts], bottom[firsts], size[firsts]
    text, spans = words.text, zip(firsts, lasts, strict=True)
    return [
        Segment(text[start:end], range(start, end), left, right, bottom, size, order, span)
        for order, (span, start, end, left, right, bottom, size) in enumerate(
            zip(spans, *(value.tolist() for value in values), strict=True)
        )
    ]


def drawn_segments(words: Words) -> list[Segment]:
    """Return a segment for words that were drawn one after the other at one angle, wherever they are."""
    import numpy as np

    follows = (np.diff(words.numbers) == 1) & (abs(np.diff(words.angle)) < 0.01)
    firsts = [0, *(np.flatnonzero(~follows) + 1).tolist()]
    lasts = [*(first - 1 for first in firsts[1:]), len(words) - 1]
    place = 0.0, 0.0, 0.0, 1.0
    return [_segment(words, first, last, place, first) for first, last in zip(firsts, lasts, strict=True)]


def _segment(words: Words, first: int, last: int, place: Sequence[float], order: int) -> Segment:
    start, end = int(words.starts[first]), int(words.ends[last])
    left, right, bottom, size = place
    return Segment(words.text[start:end], range(start, end), left, right, bottom, size, order, (first, last))


def split_segment(segment: Segment, words: Words, columns: Sequence[Extent], least: float = 0.0) -> list[Segment]:
    """Split a segment at spaces of at least `least` points between words that are in different columns."""
    if segment.words is None:
        return [segment]
    first, last = segment.words
    cuts: list[int] = []
    previous = None
    for index in range(first, last + 1):
        left, right = float(words.left[index]), float(words.right[index])
        inside = [min(right, column.right) - max(left, column.left) for column in columns]
        column = inside.index(max(inside)) if max(inside) > 0 else previous
        is_apart = index > first and left - words.right[index - 1] >= least
        if is_apart and previous is not None and column != previous:
            cuts.append(index)
        previous = column
    return split_at_words(segment, words, cuts)


def split_at_words(segment: Segment, words: Words, cuts: Sequence[int]) -> list[Segment]:
    """Split a segment before the words with these indexes."""
    if segment.words is None:
        return [segment]
    first, last = segment.words
    edges = [first, *cuts, last + 1]
    return [
        _segment(
            words,
            start,
            end - 1,
            (float(words.left[start]), float(words.right[end - 1]), segment.bottom, segment.size),
            segment.order,
        )
        for start, end in pairwise(edges)
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
        count=first.count + second.count,
    )


def join_line(segments: Sequence[Segment]) -> Segment:
    """Return the segments of a line as one, with spaces between them."""
    indexes: list[int] = []
    for segment in segments:
        indexes += [*segment.indexes, -1]
    return replace(
        segments[0],
        text=" ".join(segment.text for segment in segments),
        indexes=indexes[:-1],
        right=max(segment.right for segment in segments),
        order=min(segment.order for segment in segments),
        count=sum(segment.count for segment in segments),
        words=None,
    )


def inserted_text(text: str, segment: Segment) -> Segment:
    """Return the segment with a text after it that the page doesn't have."""
    return Segment(
        segment.text + text,
        [*segment.indexes, *[-1] * len(text)],
        segment.left,
        segment.right,
        segment.bottom,
        segment.size,
        segment.order,
        count=segment.count,
    )
