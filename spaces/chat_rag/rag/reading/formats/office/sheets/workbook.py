"""Reads XLSX workbooks: values as displayed, merged cells, and which sheets are hidden."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

from rag.documents import Content, Limits, NoteKind
from rag.reading.formats.names_note import names_note
from rag.reading.formats.office.archive import WORKBOOK, OtherParts, checked_parts, packed
from rag.reading.formats.office.number_format import display_value
from rag.reading.formats.office.relations import embedded_names
from rag.reading.formats.office.sheets.extras import (
    add_comments,
    add_drawn_texts,
    add_printed_lines,
    chart_sheets,
    mark_raised,
    picture_parts,
)
from rag.reading.formats.office.sheets.tables import add_sheet
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.content_writer import MAX_COLUMNS, ContentWriter
from rag.reading.ocr.inner_pictures import InnerPictures

_EMPTY_CELL = re.compile(rb'<c r="[A-Z]+[0-9]+"(?: [a-z]+="[^"<>]*+")*+/>')
_EMPTY_ROW = re.compile(rb'<row r="[0-9]+"[^<>/]*+(?:/>|>\s*+</row>)')


def read_workbook(data: bytes, name: str, limits: Limits) -> Content:
    """Return the tables of each visible sheet under a heading with its name."""
    import openpyxl

    parts = checked_parts(data, name, limits, WORKBOOK)
    archive = packed({part: _without_empty_cells(content) for part, content in parts.items()})
    writer, other_parts = ContentWriter(name, limits), OtherParts(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions that it doesn't know
        workbook = openpyxl.load_workbook(archive, read_only=True, data_only=True, keep_links=False)
        sheets = workbook.worksheets
        if sheets:
            mark_raised(sheets[0]._shared_strings, parts.get("xl/sharedStrings.xml", b""))
        hidden = tuple(sheet.title for sheet in sheets if sheet.sheet_state != "visible")
        missing_results: list[str] = []
        embedded: list[str] = []
        with InnerPictures(writer, name, limits) as pictures:
            for sheet in sheets:
                if sheet.sheet_state == "visible":
                    left_out: set[str] = set()
                    add_sheet(writer, sheet.title, _cells(workbook, sheet, missing_results, left_out))
                    writer.note_hidden(len(left_out))
                    add_comments(writer, parts, sheet._worksheet_path)
                    add_drawn_texts(writer, parts, sheet._worksheet_path)
                    add_printed_lines(writer, parts, sheet._worksheet_path)
                    embedded += embedded_names(parts, sheet._worksheet_path)
                    for part in picture_parts(parts, sheet._worksheet_path):
                        pictures.add(other_parts.unpack(part))
            for part in chart_sheets(parts):
                add_drawn_texts(writer, parts, part)
    if embedded:
        writer.notes.append(names_note(NoteKind.UNREAD_ATTACHMENTS, embedded))
    if hidden:
        writer.notes.append(names_note(NoteKind.HIDDEN_SHEETS, hidden, len(hidden)))
    if missing_results:
        kind = NoteKind.FORMULAS_WITHOUT_RESULT
        writer.notes.append(names_note(kind, missing_results, len(missing_results)))
    return writer.content()


def _without_empty_cells(sheet: bytes) -> bytes:
    """Remove cells that have only a format, and rows of them: a million take 12 s in openpyxl.

    What has no position of its own depends on what stands before it; a sheet with that stays as it is.
    """
    for tag in (b"<c", b"<row"):
        if sheet.count(tag + b" ") + sheet.count(tag + b">") != sheet.count(tag + b' r="'):
            return sheet
    return _EMPTY_ROW.sub(b"", _EMPTY_CELL.sub(b"", sheet))


def _cells(workbook: Any, sheet: Any, missing_results: list[str], left_out: set[str]) -> Iterator[GridCell]:
    """Yield the cells with text, in order of rows; add the hidden rows, columns and cells with text to `left_out`."""
    formats = _number_formats(workbook)
    with sheet._get_source() as source:
        parser = _parser(workbook, sheet, source, missing_results)
        cells = [
            (cell["row"] - 1, cell["column"] - 1, text, cell["style_id"])
            for _, row in parser.parse()
            for cell in row
            if (text := display_value(cell["value"], formats.get(cell["style_id"], "General"))).strip()
            and cell["column"] <= MAX_COLUMNS
        ]
    # Merged ranges stand after the cells.
    ranges = parser.merged_cells.mergeCell if parser.merged_cells else ()
    spans = {
        (merged.min_row - 1, merged.min_col - 1): (
            merged.max_row - merged.min_row + 1,
            merged.max_col - merged.min_col + 1,
        )
        for merged in ranges
    }
    hidden_rows, hidden_columns = _hidden(parser)
    # Tables and conditions can give a cell another background.
    invisible = set() if parser.tables.tablePart or parser.formatting else _white_styles(workbook)
    for row, column, text, style in sorted(cells, key=lambda cell: cell[:2]):
        if row in hidden_rows or column in hidden_columns:
            left_out.add(f"row {row}" if row in hidden_rows else f"column {column}")
            continue
        if style in invisible:
            left_out.add(f"cell {row} {column}")
            continue
        yield GridCell(row, column, text, *spans.get((row, column), (1, 1)))


def _hidden(parser: Any) -> tuple[set[int], set[int]]:
    """Return the hidden rows and columns, from 0; those of a folded group stay, which a button unfolds."""
    rows = {int(number) - 1 for number, row in parser.row_dimensions.items() if _is_hidden(row)}
    columns: set[int] = set()
    for column in filter(_is_hidden, parser.column_dimensions.values()):
        columns.update(range(int(column["min"]) - 1, min(int(column["max"]), MAX_COLUMNS)))
    return rows, columns


def _is_hidden(attributes: dict[str, str]) -> bool:
    return attributes.get("hidden") in ("1", "true") and attributes.get("outlineLevel", "0") == "0"


def _white_styles(workbook: Any) -> set[int]:
    """Return the numbers of the styles with white letters and no background."""
    white = set()
    for number, style in enumerate(workbook._cell_styles):
        color, fill = workbook._fonts[style.fontId].color, workbook._fills[style.fillId]
        is_white = color is not None and (
            (color.type == "rgb" and str(color.rgb)[-6:].upper() == "FFFFFF")
            or (color.type == "theme" and color.theme == 0)
        )
        if is_white and getattr(fill, "fill_type", "gradient") in (None, "none"):
            white.add(number)
    return white


def _parser(workbook: Any, sheet: Any, source: Any, missing_results: list[str]) -> Any:
    """Return openpyxl's parser of a sheet; a formula without a stored result shows itself.

    openpyxl's rows would have a cell for each column up to the last one, and its sheets in memory one for each format.
    Its parser yields what is in the file.
    """
    from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

    class Parser(WorkSheetParser):  # type: ignore[misc]  # openpyxl has no types
        def parse_cell(self, element: Any) -> Any:
            cell = super().parse_cell(element)
            if cell["value"] is None and (formula := element.find(FORMULA_TAG)) is not None:
                missing_results.append(sheet.title)
                cell["value"] = f"={formula.text or ''}"
            return cell

    return Parser(
        source,
        sheet._shared_strings,
        data_only=True,
        epoch=workbook.epoch,
        date_formats=workbook._date_formats,
        timedelta_formats=workbook._timedelta_formats,
    )


def _number_formats(workbook: Any) -> dict[int, str]:
    """Return the format of each style by its number."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    own = workbook._number_formats
    formats = {}
    for number, style in enumerate(workbook._cell_styles):
        code = style.numFmtId
        formats[number] = (
            own[code - BUILTIN_FORMATS_MAX_SIZE]
            if code >= BUILTIN_FORMATS_MAX_SIZE
            else BUILTIN_FORMATS.get(code, "General")
        )
    return formats
