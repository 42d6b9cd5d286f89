"""Joins the lines of table rows in a PDF page: PDFium returns a row on several lines."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

_LINE_END = "\r\n"
_MAX_ROW_LINES = 5  # a cell rarely has more, and the second column of a page of prose starts further up
# The lines of a cell are closer together than rows are: 0.71 to 0.80 of the rows' distance in the filings of three
# companies.
_MAX_LINE_DISTANCE = 0.87
_WORD = re.compile(r"\S+")
_DASHES = ("—", "–", "-")  # what a table has in place of a figure


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: its span in the page's text and its position, in points from the lower left corner.

    `top` is the baseline of its first character, `bottom` that of its last.
    """

    start: int
    end: int
    left: float
    right: float
    top: float
    bottom: float


def join_rows(textpage: Any, text: str) -> str:
    """Return the page's text with a space for each line end inside a table row, and otherwise unchanged.

    `text` is the whole text of `textpage`. The caller holds PDFium's lock.
    """
    lines = _lines(textpage, text)
    steps = [upper.bottom - lower.top for upper, lower in pairwise(lines)]
    downward_steps = [step for step in steps if step > 0]
    if not downward_steps:
        return text
    joined = _side_by_side_cells(lines, median(downward_steps)) | _wrapped_labels(textpage, text, lines, steps)
    parts, position = [], 0
    for index in sorted(joined):
        parts += [text[position : lines[index].end], " "]
        position = lines[index + 1].start
    return "".join([*parts, text[position:]])


def _side_by_side_cells(lines: Sequence[Line], line_step: float) -> set[int]:
    """Return the indexes of lines whose next line is in the same row, for cells of several lines side by side.

    The lines of a cell come before those of the next cell, so the text jumps up and to the right.
    """
    joined: set[int] = set()
    bottom = 0.0
    for index, (line, next_line) in enumerate(pairwise(lines)):
        if next_line.top > line.bottom + line_step / 4:
            row = _row_before(lines, index, next_line.top + line_step / 2)
            bottom = min(lines[i].bottom for i in row)
            is_low = max(lines[i].top for i in row) - bottom <= _MAX_ROW_LINES * line_step
            if is_low and all(lines[i].right <= next_line.left for i in row):
                joined.update(row)
        elif index - 1 in joined and next_line.top >= bottom - line_step / 4:
            joined.add(index)  # the last cell continues
    return joined


def _row_before(lines: Sequence[Line], index: int, top: float) -> range:
    """Return the indexes of the lines up to `index` that aren't above `top`; a row of many cells has many."""
    first = index
    while first > max(0, index - 16 * _MAX_ROW_LINES) and lines[first - 1].top <= top:
        first -= 1
    return range(first, index + 1)


def _wrapped_labels(textpage: Any, text: str, lines: Sequence[Line], steps: Sequence[float]) -> set[int]:
    """Return the indexes of the first lines of wrapped row labels; the row's figures are on the label's last line."""
    joined: set[int] = set()
    for index, step in enumerate(steps):
        first = index
        while first > max(0, index - _MAX_ROW_LINES) and 0 < steps[first - 1] <= 1.05 * step:
            first -= 1
        neighbours = (*steps[max(0, first - 1) : first], *steps[index + 1 : index + 2])
        row_steps = [neighbour for neighbour in neighbours if neighbour > 0]
        if not row_steps or not 0 < step < _MAX_LINE_DISTANCE * min(row_steps):
            continue
        *label, row = lines[first : index + 2]
        label_end = _label_end(textpage, text, row, step)
        if label_end is not None and all(_begins_label(textpage, text, line, row, step) for line in label):
            # A word wraps because it doesn't fit, so the line before it is the longer one.
            joined.update(range(first, index + 1) if label[-1].right >= label_end else ())
    return joined


def _begins_label(textpage: Any, text: str, line: Line, row: Line, step: float) -> bool:
    """Return whether `line` can start the label of `row`, the line with the figures, and isn't a heading."""
    is_aligned = abs(line.left - row.left) < 2 * step and line.right <= row.right
    is_heading = text[line.start : line.end].rstrip().endswith(":")
    return is_aligned and not is_heading and _label_end(textpage, text, line, step) is None


def _label_end(textpage: Any, text: str, line: Line, gap: float) -> float | None:
    """Return the right edge of the first word that is more than `gap` points from the next one.

    None if there is no such word or the line doesn't end in a figure.
    """
    if not _ends_in_figure(text[line.start : line.end]):
        return None
    words = [match.span() for match in _WORD.finditer(text[line.start : line.end])]
    for (_, end), (start, _) in pairwise(words):
        before, after = _box(textpage, line.start + end - 1), _box(textpage, line.start + start)
        if before and after and after[0] - before[1] > gap:
            return before[1]
    return None


def _ends_in_figure(line: str) -> bool:
    """Return whether a line ends in a figure such as 1,234.5, (12) or 7%, or in the dash that means none."""
    line = line.rstrip()
    return line.endswith(_DASHES) or line.rstrip(")%").rstrip(".,")[-1:].isdecimal()


def _lines(textpage: Any, text: str) -> list[Line]:
    """Return the page's non-empty lines, or no lines if characters can't be matched to positions."""
    if text and max(text) > "\uffff":  # PDFium counts such a character twice
        return []
    lines, start = [], 0
    for line in text.split(_LINE_END):
        end = start + len(line)
        if stripped := line.strip():
            first = start + line.index(stripped)
            first_box, last_box = _box(textpage, first), _box(textpage, first + len(stripped) - 1)
            if first_box is None or last_box is None:
                return []
            lines.append(Line(start, end, first_box[0], last_box[1], first_box[2], last_box[2]))
        start = end + len(_LINE_END)
    return lines


def _box(textpage: Any, index: int) -> tuple[float, float, float] | None:
    """Return the left edge, right edge and baseline of the character at `index` of the page's text."""
    from pypdfium2 import raw

    character = raw.FPDFText_GetCharIndexFromTextIndex(textpage, index)
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    has_box = raw.FPDFText_GetCharBox(textpage, character, left, right, bottom, top)
    if not has_box or not raw.FPDFText_GetCharOrigin(textpage, character, x, y):
        return None
    return left.value, right.value, y.value
