"""Finds the rows of a table that name its columns, if its format doesn't say which they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.reading.markdown.cells import GridCell

_BODY_ROWS = 50  # rows below a header that are looked at
# A year, a period such as 1Q 2024, a sign for numbers, or words.
_NAME = re.compile(r"(19|20)\d\d\b|\d{1,2}[QHM]\b ?\d*|(?:#|№)$|\D*[^\W\d]")
_NO_VALUE = frozenset(["n/a", "na", "n.a.", "none", "nil", "tbd", "unknown", "yes", "no", "true", "false", "x"])
_UNIT = re.compile(
    r"\(.{1,40}\)|\[.{1,40}\]|[%‰€$£¥#]|(?:in|per|pro|en) \S.{0,40}"
    r"|(?:[A-Z]{3}|US\$|[€$£¥])(?: ?(?:k|m|mn|mln|bn|million|billion|thousand)s?)?"
    r"|(?:k|m|mn|bn|million|billion|thousand)s?|[kmc]?[gmlt][²³]?|[kMGT]?Wh?|pcs|units?"
)
_UNIT_LABEL = re.compile(r"(?i)(?:units?|measure|einheit(?:en)?|unités?)\b")


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a column: a year, or one that doesn't start with a figure."""
    return bool(_NAME.match(text))


def mark_header(cells: Iterable[GridCell]) -> list[GridCell]:
    """Return the cells; if none is a header, those of the first row become headers if they name columns.

    The row below a header that spans columns belongs to the header, too, and so does one of units or further names.
    """
    cells = list(cells)
    if any(cell.header for cell in cells) or not any(cell.row for cell in cells):
        return cells
    first = [cell for cell in cells if cell.row == 0]
    count = max((cell.row_span for cell in first), default=1)
    if count == 1:
        top, second = ([cell for cell in cells if cell.row == row and cell.text] for row in range(2))
        body = [cell for cell in cells if 2 <= cell.row < 2 + _BODY_ROWS and cell.text]
        if any(cell.column_span > 1 for cell in first):
            count = 2
        elif _has_groups(top, second, body):
            count, cells = 2, _with_wide_groups(cells, top, second)
        elif _is_second_header(top, second, body):
            count = 2
    header = [cell for cell in cells if cell.row < count and cell.text]
    is_named = all(is_name(cell.text) or (cell.row and _UNIT.fullmatch(cell.text)) for cell in header)
    if not is_named or max(cell.row for cell in cells) < count:
        return cells
    return [replace(cell, header=True) if cell.row < count else cell for cell in cells]


def _has_groups(first: Sequence[GridCell], second: Sequence[GridCell], body: Sequence[GridCell]) -> bool:
    """Return whether the first row names groups of the columns that the second one names, each over its first one."""
    if len(first) < 2 or len(second) < 4 or not all(is_name(cell.text) for cell in (*first, *second)):
        return False
    label, *names = second
    starts, columns = [cell.column for cell in first], [cell.column for cell in second]
    repeated = len({cell.text for cell in names}) < len(names)
    in_groups = starts[0] == names[0].column and set(starts) < set(columns) and label.column < starts[0]
    return repeated and in_groups and _all_figures(body, [cell.column for cell in names])


def _with_wide_groups(
    cells: Sequence[GridCell], first: Sequence[GridCell], second: Sequence[GridCell]
) -> list[GridCell]:
    """Return the cells with each group reaching to the next one."""
    starts = [*(cell.column for cell in first), second[-1].column + second[-1].column_span]
    spans = {start: following - start for start, following in pairwise(starts)}
    kept = [cell for cell in cells if cell.row or cell.text]
    return [replace(cell, column_span=spans[cell.column]) if cell.row == 0 else cell for cell in kept]


def _is_second_header(first: Sequence[GridCell], second: Sequence[GridCell], body: Sequence[GridCell]) -> bool:
    """Return whether the second row goes on with the names above figures, or has their units."""
    left = min((cell.column for cell in (*first, *second, *body)), default=0)
    names = [cell for cell in second if cell.column > left]
    if not names or any(cell.text.lower() in _NO_VALUE for cell in names):
        return False
    units = all(_UNIT.fullmatch(cell.text) for cell in names)
    label = next((cell.text for cell in second if cell.column == left), "")
    if label and not (units or _UNIT_LABEL.match(label)):
        return False
    if not units and not all(is_name(cell.text) for cell in names):
        return False
    has_labels = any(cell.column == left and is_name(cell.text) for cell in body)
    return has_labels and _all_figures(body, [cell.column for cell in names])


def _all_figures(body: Sequence[GridCell], columns: Sequence[int]) -> bool:
    """Return whether each of some columns has figures, and else only words and dashes for none."""
    for column in columns:
        texts = [text for cell in body if cell.column == column and (text := cell.text.lower()) not in _NO_VALUE]
        if any(map(is_name, texts)) or not any(character.isdigit() for text in texts for character in text):
            return False
    return True
