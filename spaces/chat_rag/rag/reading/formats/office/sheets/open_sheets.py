"""Reads ODS spreadsheets: each cell has its displayed text beside its value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.documents import Content, Limits, NoteKind
from rag.reading.formats.names_note import names_note
from rag.reading.formats.office.archive import OPEN_DOCUMENT, OtherParts, checked_parts, parse_xml
from rag.reading.formats.office.open_document import OFFICE, TABLE, plain_text
from rag.reading.formats.office.open_hidden import hidden_columns, hidden_styles, is_hidden
from rag.reading.formats.office.sheets.open_extras import add_extras, printed_lines
from rag.reading.formats.office.sheets.tables import add_sheet
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.ocr.inner_pictures import InnerPictures

# A repeated cell with text beyond these is a format that reaches the sheet's end.
_MAX_REPEAT = 1_000


def read_open_sheets(data: bytes, name: str, limits: Limits) -> Content:
    """Return the tables of each visible sheet under a heading with its name."""
    parts = checked_parts(data, name, limits, OPEN_DOCUMENT)
    root = parse_xml(parts["content.xml"])
    hidden_names = hidden_styles(root)
    writer, other_parts = ContentWriter(name, limits), OtherParts(data)
    hidden = []
    with InnerPictures(writer, name, limits) as pictures:
        for sheet in root.iter(f"{TABLE}table"):
            title = sheet.get(f"{TABLE}name", "")
            if sheet.get(f"{TABLE}style-name") in hidden_names:
                hidden.append(title)
                continue
            left_out: set[str] = set()
            add_sheet(writer, title, _cells(sheet, left_out))
            writer.note_hidden(len(left_out))
            add_extras(writer, sheet, parts, other_parts, pictures)
    for line in printed_lines(parse_xml(parts["styles.xml"]) if parts.get("styles.xml") else None):
        writer.add_block(line)
    if hidden:
        writer.notes.append(names_note(NoteKind.HIDDEN_SHEETS, hidden, len(hidden)))
    return writer.content()


def _cells(sheet: Any, left_out: set[str]) -> Iterator[GridCell]:
    """Yield the cells with text; add the hidden rows and columns that have text to `left_out`."""
    columns_hidden = hidden_columns(sheet)
    number = 0
    for row in sheet.iter(f"{TABLE}table-row"):
        cells = list(_row_cells(row))
        repeats = int(row.get(f"{TABLE}number-rows-repeated", "1"))
        if cells and is_hidden(row):
            left_out.add(f"row {number}")
            cells = []
        for repeat in range(min(repeats, _MAX_REPEAT) if cells else 0):
            for column, text, row_span, column_span in cells:
                if column in columns_hidden:
                    left_out.add(f"column {column}")
                else:
                    yield GridCell(number + repeat, column, text, row_span, column_span)
        number += repeats


def _row_cells(row: Any) -> Iterator[tuple[int, str, int, int]]:
    column = 0
    for cell in row.iter(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
        repeats = int(cell.get(f"{TABLE}number-columns-repeated", "1"))
        text = plain_text(cell) or _value(cell)
        if text.strip() and cell.tag == f"{TABLE}table-cell":
            spans = [int(cell.get(f"{TABLE}number-{kind}-spanned", "1")) for kind in ("rows", "columns")]
            for repeat in range(min(repeats, _MAX_REPEAT)):
                yield column + repeat, text, spans[0], spans[1]
        column += repeats


def _value(cell: Any) -> str:
    """Return the value of a cell without a displayed text, which office programs always write."""
    kinds = ("string-value", "date-value", "time-value", "boolean-value", "value")
    value = str(next(filter(None, (cell.get(f"{OFFICE}{kind}") for kind in kinds)), ""))
    return value.upper() if cell.get(f"{OFFICE}value-type") == "boolean" else value
