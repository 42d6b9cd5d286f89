"""The parts of a Markdown line: what stands before its text, and the cells of a table's row."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Quotation marks, list marks and task boxes of a line, then the marks of a heading.
_PREFIX = re.compile(r"(?:\s|>|[-*+•]\s|\d{1,3}[.)]\s|\[[ xX]\]\s)*")
_HEADING = re.compile(r"\s{0,3}#{1,6}(?:\s|$)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_ROW = re.compile(r"[ \t]{0,8}\|")
# A shorter line isn't broken at a margin.
MIN_WRAPPED = 45
_BAR = re.compile(r"(?<!\\)\|")


def text_start(line: str) -> int:
    """Return where the text of a line begins, after the marks of a list, a quotation or a heading."""
    if heading := _HEADING.match(line):
        return heading.end()
    return _PREFIX.match(line).end()  # type: ignore[union-attr]  # it also matches nothing


def is_heading(line: str) -> bool:
    """Return whether a line is a heading."""
    return bool(_HEADING.match(line))


def is_wrapped(line: str, space: str, following: str) -> bool:
    """Return whether the white space after a line breaks a sentence in two: its text goes on with `following`."""
    line = line.rstrip()
    if space.count("\n") != 1 or not following.isalpha() or is_heading(line) or is_row(line):
        return False
    return len(line) >= MIN_WRAPPED and (line[-1].isalpha() or line[-1] in ",-–(" or following.islower())


def is_row(line: str) -> bool:
    """Return whether a line begins like the row of a table."""
    return bool(_ROW.match(line))


def is_item(line: str) -> bool:
    """Return whether a line begins like the item of a list."""
    return bool(_ITEM.match(line))


def is_delimiter_row(line: str) -> bool:
    """Return whether a line stands between the header and the rows of a table: |---|---|."""
    return "-" in line and set(line) <= set(" \t|:-")


def row_cells(line: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the cells of a row, without the white space around them."""
    bars = [bar.start() for bar in _BAR.finditer(line)]
    for left, right in zip(bars, [*bars[1:], len(line)], strict=True):
        cell = line[left + 1 : right]
        if right < len(line) or cell.strip():
            start = left + 1 + len(cell) - len(cell.lstrip())
            yield min(start, right), max(min(start, right), left + 1 + len(cell.rstrip()))
