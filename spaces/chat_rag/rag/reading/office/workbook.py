"""Reads XLSX workbooks: values as displayed, merged cells, and which sheets are hidden."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from rag.documents import Content, Limits, Note, NoteKind
from rag.reading.office.archive import WORKBOOK, checked_parts, packed
from rag.reading.office.number_format import display_value
from rag.reading.office.sheet_tables import add_sheet
from rag.reading.tables import ContentWriter, GridCell


def read_workbook(data: bytes, name: str, limits: Limits) -> Content:
    """Return the tables of each visible sheet under a heading with its name."""
    import openpyxl

    archive = packed(checked_parts(data, name, limits, WORKBOOK))
    writer = ContentWriter(name, limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions that it doesn't know
        workbook = openpyxl.load_workbook(archive, read_only=True, data_only=True)
        sheets = workbook.worksheets
        hidden = tuple(sheet.title for sheet in sheets if sheet.sheet_state != "visible")
        missing_results: list[str] = []
        for sheet in sheets:
            if sheet.sheet_state == "visible":
                add_sheet(writer, sheet.title, _cells(workbook, sheet, missing_results))
    if hidden:
        writer.notes.append(Note(NoteKind.HIDDEN_SHEETS, len(hidden), hidden))
    if missing_results:
        places = tuple(dict.fromkeys(missing_results))
        writer.notes.append(Note(NoteKind.FORMULAS_WITHOUT_RESULT, len(missing_results), places))
    return writer.content()


def _cells(workbook: Any, sheet: Any, missing_results: list[str]) -> Iterator[GridCell]:
    """Return the cells with text; a formula without a stored result shows itself.

    openpyxl's rows would have a cell for each column up to the last one, and its sheets in memory one for each format.
    Its parser yields what is in the file.
    """
    from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

    formats = _number_formats(workbook)

    class Parser(WorkSheetParser):  # type: ignore[misc]  # openpyxl has no types
        def parse_cell(self, element: Any) -> Any:
            cell = super().parse_cell(element)
            if cell["value"] is None and (formula := element.find(FORMULA_TAG)) is not None:
                missing_results.append(sheet.title)
                cell["value"] = f"={formula.text or ''}"
            return cell

    with sheet._get_source() as source:
        parser = Parser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=workbook.epoch,
            date_formats=workbook._date_formats,
            timedelta_formats=workbook._timedelta_formats,
        )
        found = []
        for _, row in parser.parse():
            for cell in row:
                text = display_value(cell["value"], formats.get(cell["style_id"], "General"))
                if text.strip():
                    found.append((cell["row"] - 1, cell["column"] - 1, text))
    # Merged ranges stand after the cells.
    ranges = parser.merged_cells.mergeCell if parser.merged_cells else ()
    spans = {
        (merged.min_row - 1, merged.min_col - 1): (
            merged.max_row - merged.min_row + 1,
            merged.max_col - merged.min_col + 1,
        )
        for merged in ranges
    }
    found.sort(key=lambda cell: cell[:2])
    for row, column, text in found:
        yield GridCell(row, column, text, *spans.get((row, column), (1, 1)))


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
