"""The rows of tables in a PDF page: a row that PDFium gives on several lines is put on one again."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

_LINE_END = "\r\n"
_ROW_LINES = 5  # a cell has rarely more, and the second column of a page of prose begins further up
# The lines of a cell stand closer than rows do: 0.71 to 0.80 of their distance in the filings of three companies.
_CLOSER = 0.87
_LAST_FIGURE = re.compile(r"(?:[$€£(+-]*\d[\d.,]*[)%]*|[—–-])\s*$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: its span in the page's text, and where it stands, in points from the lower left corner.

    `top` is the baseline of its first character, `bottom` that of its last.
    """

    start: int
    end: int
    left: float
    right: float
    top: float
    bottom: float


def join_rows(textpage: Any, text: str) -> str:
    """The page's text with a space for each line end inside a row of a table; nothing else is changed or moved.

    `text` is what `textpage` gives for the whole page. The caller holds PDFium's lock.
    """
    lines = _lines(textpage, text)
    steps = [above.bottom - below.top for above, below in pairwise(lines)]
    downwards = [step for step in steps if step > 0]
    if not downwards:
        return text
    inside = _side_by_side(lines, median(downwards)) | _wrapped_labels(textpage, text, lines, steps)
    parts, at = [], 0
    for index in sorted(inside):
        parts += [text[at : lines[index].end], " "]
        at = lines[index + 1].start
    return "".join([*parts, text[at:]])


def _side_by_side(lines: Sequence[Line], pitch: float) -> set[int]:
    """The lines that another of the same row follows, by index: cells of several lines that stand side by side.

    The lines of a cell come before those of the next cell, so the text jumps up, and to the right.
    """
    inside: set[int] = set()
    bottom = 0.0
    for index, (above, below) in enumerate(pairwise(lines)):
        if below.top > above.bottom + pitch / 4:
            row = _row_before(lines, index, below.top + pitch / 2)
            bottom = min(lines[at].bottom for at in row)
            low = max(lines[at].top for at in row) - bottom <= _ROW_LINES * pitch
            if low and all(lines[at].right <= below.left for at in row):
                inside.update(row)
        elif index - 1 in inside and below.top >= bottom - pitch / 4:
            inside.add(index)  # the last cell goes on
    return inside


def _row_before(lines: Sequence[Line], index: int, top: float) -> range:
    """The lines up to this one that are not above `top`; a row of many cells has many."""
    first = index
    while first > max(0, index - 16 * _ROW_LINES) and lines[first - 1].top <= top:
        first -= 1
    return range(first, index + 1)


def _wrapped_labels(textpage: Any, text: str, lines: Sequence[Line], steps: Sequence[float]) -> set[int]:
    """The lines with the beginning of a row's label, by index; the row's figures stand beside the label's last line."""
    inside: set[int] = set()
    for index, step in enumerate(steps):
        first = index
        while first > max(0, index - _ROW_LINES) and 0 < steps[first - 1] <= 1.05 * step:
            first -= 1
        around = [other for other in (*steps[max(0, first - 1) : first], *steps[index + 1 : index + 2]) if other > 0]
        if not around or not 0 < step < _CLOSER * min(around):
            continue
        *label, row = lines[first : index + 2]
        label_end = _label_end(textpage, text, row, step)
        if label_end is not None and all(_begins_label(textpage, text, line, row, step) for line in label):
            # A word went to the next line because it did not fit, so the line it left is the longer one.
            inside.update(range(first, index + 1) if label[-1].right >= label_end else ())
    return inside


def _begins_label(textpage: Any, text: str, line: Line, row: Line, step: float) -> bool:
    """Whether this may be a line of the label above the one that the figures stand beside, and is no heading."""
    beside = abs(line.left - row.left) < 2 * step and line.right <= row.right
    heading = text[line.start : line.end].rstrip().endswith(":")
    return beside and not heading and _label_end(textpage, text, line, step) is None


def _label_end(textpage: Any, text: str, line: Line, gap: float) -> float | None:
    """Where the first of two words ends that are more than `gap` points apart, in a line that ends in a figure."""
    if not _LAST_FIGURE.search(text, line.start, line.end):
        return None
    words = [match.span() for match in re.finditer(r"\S+", text[line.start : line.end])]
    for (_, end), (start, _) in pairwise(words):
        before, after = _box(textpage, line.start + end - 1), _box(textpage, line.start + start)
        if before and after and after[0] - before[1] > gap:
            return before[1]
    return None


def _lines(textpage: Any, text: str) -> list[Line]:
    """The page's lines that hold anything, or none where characters and their places cannot be matched."""
    if text and max(text) > "\uffff":  # PDFium counts such a character twice
        return []
    lines, start = [], 0
    for written in text.split(_LINE_END):
        end = start + len(written)
        if inner := written.strip():
            first = start + written.index(inner)
            left, right = _box(textpage, first), _box(textpage, first + len(inner) - 1)
            if left is None or right is None:
                return []
            lines.append(Line(start, end, left[0], right[1], left[2], right[2]))
        start = end + len(_LINE_END)
    return lines


def _box(textpage: Any, index: int) -> tuple[float, float, float] | None:
    """Left, right and baseline of the character at an index of the page's text."""
    from pypdfium2 import raw

    at = raw.FPDFText_GetCharIndexFromTextIndex(textpage, index)
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    found = raw.FPDFText_GetCharBox(textpage, at, left, right, bottom, top)
    if not found or not raw.FPDFText_GetCharOrigin(textpage, at, x, y):
        return None
    return left.value, right.value, y.value
