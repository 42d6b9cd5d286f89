"""Parts rows of a sheet between empty columns, unless a side has no labels of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.header_rows import is_name

_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\b")
_MOST_HEADER_ROWS = 3


def beside_each_other(band: Sequence[GridCell]) -> Iterator[list[GridCell]]:
    """Yield the tables of some rows from left to right: their figures stay with their labels."""
    open_part: list[GridCell] = []
    for part in _between_empty_columns(band):
        if open_part and not _belongs(open_part, part):
            yield open_part
            open_part = []
        open_part += part
    if open_part:
        yield sorted(open_part, key=lambda cell: (cell.row, cell.column))


def _between_empty_columns(band: Sequence[GridCell]) -> Iterator[list[GridCell]]:
    by_column = sorted({(cell.column, cell.column + cell.column_span) for cell in band})
    starts, end = [], -1
    for first, after in by_column:
        if first > end:
            starts.append(first)
        end = max(end, after)
    parts: list[list[GridCell]] = [[] for _ in starts]
    numbers: dict[int, int] = {}
    number = -1
    for first, _ in by_column:
        number += number + 1 < len(starts) and first >= starts[number + 1]
        numbers[first] = number
    for cell in band:
        parts[numbers[cell.column]].append(cell)
    yield from parts


def _belongs(left: Sequence[GridCell], right: Sequence[GridCell]) -> bool:
    """Return whether two parts are one table: in the same rows, and one of them has no labels."""
    left_rows, right_rows = {cell.row for cell in left}, {cell.row for cell in right}
    shared = len(left_rows & right_rows)
    if 2 * shared < min(len(left_rows), len(right_rows)) + 1:
        return False
    is_single, left_is_single = (len({cell.column for cell in part}) == 1 for part in (right, left))
    if not right_rows <= left_rows:
        # Numbers before the rows that they count.
        return left_is_single and not is_single and _has_no_labels(left) and shared > 1
    if _has_no_labels(right):
        return not _has_no_labels(left) or (left_is_single and not is_single)
    if left_is_single and not is_single:
        return True
    return is_single and not left_is_single and shared > 1 and 2 * shared > len(left_rows)


def _has_no_labels(part: Sequence[GridCell]) -> bool:
    """Return whether the first column of a part has figures below its names, and the next one isn't named by them."""
    columns = sorted({cell.column for cell in part})
    first = _body(part, columns[0])
    labels = sum(map(_is_label, first))
    if 2 * labels >= len(first) or not any(any(map(str.isdigit, text)) for text in first):
        return False
    following = _body(part, columns[1]) if len(columns) > 1 else []
    is_numbered = bool(following) and all(map(_is_label, following)) and _counts(first)
    return not is_numbered


def _body(part: Sequence[GridCell], column: int) -> list[str]:
    """Return the texts of a column below its header."""
    texts = [cell.text.strip() for cell in part if cell.column == column]
    header = 0
    while header < min(len(texts), _MOST_HEADER_ROWS) and is_name(texts[header]):
        header += 1
    # A column of years has no other names.
    return texts[header:] if header < len(texts) else texts[1:]


def _counts(texts: Sequence[str]) -> bool:
    numbers = [int(text) for text in texts if text.isdecimal() and len(text) < 10]
    return len(numbers) == len(texts) and all(one < other for one, other in pairwise(numbers))


def _is_label(text: str) -> bool:
    return is_name(text) or bool(_DATE.match(text))
