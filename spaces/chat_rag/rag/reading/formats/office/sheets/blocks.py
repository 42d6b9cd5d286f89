"""Parts the cells of a sheet into tables, between empty rows and columns and before further headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rag.reading.formats.office.sheets.columns import beside_each_other
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.header_rows import is_name, mark_header

_MAX_SPAN = 1_000
_DEEPEST = 12  # blocks beside blocks below blocks
_MOST_HEADER_ROWS = 3


def parted(cells: Iterable[GridCell], depth: int = 0) -> Iterator[list[GridCell]]:
    """Yield the cells of each table; they are in order of their rows."""
    open_table: list[GridCell] = []
    for band in _joined_headers(_bands(cells)):
        parts = list(beside_each_other(band))
        if len(parts) == 1 and open_table and _continues(open_table, parts[0]):
            # An empty row inside a table.
            open_table += _moved_up(parts[0], open_table)
            continue
        if open_table:
            yield open_table
        open_table = parts[0] if len(parts) == 1 else []
        for part in parts if len(parts) > 1 else ():
            yield from parted(part, depth + 1) if depth < _DEEPEST else [part]
    if open_table:
        yield open_table


def from_origin(table: Sequence[GridCell]) -> list[GridCell]:
    """Return the cells without the rows and columns in which none begins, counted from 0."""
    rows, columns = sorted({cell.row for cell in table}), sorted({cell.column for cell in table})
    row_places = {row: number for number, row in enumerate(rows)}
    column_places = {column: number for number, column in enumerate(columns)}
    return [
        replace(
            cell,
            row=row_places[cell.row],
            column=column_places[cell.column],
            row_span=_span(rows, row_places[cell.row], cell.row + cell.row_span),
            column_span=_span(columns, column_places[cell.column], cell.column + cell.column_span),
        )
        for cell in table
    ]


def _span(places: Sequence[int], first: int, end: int) -> int:
    """Return how many places from the first one are before the end."""
    if end == places[first] + 1:
        return 1
    return sum(place < end for place in places[first : first + end - places[first]])


def _moved_up(rows: list[GridCell], table: Sequence[GridCell]) -> list[GridCell]:
    gap = rows[0].row - max(cell.row + cell.row_span for cell in table)
    return [replace(cell, row=cell.row - gap) for cell in rows]


def _continues(table: Sequence[GridCell], following: Sequence[GridCell]) -> bool:
    """Return whether the rows stand below a table with a header and have none of their own."""
    columns = {cell.column for cell in table}
    first = [cell for cell in following if cell.row == following[0].row]
    return (
        len(first) > 1
        and {cell.column for cell in following} <= columns
        and any(cell.header for cell in mark_header(from_origin(table)))
        and not any(cell.header for cell in mark_header(from_origin([*first, replace(first[0], row=first[0].row + 1)])))
    )


def _bands(cells: Iterable[GridCell]) -> Iterator[list[GridCell]]:
    """Yield the cells between rows that are empty, and those of titles and of further tables below."""
    band: list[GridCell] = []
    end = 0
    for _, group in groupby(cells, key=lambda cell: cell.row):
        row = list(map(_bounded, group))
        if band and (row[0].row > end or _is_apart(band, row)):
            yield from _before_headers(band)
            band = []
        band += row
        end = max(end, *(cell.row + cell.row_span for cell in row))
    if band:
        yield from _before_headers(band)


def _bounded(cell: GridCell) -> GridCell:
    if max(cell.row_span, cell.column_span) <= _MAX_SPAN:
        return cell
    return replace(cell, row_span=min(cell.row_span, _MAX_SPAN), column_span=min(cell.column_span, _MAX_SPAN))


def _is_apart(band: Sequence[GridCell], row: Sequence[GridCell]) -> bool:
    """Return whether several names stand at the right or left of all cells above them, as a header at their corner."""
    if len(row) < 2 or not all(is_name(cell.text) for cell in row):
        return False
    right = max(cell.column + cell.column_span for cell in band)
    return row[0].column >= right or row[-1].column + row[-1].column_span <= min(cell.column for cell in band)


def _before_headers(band: Sequence[GridCell]) -> Iterator[list[GridCell]]:
    """Yield the title of a band, and its rows up to each further header."""
    rows = [list(row) for _, row in groupby(band, key=lambda cell: cell.row)]
    left = min(cell.column for cell in band)
    first = 0
    if len(rows) > 1 and len(rows[0]) == 1 and (rows[0][0].column_span > 1 and rows[0][0].row_span == 1):
        yield rows[0]
        first = 1
    has_figures = False
    for number in range(first + 1, len(rows)):
        has_figures = has_figures or _has_figures(rows[number - 1])
        if has_figures and _begins_table(rows, first, number, left):
            yield [cell for row in rows[first:number] for cell in row]
            first, has_figures = number, False
    yield [cell for row in rows[first:] for cell in row]


def _begins_table(rows: Sequence[Sequence[GridCell]], first: int, number: int, left: int) -> bool:
    """Return whether a row is a header like the first one, or a title above a header, in the midst of figures."""
    is_title = len(rows[number]) == 1 and rows[number][0].column == left
    header = number + is_title
    if header + 1 >= len(rows) or len(rows[header]) < 2 or not _has_figures(rows[header + 1]):
        return False
    names = rows[header]
    if not all(is_name(cell.text) for cell in names):
        return False
    if is_title:
        # Words in a column of figures are names; in other columns they may be data.
        above = {cell.column for row in rows[first:number] for cell in row if not is_name(cell.text)}
        below = {cell.column for cell in rows[header + 1] if not is_name(cell.text)}
        return bool(above & below & {cell.column for cell in names}) and _is_label(rows[header + 1][0], left)
    top = rows[first]
    is_same = (names[0].column, names[0].text) == (top[0].column, top[0].text)
    return is_same and all(is_name(cell.text) for cell in top)


def _is_label(cell: GridCell, left: int) -> bool:
    return cell.column == left and is_name(cell.text)


def _has_figures(row: Sequence[GridCell]) -> bool:
    return any(not is_name(cell.text) and any(map(str.isdigit, cell.text)) for cell in row)


def _joined_headers(bands: Iterable[list[GridCell]]) -> Iterator[list[GridCell]]:
    """Yield the bands; rows of names above an empty row, and the figures below it, are one."""
    header: list[GridCell] = []
    for band in bands:
        if header and _is_header_of(header, band):
            yield [*(replace(cell, header=True) for cell in header), *_moved_up(band, header)]
            header = []
            continue
        if header:
            yield header
        header = band if _may_be_header(band) else []
        if not header:
            yield band
    if header:
        yield header


def _may_be_header(band: Sequence[GridCell]) -> bool:
    last = sum(cell.row == band[-1].row for cell in band)
    return last > 1 and band[-1].row - band[0].row < _MOST_HEADER_ROWS and all(is_name(cell.text) for cell in band)


def _is_header_of(header: Sequence[GridCell], band: Sequence[GridCell]) -> bool:
    """Return whether all columns of figures below an empty row have names above it, and labels at their left."""
    if band[0].row > header[-1].row + 2 or not is_name(band[0].text):
        return False
    names = {column for cell in header for column in range(cell.column, cell.column + cell.column_span)}
    left = min(cell.column for cell in band)
    first = [cell for cell in band if cell.row == band[0].row]
    figures = {cell.column for cell in band if cell.column > left and not is_name(cell.text)}
    return bool(figures) and _has_figures(first) and figures <= names and max(names) <= max(figures)
