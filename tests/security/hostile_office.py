"""Small office files, pages and messages that would need much memory or time."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import EmailMessage

from tests.rag import make_documents as make
from tests.rag import make_office

COLUMNS = 200_000  # the work grows with them; a million are refused in the same way


def csv_columns() -> bytes:
    return b"a" + b",1" * COLUMNS + b"\nb" + b",2" * COLUMNS


def html_columns() -> bytes:
    return b"<table><tr>" + b"<td>1" * COLUMNS + b"</table>"


def html_spans() -> bytes:
    return b"<table>" + b"<tr><td colspan=1000 rowspan=1000>wide<td>1" * 10_000 + b"</table>"


def word_columns() -> bytes:
    cell = f"<w:tc><w:tcPr><w:gridSpan w:val='{COLUMNS}'/></w:tcPr>{make.paragraph('x')}</w:tc>"
    return make.packed_docx(f"<w:tbl><w:tr>{cell * 100}</w:tr></w:tbl>")


def nested_word_tables(depth: int = 5_000) -> bytes:
    return make.packed_docx("<w:tbl><w:tr><w:tc>" * depth + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * depth)


def word_inside_word(depth: int = 30) -> bytes:
    """A Word file that has itself twice inside, and so on."""
    relationship = '<Relationship Id="r" Type="x" Target="a.docx"/>'
    namespace = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    names = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    parts = {"word/_rels/document.xml.rels": f"<Relationships {namespace}>{relationship}</Relationships>".encode()}
    file = make.packed_docx(make.paragraph("inner"))
    for _ in range(depth):
        file = make.packed_docx(f'<w:altChunk {names} r:id="r"/>' * 9, extra=parts | {"word/a.docx": file})
    return file


def sheet_columns() -> bytes:
    row = "".join(f'<c r="{letters(column)}9"><v>1</v></c>' for column in range(1, 9_000))
    return make_office.workbook_with_rows(f'<row r="9">{row}</row><row r="10">{"<c><v>1</v></c>" * COLUMNS}</row>')


def letters(column: int) -> str:
    """Return the name of a column of a sheet, such as "XFD"."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def empty_rows(count: int = 200_000) -> bytes:
    """An XLSX file with formatted rows that are empty."""
    return make_office.workbook_with_rows(
        "".join(
            f'<row r="{n}" s="1" customFormat="1"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>'
            for n in range(3, count + 3)
        )
    )


def merged_sheet(count: int = 20_000) -> bytes:
    ranges = "".join(f'<mergeCell ref="A{n}:XFD1048576"/>' for n in range(1, count))
    return make_office.workbook_with_rows(f"</sheetData><mergeCells>{ranges}</mergeCells><sheetData>")


def open_sheet_columns() -> bytes:
    cell = f'<table:table-cell table:number-columns-repeated="{COLUMNS}"><text:p>x</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="{COLUMNS}">{cell}</table:table-row>'
    return make_office.open_document(f"<office:spreadsheet><table:table>{row * 50}</table:table></office:spreadsheet>")


def nested_lists(depth: int = 20_000) -> bytes:
    start, end = "<text:list><text:list-item>" * depth, "</text:list-item></text:list>" * depth
    return make_office.open_document(f"<office:text>{start}<text:p>x</text:p>{end}</office:text>")


def rich_text_columns() -> bytes:
    return rb"{\rtf1\trowd" + rb"\cellx9" * COLUMNS + rb"\intbl" + rb" x\cell" * COLUMNS + rb"\row}"


def rich_text_rows() -> bytes:
    """Rows whose cells end at a place of their own each."""
    rows = (rf"\trowd\cellx{100 * number}\cellx9999999\intbl x\cell y\cell\row" for number in range(1, 50_000))
    return rb"{\rtf1" + "".join(rows).encode() + b"}"


def nested_book() -> bytes:
    return make_office.book({"a.xhtml": "<div>" * 100_000 + "x"})


def nested_message(depth: int = 2_000) -> bytes:
    head = "Subject: x\nMIME-Version: 1.0\n"
    return (head + 'Content-Type: multipart/mixed; boundary="b"\n\n--b\n' * depth + "\n\nx").encode()


def message_of_messages(depth: int = 6) -> bytes:
    """Messages that each have the previous one three times."""
    mail = EmailMessage()
    mail["Subject"] = "x"
    mail.set_content("x")
    for _ in range(depth):
        outer = EmailMessage()
        outer["Subject"] = "x"
        outer.set_content("x")
        for _ in range(3):
            outer.add_attachment(mail)
        mail = outer
    return bytes(mail)


def nested_notebook(depth: int = 200_000) -> bytes:
    return json.dumps({"cells": [0]}).replace("0", "[" * depth + "]" * depth).encode()


# By what they are: the file, and its name.
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "many columns of CSV": (csv_columns, "a.csv"),
    "many columns of HTML": (html_columns, "a.html"),
    "cells of HTML that span a thousand columns and rows": (html_spans, "a.html"),
    "cells of Word that span many columns": (word_columns, "a.docx"),
    "nested tables of Word": (nested_word_tables, "a.docx"),
    "Word files inside Word files": (word_inside_word, "a.docx"),
    "many cells in a row of a sheet": (sheet_columns, "a.xlsx"),
    "formatted empty rows": (empty_rows, "a.xlsx"),
    "merged cells that span a sheet": (merged_sheet, "a.xlsx"),
    "a repeated cell in a repeated row": (open_sheet_columns, "a.ods"),
    "nested lists": (nested_lists, "a.odt"),
    "many cells of RTF": (rich_text_columns, "a.rtf"),
    "rows of RTF without a common column": (rich_text_rows, "a.rtf"),
    "nested elements of a book": (nested_book, "a.epub"),
    "nested parts of a message": (nested_message, "a.eml"),
    "messages inside messages": (message_of_messages, "a.eml"),
    "a nested notebook": (nested_notebook, "a.ipynb"),
}
