"""Finds names of columns below the rows of a table: another table begins there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from rag.reading.layout.text_lines.lines import Line, is_figure
from rag.reading.layout.text_lines.segments import Segment

_LEAST_NAMES = 3
_ROWS = 3  # above and below that are looked at
_LONGEST_NAME = 40  # characters
_NO_VALUES = frozenset(["n/a", "na", "n.a.", "none", "nil", "tbd", "unknown", "yes", "no", "-", "–", "—", "*"])


def is_second_header(lines: Sequence[Line], first: int, index: int) -> bool:
    """Return whether a line of words has different names where the rows above and below it have figures."""
    segments = lines[index].segments
    texts = [segment.text.strip().lower() for segment in segments]
    if len(segments) < _LEAST_NAMES or len(set(texts)) < len(texts) or not _NO_VALUES.isdisjoint(texts):
        return False
    if any(len(text) > _LONGEST_NAME or not any(map(str.isalpha, text)) for text in texts):
        return False
    above = _figures(reversed(lines[max(first, index - 2 * _ROWS) : index]))
    below = _figures(lines[index + 1 : index + 1 + 2 * _ROWS])
    names = [name for name in segments[1:] if _is_beside(name, above) and _is_beside(name, below)]
    return len(names) > 1 and 2 * len(names) >= len(segments) - 1


def _figures(lines: Iterable[Line]) -> list[Segment]:
    """Return the figures of the nearest rows."""
    rows = ([each for each in line.segments if is_figure(each.text)] for line in lines if len(line.segments) > 1)
    return [segment for row in islice(filter(None, rows), _ROWS) for segment in row]


def _is_beside(name: Segment, figures: Sequence[Segment]) -> bool:
    """Return whether a name stands in the column of one of the figures."""
    return any(min(name.right, each.right) > max(name.left, each.left) for each in figures)
