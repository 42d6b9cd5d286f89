"""Writes the tables of a sheet under a heading with its name."""

from __future__ import annotations

from collections.abc import Iterable

from rag.reading.formats.office.sheets.blocks import from_origin, parted
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.content_writer import ContentWriter


def add_sheet(writer: ContentWriter, name: str, cells: Iterable[GridCell]) -> None:
    """Add a sheet's tables under a heading with its name; `cells` are those with text, in order of rows."""
    tables = list(parted(writer.limited(cells)))
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
        if _is_lines(table):
            for line in filter(None, [caption, *(" ".join(cell.text.split()) for cell in table)]):
                writer.add_block(line)
            caption = ""
        elif table:
            writer.add_table(from_origin(table), caption)
            caption = ""
    if caption:
        writer.add_block(caption)


def _is_lines(table: list[GridCell]) -> bool:
    """Return whether each row is one cell over several columns: a paragraph."""
    return bool(table) and len({cell.column for cell in table}) == 1 and max(cell.column_span for cell in table) > 1


def _title(table: list[GridCell]) -> str:
    """Return the text of the first row if it has only one cell, which isn't the only column of a table."""
    first = [cell for cell in table if cell.row == table[0].row]
    if len(first) > 1 or (len(table) > 1 and len({cell.column for cell in table}) == 1):
        return ""
    return " ".join(first[0].text.split())
