"""Reads XLS workbooks, the format of Excel before 2007."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from rag.documents import Content, Limits, NoteKind
from rag.errors import FileError, FileProblem
from rag.reading.formats.names_note import names_note
from rag.reading.formats.office.number_format import display_value
from rag.reading.formats.office.sheets.old_extras import add_extras, add_pictures
from rag.reading.formats.office.sheets.tables import add_sheet
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.ocr.inner_pictures import InnerPictures


def read_old_workbook(data: bytes, name: str, limits: Limits) -> Content:
    """Return the tables of each visible sheet under a heading with its name."""
    import xlrd

    try:
        workbook = xlrd.open_workbook(
            file_contents=data, formatting_info=True, ragged_rows=True, on_demand=True, logfile=io.StringIO()
        )
    except xlrd.XLRDError as error:
        raise FileError(FileProblem.OLD_WORKBOOK, name=name) from error
    writer = ContentWriter(name, limits)
    hidden = []
    for number, sheet in enumerate(workbook.sheets()):
        if sheet.visibility:
            hidden.append(sheet.name)
        else:
            left_out: set[str] = set()
            add_sheet(writer, sheet.name, _cells(workbook, sheet, left_out))
            writer.note_hidden(len(left_out))
            add_extras(writer, workbook, number)
    with InnerPictures(writer, name, limits) as pictures:
        add_pictures(pictures, workbook)
    if hidden:
        writer.notes.append(names_note(NoteKind.HIDDEN_SHEETS, hidden, len(hidden)))
    return writer.content()


def _cells(workbook: Any, sheet: Any, left_out: set[str]) -> Iterator[GridCell]:
    """Yield the cells with text; add the hidden rows and columns with text to `left_out`."""
    spans = {(top, left): (bottom - top, right - left) for top, bottom, left, right in sheet.merged_cells}
    hidden_rows, hidden_columns = _hidden(sheet.rowinfo_map), _hidden(sheet.colinfo_map)
    for row in range(sheet.nrows):
        for column in range(sheet.row_len(row)):
            text = _display(workbook, sheet.cell(row, column))
            if not text.strip():
                continue
            if row in hidden_rows or column in hidden_columns:
                left_out.add(f"row {row}" if row in hidden_rows else f"column {column}")
            else:
                yield GridCell(row, column, text, *spans.get((row, column), (1, 1)))


def _hidden(lines: dict[int, Any]) -> set[int]:
    """Return the hidden rows or columns; those of a folded group stay, which a button unfolds."""
    return {number for number, line in lines.items() if line.hidden and not line.outline_level}


def _display(workbook: Any, cell: Any) -> str:
    import xlrd

    number_format = workbook.format_map[workbook.xf_list[cell.xf_index].format_key].format_str
    value = cell.value
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(value, "#ERROR"))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return display_value(bool(value), number_format)
    if cell.ctype == xlrd.XL_CELL_DATE:
        from openpyxl.styles.numbers import is_timedelta_format
        from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

        epoch = CALENDAR_MAC_1904 if workbook.datemode else CALENDAR_WINDOWS_1900
        value = from_excel(value, epoch, timedelta=is_timedelta_format(number_format))
    elif cell.ctype == xlrd.XL_CELL_NUMBER and value.is_integer():
        value = int(value)
    return display_value(value, number_format)
