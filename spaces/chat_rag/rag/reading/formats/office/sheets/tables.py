"""Finds the tables of a sheet: blocks of cells that empty rows and columns separate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rag.reading.markdown.content_writer import ContentWriter, GridCell, mark_header

_MAX_SPAN = 1_000


def add_sheet(writer: ContentWriter, name: str, cells: Iterable[GridCell]) -> None:
    """Add a sheet's tables under a heading with its name; `cells` are those with text, in order of rows."""
    tables = list(_tables(writer.limited(cells)))
    if not tables:
        return
    writer.add_block(f"# {' '.join(name.split())}")
    caption = ""
    for table in tables:
        # A line of its own above a table is its title.
        while table and (title := _title(table)):
            if caption:
                writer.add_block(caption)
            caption, table = title, [cell for cell in table if cell.row > table[0].row]
        if table:
            writer.add_table(_from_origin(table), caption)
            caption = ""
    if caption:
        writer.add_block(caption)


def _title(table: list[GridCell]) -> str:
    """Return the text of the first row if it has only one cell, which isn't the only column of a table."""
    first = [cell for cell in table if cell.row == table[0].row]
    if len(first) > 1 or (len(table) > 1 and len({cell.column for cell in table}) == 1):
        return ""
    return " ".join(first[0].text.split())


def _tables(cells: Iterable[GridCell]) -> Iterator[list[GridCell]]:
    open_tables: list[list[GridCell]] = []
    for band in _bands(cells):
        parts = list(_split_columns(band))
        if len(parts) == 1 and len(open_tables) == 1 and _continues(open_tables[0], parts[0]):
            # An empty row inside a table.
            gap = parts[0][0].row - max(cell.row + cell.row_span for cell in open_tables[0])
            open_tables[0] += [replace(cell, row=cell.row - gap) for cell in parts[0]]
            continue
        yield from open_tables
        open_tables = parts
    yield from open_tables


def _continues(table: list[GridCell], following: list[GridCell]) -> bool:
    """Return whether the rows stand below a table with a header and have none of their own."""
    columns = {cell.column for cell in table}
    first = [cell for cell in following if cell.row == following[0].row]
    return (
        len(first) > 1
        and {cell.column for cell in following} <= columns
        and any(cell.header for cell in mark_header(_from_origin(table)))
        and not any(
            cell.header for cell in mark_header(_from_origin([*first, replace(first[0], row=first[0].row + 1)]))
        )
    )


def _bands(cells: Iterable[GridCell]) -> Iterator[list[GridCell]]:
    """Yield the cells between rows that are empty."""
    band: list[GridCell] = []
    end = 0
    for cell in cells:
        if band and cell.row > end:
            yield band
            band = []
        if max(cell.row_span, cell.column_span) > _MAX_SPAN:
            cell = replace(cell, row_span=min(cell.row_span, _MAX_SPAN), column_span=min(cell.column_span, _MAX_SPAN))
        band.append(cell)
        end = max(end, cell.row + band[-1].row_span)
    if band:
        yield band


def _split_columns(band: list[GridCell]) -> Iterator[list[GridCell]]:
    """Yield the parts of a band between columns that are empty, from left to right."""
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


def _from_origin(table: list[GridCell]) -> list[GridCell]:
    top, left = min(cell.row for cell in table), min(cell.column for cell in table)
    return [replace(cell, row=cell.row - top, column=cell.column - left) for cell in table]
