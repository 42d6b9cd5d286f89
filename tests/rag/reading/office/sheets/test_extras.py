"""What a sheet has beside its visible cells: hidden rows and columns, boxes, charts, and lines for the printer."""

from __future__ import annotations

import io

import openpyxl
import pytest
import xlsxwriter

from rag.documents import Note, NoteKind
from rag.reading.formats.office.sheets.extras import printed_text
from tests.rag import make_office as make


def test_hidden_rows_and_columns_are_left_out_and_counted(read):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in (["Port", "Fee", "Draft"], ["Skarv", 14, 1], ["Old", 99, 2], ["Holm", 9, 3], ["Folded", 7, 4]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = sheet.column_dimensions["C"].hidden = True
    sheet.row_dimensions.group(5, 5, hidden=True)  # a button unfolds it
    stream = io.BytesIO()
    workbook.save(stream)
    document = read("a.xlsx", stream.getvalue())
    assert document.text.splitlines()[2:] == [
        *("| Port | Fee |", "| --- | --- |", "| Skarv | 14 |", "| Holm | 9 |", "| Folded | 7 |")
    ]
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 2),)


@pytest.mark.parametrize("has_table", [False, True])
def test_white_cells_are_left_out_unless_they_may_have_a_background(read, has_table):
    stream = io.BytesIO()
    workbook = xlsxwriter.Workbook(stream)
    sheet = workbook.add_worksheet("Fees")
    sheet.write_row(0, 0, ["Port", "Fee"], workbook.add_format({"font_color": "white", "bg_color": "navy"}))
    sheet.write_row(1, 0, ["Skarv", 14])
    sheet.write(2, 0, "white", workbook.add_format({"font_color": "white"}))
    if has_table:
        sheet.add_table(4, 0, 5, 1, {"data": [["a", 1]]})
    workbook.close()
    document = read("a.xlsx", stream.getvalue())
    assert "| Port | Fee |" in document.text
    assert ("white" in document.text) is has_table
    assert document.notes == (() if has_table else (Note(NoteKind.HIDDEN_TEXT, 1),))


def test_boxes_titles_of_charts_and_printed_lines_are_read(read):
    stream = io.BytesIO()
    workbook = xlsxwriter.Workbook(stream)
    sheet = workbook.add_worksheet("Fees")
    sheet.write_row(0, 0, ["Port", "Fee"])
    sheet.write_row(1, 0, ["Skarv", 14])
    sheet.insert_textbox(4, 0, "The gate code is 4711.")
    sheet.set_header('&L&"Arial,Bold"&12Harbour office&RPage &P')
    sheet.set_footer("&C&P/&N")
    for title in ("Fees by port", "A sheet of its own"):
        chart = workbook.add_chart({"type": "column"})
        chart.add_series({"values": "=Fees!$B$2:$B$2"})
        chart.set_title({"name": title})
        place = sheet if title == "Fees by port" else workbook.add_chartsheet()
        place.insert_chart("D2", chart) if place is sheet else place.set_chart(chart)
    workbook.close()
    blocks = read("a.xlsx", stream.getvalue()).text.split("\n\n")
    assert blocks[2:] == [
        *("The gate code is 4711.", "Chart: Fees by port", "Harbour office", "Chart: A sheet of its own")
    ]


def test_hidden_rows_of_open_sheets_are_left_out_and_counted(read):
    def row(*texts: str, attributes: str = "") -> str:
        cells = "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in texts)
        return f"<table:table-row {attributes}>{cells}</table:table-row>"

    columns = '<table:table-column table:number-columns-repeated="2"/><table:table-column table:visibility="collapse"/>'
    hidden = row("Old", "99", "1", attributes='table:visibility="collapse"')
    rows = row("Port", "Fee", "Cost") + row("Skarv", "14", "77") + hidden + row("Holm", "9", "66")
    folded = row("Vik", "5").replace("table-row ", 'table-row table:visibility="collapse" ', 1)
    group = f'<table:table-row-group table:display="false">{folded}</table:table-row-group>'  # a button unfolds it
    sheet = f'<table:table table:name="Fees">{columns}{rows}{group}</table:table>'
    document = read("a.ods", make.open_document(f"<office:spreadsheet>{sheet}</office:spreadsheet>"))
    assert not any(word in document.text for word in ("99", "77", "66", "Cost"))
    assert "| Holm | 9 |\n| Vik | 5 |" in document.text
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 2),)


def test_hidden_rows_and_columns_of_old_workbooks_are_left_out_and_counted(read):
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("Fees")
    for row, texts in enumerate(
        (("Port", "Fee", "Cost"), ("Skarv", "14", "77"), ("Old", "99", "1"), ("Holm", "9", "6"))
    ):
        for column, text in enumerate(texts):
            sheet.write(row, column, text)
    sheet.row(2).hidden = sheet.col(2).hidden = True
    sheet.row(3).hidden, sheet.row(3).level = True, 1  # a button unfolds it
    stream = io.BytesIO()
    book.save(stream)
    document = read("a.xls", stream.getvalue())
    assert document.text == "# Fees\n\n| Port | Fee |\n| --- | --- |\n| Skarv | 14 |\n| Holm | 9 |"
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 2),)


def test_raised_numbers_in_a_cell_are_apart_from_its_figure(read):
    stream = io.BytesIO()
    workbook = xlsxwriter.Workbook(stream)
    sheet, raised = workbook.add_worksheet("Fees"), workbook.add_format({"font_script": 1})
    sheet.write_row("A1", ["Port", "Fee"])
    sheet.write_row("A2", ["Skarv"])
    sheet.write_rich_string("B2", "4,210", raised, "3")
    workbook.close()
    assert "| Skarv | 4,210^3 |" in read("a.xlsx", stream.getvalue()).text


def test_open_sheets_have_values_without_a_text_and_comments(read):
    comment = "<office:annotation><text:p>Checked by Kari</text:p></office:annotation>"
    cells = (
        '<table:table-cell office:value-type="float" office:value="3.5"/>',
        '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>',
        f"<table:table-cell><text:p>9</text:p>{comment}</table:table-cell>",
    )
    sheet = f'<table:table table:name="Fees"><table:table-row>{"".join(cells)}</table:table-row></table:table>'
    document = read("a.ods", make.open_document(f"<office:spreadsheet>{sheet}</office:spreadsheet>"))
    assert document.text.splitlines()[-1] == "Comment: Checked by Kari"
    assert "| 3.5 | TRUE | 9 |" in document.text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("&CConfidential &P", "Confidential"),
        ("&LQ1 &P", "Q1"),
        ("&RDraft &P&N", "Draft"),
        ("&LP&&L statement", "P&L statement"),
        ('&C&"Arial,Bold"&8Page &P+1 of &N', ""),
        ("&LFees – Seite &P von &N&RMay", "Fees May"),
        ("&C- &P / &N -", ""),
        ("&C第 &P 页，共 &N 页", ""),
        ("&C第&P页共&N页", ""),
        ("&C&P of &N pages", ""),
        ("&CSales in the U.S. &P", "Sales in the U.S."),
        ("&CHome page &P", "Home"),
        ("&CPages of history", "Pages of history"),
        ("&C&D&RTerms, p. 3", "Terms, p. 3"),
    ],
)
def test_only_the_number_of_a_page_and_its_words_are_left_out(line, text):
    assert printed_text(line) == text
