"""Spreadsheets: values as displayed, tables, merged cells, hidden sheets, and sheets that are very large."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta

import pytest

from rag.commands.read import document_json
from rag.documents import Document, Limits, Note, NoteKind, Table
from rag.reading.chunk import chunk_document
from rag.reading.formats.office.number_format import display_value
from tests.conftest import DATA
from tests.rag import make_office as make
from tests.rag.make_documents import archive, strict


def rows(document: Document, table: Table) -> list[list[str]]:
    """Return the cells of a table as they are displayed; each place that a cell spans has its text."""
    found: list[list[str]] = document_json(document)["tables"][document.tables.index(table)]["rows"]
    return found


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.25, "0%", "25%"),
        (0.1235, "0.0%", "12.4%"),
        (1234567, "#,##0", "1,234,567"),
        (1234.5, '#,##0.00 "€"', "1,234.50 €"),
        (-1234.5, "[$€-407] #,##0.00", "-€ 1,234.50"),
        (-5, "$#,##0.00;($#,##0.00)", "($5.00)"),
        (0, '0;-0;"none"', "none"),
        (1234.5, "_-* #,##0.00 [$kr-41D]_-", "1,234.50 kr"),
        (12_345_000, '0.0,,"m"', "12.3m"),
        (12345, "0.00E+00", "1.23E+04"),
        (7, "0000", "0007"),
        (3, '0 "boats"', "3 boats"),
        (2.5, "0.##", "2.5"),
        (0.5, "# ?/?", "1/2"),
        (150, "[>100]0.0;0", "150.0"),
        (-5, '[<0]"minus "0;0', "minus 5"),
        (-5, "[>100]0.0;0", "-5"),
        (5551234, "000-0000", "555-1234"),
        (15551234, "000-0000", "1555-1234"),
        (5, ";;;", ""),
        (0.1 + 0.2, "General", "0.3"),
        (14.0, "General", "14"),
        (True, "General", "TRUE"),
        (None, "General", ""),
        (date(2024, 3, 1), "dd.mm.yyyy", "01.03.2024"),
        (datetime(2024, 3, 1), "mmm yy", "Mar 24"),
        (datetime(2024, 3, 1), "mm-dd-yy", "2024-03-01"),
        (datetime(2024, 3, 1, 14, 5), "d/m/yyyy h:mm AM/PM", "1/3/2024 2:05 PM"),
        (time(8, 5), "hh:mm", "08:05"),
        (timedelta(hours=36), "[h]:mm", "36:00"),
    ],
)
def test_values_are_displayed_by_their_format(value, number_format, text):
    assert display_value(value, number_format) == text


def test_workbook_has_its_values_as_displayed(read):
    def fill(book):
        sheet = book.active
        sheet.title = "Dues"
        sheet.append(["Port", "Share", "From", "Fee"])
        sheet.append(["Skarv", 0.25, date(2024, 3, 1), 1234.5])
        sheet["B2"].number_format = "0%"
        sheet["D2"].number_format = "#,##0.00 [$€-407]"

    document = read("dues.xlsx", make.workbook(fill))
    assert document.text == (
        "# Dues\n\n| Port | Share | From | Fee |\n| --- | --- | --- | --- |\n| Skarv | 25% | 2024-03-01 | 1,234.50 € |"
    )
    (table,) = document.tables
    assert rows(document, table)[1] == ["Skarv", "25%", "2024-03-01", "1,234.50 €"]
    assert [cell.header for cell in table.cells] == [True] * 4 + [False] * 4


def test_merged_headers_are_filled(read):
    def fill(book):
        sheet = book.active
        for row in (["Port", "Dues", None], [None, "Summer", "Winter"], ["Skarv", 14, 9], ["Holm", 15, 10]):
            sheet.append(row)
        sheet.merge_cells("A1:A2")
        sheet.merge_cells("B1:C1")

    document = read("a.xlsx", make.workbook(fill))
    assert "| Port | Dues | Dues |" in document.text
    assert "| Port | Summer | Winter |" in document.text
    (table,) = document.tables
    assert rows(document, table)[1] == ["Port", "Summer", "Winter"]
    assert {cell.row for cell in table.cells if cell.header} == {0, 1}


def test_tables_of_one_sheet_are_apart(read):
    def fill(book):
        sheet = book.active
        sheet["A1"] = "Harbour dues"
        for row, (port, fee, boat, berth) in enumerate(
            [("Port", "Fee", "Boat", "Berth"), ("Skarv", 14, "Sandpiper", 3), ("Holm", 9, "Tern", 4)], 3
        ):
            sheet.cell(row, 1, port), sheet.cell(row, 2, fee), sheet.cell(row, 4, boat), sheet.cell(row, 5, berth)
        for row, values in enumerate([("Year", 2023, 2024), ("Boats", 12, 15)], 8):
            for column, value in enumerate(values, 1):
                sheet.cell(row, column, value)

    document = read("a.xlsx", make.workbook(fill))
    assert [rows(document, table)[:2] for table in document.tables] == [
        [["Port", "Fee"], ["Skarv", "14"]],
        [["Boat", "Berth"], ["Sandpiper", "3"]],
        [["Year", "2023", "2024"], ["Boats", "12", "15"]],
    ]
    assert document.tables[0].caption == "Harbour dues"
    assert all(table.cells[0].header for table in document.tables)


def test_an_empty_row_does_not_end_a_table(read):
    def fill(book):
        for row in (["Port", "Fee"], ["Skarv", 14], [], ["Holm", 9]):
            book.active.append(row)

    document = read("a.xlsx", make.workbook(fill))
    (table,) = document.tables
    assert rows(document, table) == [["Port", "Fee"], ["Skarv", "14"], ["Holm", "9"]]


def test_hidden_sheets_and_formulas_without_a_result_are_named(read):
    def fill(book):
        book.active.append(["Port", "Fee"])
        book.active.append(["Skarv", "=7*2"])
        hidden = book.create_sheet("Costs")
        hidden.append(["secret", 1])
        hidden.sheet_state = "veryHidden"

    document = read("a.xlsm", make.workbook(fill))
    assert "secret" not in document.text
    assert "| Skarv | =7*2 |" in document.text
    assert document.notes == (
        Note(NoteKind.HIDDEN_SHEETS, 1, ("Costs",)),
        Note(NoteKind.FORMULAS_WITHOUT_RESULT, 1, ("Sheet",)),
    )


def test_chunks_of_a_long_sheet_know_the_sheet_and_the_columns(read):
    def fill(book):
        book.active.title = "Dues"
        book.active.append(["Port", "Summer fee"])
        for number in range(200):
            book.active.append([f"Port {number}", number])

    chunks = chunk_document(read("a.xlsx", make.workbook(fill)), size=1000, overlap=100)
    assert len(chunks) > 2
    assert {chunk.heading for chunk in chunks[2:]} == {"Dues > Port | Summer fee"}


def test_formatted_empty_rows_and_columns_are_not_cells(read):
    empty_rows = "".join(f'<row r="{n}" s="1" customFormat="1"><c r="A{n}" s="1"/></row>' for n in range(3, 50_000))
    far_row = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    wide_row = f'<row r="1048577">{"<c/>" * 100_000}</row>'
    document = read("a.xlsx", make.workbook_with_rows(empty_rows + far_row + wide_row))
    assert document.text.endswith("| Skarv | 14 |")


def test_a_cell_that_spans_a_whole_sheet_is_bounded(read, refusal):
    merged = '</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells><sheetData>'
    assert len(read("a.xlsx", make.workbook_with_rows(merged)).text) < 100_000
    many = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="XFD{n}"><v>1</v></c></row>' for n in range(3, 900))
    assert len(read("a.xlsx", make.workbook_with_rows(many)).text) < 100_000
    limits = Limits(characters=20)
    assert "more than 20 characters" in refusal("a.xlsx", make.workbook_with_rows(""), limits=limits).message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", archive({"[Content_Types].xml": b"wordprocessingml"}), "not a spreadsheet"),
        ("a.xlsx", archive({"[Content_Types].xml": b"spreadsheetml"}), "damaged"),
        ("a.xlsx", archive({"xl/worksheets/sheet1.xml": bytes(30_000_000)}), "unpack to 30 MB"),
        ("a.xlsx", archive({"xl/sharedStrings.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}), "document type"),
        ("a.ods", archive({"content.xml": bytes(30_000_000)}), "unpack to 30 MB"),
        ("a.ods", archive({"content.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}), "document type"),
        ("a.ods", archive({"content.xml": b"<x/>"}), "not an OpenDocument file"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
        ("a.xls", b"text", "isn't a valid .xls file"),
    ],
)
def test_workbooks_that_cannot_be_read(refusal, name, content, words):
    assert words in refusal(name, content).message


def test_old_workbook(read):
    document = read("a.xls", make.old_workbook())
    (table,) = document.tables
    assert rows(document, table) == [["Port", "Share", "From"], ["Skarv", "25%", "2024-03-01"]]
    assert table.caption == "Harbour dues"
    assert document.notes == (Note(NoteKind.HIDDEN_SHEETS, 1, ("Costs",)),)


def test_open_sheets(read):
    def cell(text, attributes=""):
        return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"

    value = 'office:value="0.25"'
    rest = '<table:table-cell table:number-columns-repeated="16382"/>'
    last = '<table:table-row table:number-rows-repeated="1048574"><table:table-cell/></table:table-row>'
    sheets = (
        f'<table:table table:name="Dues"><table:table-row>{cell("Port")}{cell("Share")}{rest}</table:table-row>'
        f"<table:table-row>{cell('Skarv')}{cell('25 %', value)}{rest}</table:table-row>{last}"
        f'</table:table><table:table table:name="Costs" table:style-name="ta2"><table:table-row>{cell("secret")}'
        "</table:table-row></table:table>"
    )
    properties = '<style:table-properties table:display="false"/>'
    style = f'<style:style style:name="ta2" style:family="table">{properties}</style:style>'
    content = make.open_document(f"<office:spreadsheet>{sheets}</office:spreadsheet>", style)
    document = read("a.ods", content)
    assert document.text == "# Dues\n\n| Port | Share |\n| --- | --- |\n| Skarv | 25 % |"
    assert document.notes == (Note(NoteKind.HIDDEN_SHEETS, 1, ("Costs",)),)


def test_the_strict_format_is_read_like_the_usual_one(read):
    assert "| Skarv | 14 |" in read("a.xlsx", strict(make.workbook_with_rows(""))).text


@pytest.mark.skipif(not (DATA / "cases").exists(), reason="the shared cases aren't here")
def test_shared_case(read):
    document = read("fees.xlsx", (DATA / "cases" / "other" / "fees.xlsx").read_bytes())
    assert "| Skarv | 14 |" in document.text


def test_a_link_to_another_workbook_that_is_incomplete_refuses_nothing(read):
    with zipfile.ZipFile(io.BytesIO(make.workbook_with_rows(""))) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLink"
    link = f'<Relationship Id="rId99" Type="{kind}" Target="externalLinks/externalLink1.xml"/></Relationships>'.encode()
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(b"</Relationships>", link)
    references = b'</sheets><externalReferences><externalReference r:id="rId99"/></externalReferences>'
    names = b'<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    book = parts["xl/workbook.xml"].replace(b"<workbook ", names, 1).replace(b"</sheets>", references)
    parts |= {"xl/workbook.xml": book, "xl/externalLinks/externalLink1.xml": b"<externalLink/>"}
    assert "| Skarv | 14 |" in read("a.xlsx", archive(parts)).text
