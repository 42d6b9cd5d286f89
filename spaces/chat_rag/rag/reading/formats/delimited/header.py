"""Finds the header of a table without marks, by comparing the first rows with those below them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBER = re.compile(r"[(+\-−]?\s?[$€£¥]?\s?\d[\d.,' \xa0\u202f]*+(?:[%€$£¥)]|[A-Z]{3})?")
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[ T]\d{1,2}:\d{2}\S{0,20})?|\d{1,2}:\d{2}(?::\d{2})?")
_YEAR = re.compile(r"(?:FY\s?)?(?:19|20)\d\d")
_MAX_TITLE_ROWS, _BODY_ROWS = 20, 100


@dataclass(frozen=True, slots=True)
class Layout:
    """The rows of a table: `titles` rows above it, then `headers` rows with names, then the data."""

    titles: int
    headers: int


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, perhaps with a currency or a percent sign."""
    return bool(_NUMBER.fullmatch(cell.strip()))


def find_layout(rows: Sequence[Sequence[str]]) -> Layout:
    """Return the layout of a table from its first rows."""
    titles = _count_titles(rows)
    header, body = rows[titles : titles + 1], rows[titles + 1 :][:_BODY_ROWS]
    if not header or not _is_header(header[0], body):
        return Layout(titles, 0)
    # A row of groups has gaps: a name stands above the first of its columns only.
    has_gaps = any(not cell.strip() for cell in header[0][1:]) and _filled(header[0]) > 1
    if has_gaps and len(body) > 1 and _filled(body[0]) > 1 and _is_second_header(body[0], body[1:]):
        return Layout(titles, 2)
    if len(body) > 1 and _has_units(body[0], body[1:]):
        return Layout(titles, 2)
    return Layout(titles, 1)


def _count_titles(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows come before the table: those of one cell, and comments."""
    widths = sorted(_filled(row) for row in rows)
    if not widths or widths[len(widths) // 2] < 2:
        return 0
    for count, row in enumerate(rows[:_MAX_TITLE_ROWS]):
        is_comment = row[0].lstrip().startswith("#") and len(row[0].strip()) > 1 and row[0].strip()[1] in " #!"
        if not is_comment and (_filled(row) > 1 or not row[0].strip()):
            return count
    return 0


def _is_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    kinds = [_kind(cell) for cell in first]
    if not body:
        return "number" not in kinds
    columns = [[row[index] for row in body if index < len(row) and row[index].strip()] for index in range(len(first))]
    if _has_years(first, columns):
        return True
    for cell, kind, column in zip(first, kinds, columns, strict=True):
        if not kind or not column:
            continue
        usual = max({_kind(value) for value in column}, key=[_kind(value) for value in column].count)
        if kind != "text" and (kind == usual or "text" not in kinds):
            return False  # a figure above figures is data
        if kind == usual == "text" and cell.strip() in {value.strip() for value in column}:
            return False  # a name isn't one of its values
    return "text" in kinds


def _has_years(first: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Return whether years are names of columns: several in their order, above figures that aren't such years."""
    years = [index for index, cell in enumerate(first) if _YEAR.fullmatch(cell.strip())]
    if len(years) < 2 or any(_kind(cell) not in ("", "text") for i, cell in enumerate(first) if i not in years):
        return False
    values = [int(first[index].strip()[-4:]) for index in years]
    in_order = values in (sorted(set(values)), sorted(set(values), reverse=True))
    return in_order and any(not _YEAR.fullmatch(value.strip()) for index in years for value in columns[index])


def _is_second_header(row: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    return all(_kind(cell) in ("", "text") for cell in row) and _is_header(row, body) and _has_figures(body)


def _has_units(row: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Return whether a row has units: words above figures, and nothing above the labels of the rows."""
    if not row or row[0].strip() or not all(below and below[0].strip() for below in body):
        return False
    columns = [[below[i] for below in body if i < len(below) and below[i].strip()] for i in range(len(row))]
    filled = [(cell, column) for cell, column in zip(row, columns, strict=True) if cell.strip()]
    return bool(filled) and all(
        _kind(cell) == "text" and column and all(map(is_number, column)) for cell, column in filled
    )


def _has_figures(body: Sequence[Sequence[str]]) -> bool:
    return any(is_number(cell) for row in body for cell in row)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _kind(cell: str) -> str:
    cell = cell.strip()
    if not cell:
        return ""
    if _DATE.fullmatch(cell):
        return "date"
    if _NUMBER.fullmatch(cell):
        return "number"
    is_address = " " not in cell and ("@" in cell[1:] or cell.startswith(("http://", "https://")))
    return "address" if is_address else "text"
