"""Tables of PDF pages as structure: rows, columns, headers, spans, captions, and tables that go on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from rag.commands.read import document_json
from rag.documents import Document
from rag.reading.chunk import chunk_document
from rag.reading.parse import read_document
from tests.rag import make_documents as make


def rows(document: Document, number: int = 0) -> list[list[str]]:
    """Return the cells of a table; one that spans several fields is in each."""
    found: list[list[str]] = document_json(document)["tables"][number]["rows"]
    return found


def drawn(*lines: Sequence[str], lefts: Sequence[float] = (60, 220, 300, 380, 460)) -> bytes:
    """Return a PDF with rows whose cells start at `lefts`."""
    return make.pdf_drawn(partial(make.draw_rows, rows=lines, lefts=lefts))


def test_cells_of_one_character_and_blank_cells_have_their_columns(read):
    lines = [
        ["Pier", "Boats", "Depth", "Lamps", "Crew"],
        ["North", "7", "", "1", "12"],
        ["South", "", "4", "", "3"],
        ["Old", "1", "2", "0", ""],
    ]
    document = read("a.pdf", drawn(*lines))
    assert rows(document) == lines
    assert document.text.splitlines()[1:] == ["North | 7 | | 1 | 12", "South | | 4 | | 3", "Old | 1 | 2 | 0 |"]
    (table,) = document.tables
    assert {document.text[cell.start : cell.end] for cell in table.cells if cell.header} == set(lines[0])
    assert document_json(document)["tables"][0]["header_rows"] == 1


def test_figures_aligned_at_the_right_with_signs_apart_are_one_cell_each(read):
    def draw(sheet):
        for number, (label, first, second) in enumerate(
            [("Net sales", "1,234", "(2,005)"), ("Cost", "12", "7"), ("Tax", "—", "3.5")]
        ):
            y = 700 - 16 * number
            sheet.drawString(60, y, label)
            for right, text in ((300, first), (400, second)):
                sheet.drawRightString(right, y, text)
                if not number:
                    sheet.drawString(right - 70, y, "$")
        for right, text in ((300, "2023"), (400, "2022")):
            sheet.drawRightString(right, 720, text)

    document = read("a.pdf", make.pdf_drawn(draw))
    assert rows(document) == [
        ["", "2023", "2022"],
        ["Net sales", "$ 1,234", "$ (2,005)"],
        ["Cost", "12", "7"],
        ["Tax", "—", "3.5"],
    ]


def two_headers(sheet):
    sheet.drawString(60, 770, "Revenue by region (USD thousands)")
    for x, text in ((330, "Quarter ended"), (480, "Year ended")):
        sheet.drawCentredString(x, 744, text)
    for x, text in ((300, "Q1 2023"), (360, "Q1 2022"), (450, "2022"), (510, "2021")):
        sheet.drawCentredString(x, 730, text)
    body = [["Europe:"], ["Norway", "1,204", "998", "4,100", "3,900"], ["Sweden", "(12)", "7", "—", "1"]]
    for number, row in enumerate(body):
        sheet.drawString(60, 714 - 14 * number, row[0])
        for right, text in zip((315, 375, 465, 525), row[1:], strict=False):
            sheet.drawRightString(right, 714 - 14 * number, text)


def test_two_header_rows_a_section_and_a_caption(read):
    document = read("a.pdf", make.pdf_drawn(two_headers))
    assert rows(document) == [
        ["", "Quarter ended", "Quarter ended", "Year ended", "Year ended"],
        ["", "Q1 2023", "Q1 2022", "2022", "2021"],
        ["Europe:", "", "", "", ""],
        ["Norway", "1,204", "998", "4,100", "3,900"],
        ["Sweden", "(12)", "7", "—", "1"],
    ]
    (table,) = document.tables
    assert table.caption == "Revenue by region (USD thousands)"
    assert {(cell.row, cell.column, cell.column_span) for cell in table.cells if cell.header} == {
        (0, 1, 2),
        (0, 3, 2),
        *((1, column, 1) for column in range(1, 5)),
    }
    assert "Year ended 2021" in chunk_document(document, size=60, overlap=0)[-1].heading


def test_cells_of_several_lines_are_one_cell_each(read):
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, Table

    lines = [
        ["Machine", "What it does", "Since"],
        ["Lathe", "Turns metal parts and makes round things of them, with much noise", "1998"],
        ["Saw", "Cuts", "2004"],
        ["Press", "Bends sheets of metal up to three millimetres in thickness", "2011"],
    ]
    style = getSampleStyleSheet()["Normal"]
    table = Table([[Paragraph(text, style) for text in line] for line in lines], colWidths=[80, 150, 60])
    assert rows(read("a.pdf", make.pdf_flow(table))) == lines


@pytest.mark.parametrize("align", ["TOP", "MIDDLE", "BOTTOM"])
@pytest.mark.parametrize(
    "text", ["Bends sheets of metal up to three", "Bends sheets of metal up to three in thickness"]
)
def test_the_last_row_has_all_lines_of_its_cell(read, align, text):
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, Table

    style = getSampleStyleSheet()["Normal"]
    lines = [["Machine", "What it does", "Since"], ["Saw", "Cuts", "2004"], ["Press", Paragraph(text, style), "2011"]]
    table = Table(lines, colWidths=[80, 110, 60], style=[("VALIGN", (0, 0), (-1, -1), align)])
    document = read("a.pdf", make.pdf_flow(table, "The machines stand in the old hall."))
    assert rows(document) == [*lines[:2], ["Press", text, "2011"]]
    assert document.text.endswith("\nThe machines stand in the old hall.")


def test_a_label_in_the_middle_of_two_header_rows_is_a_part_of_the_header(read):
    from reportlab.platypus import Table

    lines = [["Port", "Fee", ""], ["", "Summer", "Winter"], ["Skarv", "31", "22"], ["Holm", "17", "11"]]
    style = [
        ("SPAN", (0, 0), (0, 1)),
        ("SPAN", (1, 0), (2, 0)),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("ALIGN", (1, 0), (-1, -1), "CENTER"),
    ]
    document = read("a.pdf", make.pdf_flow(Table(lines, colWidths=[120, 80, 80], style=style)))
    assert rows(document) == [["", "Fee", "Fee"], ["Port", "Summer", "Winter"], *lines[2:]]
    assert document_json(document)["tables"][0]["header_rows"] == 2


def test_names_of_columns_that_are_only_a_space_apart_are_the_header(read):
    lines = [["Harbour", "Summer", "Winter"], ["Skarv", "7", "3"], ["Holm", "5", "12"]]
    document = read("a.pdf", drawn(*lines, lefts=(60, 112, 163)))
    assert rows(document) == lines
    assert document_json(document)["tables"][0]["header_rows"] == 1


@pytest.mark.parametrize("repeat", [0, 1], ids=["header once", "header on each page"])
def test_a_table_over_pages_is_one_table_and_later_chunks_know_its_header(read, repeat):
    from reportlab.platypus import Table

    lines = [["Device", "Serial", "Flow"], *([f"Pump {n}", str(100 + n), str(n % 7)] for n in range(90))]
    document = read("a.pdf", make.pdf_flow("The pumps of the harbour:", Table(lines, repeatRows=repeat), "An end."))
    assert len(document.pages) == 3
    assert rows(document) == lines
    assert len(document.tables) == 1
    assert document.tables[0].caption == "The pumps of the harbour:"
    chunks = [
        chunk
        for chunk in chunk_document(document, size=300, overlap=100)
        if (chunk.page or 0) > 1 and "Pump" in chunk.text
    ]
    assert chunks
    assert all("Device | Serial | Flow" in chunk.heading for chunk in chunks)


def test_another_table_on_the_next_page_is_another_table(read):
    first = partial(make.draw_rows, rows=[["Port", "2021", "2022"], ["Skarv", "1", "22"], ["Holm", "3", "4"]])
    second = partial(make.draw_rows, rows=[["Ship", "Crew", "Age"], ["Anna", "5", "6"], ["Bris", "7", "8"]])
    document = read("a.pdf", make.pdf_drawn(*(partial(page, lefts=(60, 200, 300)) for page in (first, second))))
    assert [rows(document, number)[0][0] for number in (0, 1)] == ["Port", "Ship"]


def test_list_items_and_prose_are_no_table(read):
    lines = [["1.", "Check the oil."], ["2.", "Open the valve."], ["•", "A bullet."], ["(a)", "A part."]]
    document = read("a.pdf", drawn(*lines, lefts=(60, 90)))
    assert document.text.splitlines() == [" ".join(line) for line in lines]
    assert not document.tables


@pytest.mark.parametrize(
    ("name", "caption", "headers", "row"),
    [
        (
            "2022 Q3 AAPL.pdf",
            "STATEMENTS OF OPERATIONS",
            ["", "Three Months Ended June 25, 2022", "Three Months Ended June 26, 2021"],
            ["Total net sales", "82,959", "81,434"],
        ),
        (
            "2022 Q3 AAPL.pdf",
            "BALANCE SHEETS",
            ["", "June 25, 2022", "September 25, 2021"],
            ["Total assets", "$ 336,309", "$ 351,002"],
        ),
        (
            "2023 Q1 NVDA.pdf",
            "STATEMENTS OF CASH FLOWS",
            ["", "Three Months Ended April 30, 2023", "Three Months Ended May 1, 2022"],
            ["Deferred income taxes", "(1,135)", "(542)"],
        ),
        (
            "2023 Q2 AMZN.pdf",
            "STATEMENTS OF OPERATIONS",
            ["", "Three Months Ended June 30, 2022", "Three Months Ended June 30, 2023"],
            ["Net income (loss)", "$ (2,028)", "$ 6,750"],
        ),
        (
            "2023 Q2 AMZN.pdf",
            "BALANCE SHEETS",
            ["", "December 31, 2022", "June 30, 2023 (unaudited)"],
            ["Goodwill", "20,288", "22,785"],
        ),
    ],
)
def test_statements_of_real_filings_have_their_labels_and_headers(filing, name, caption, headers, row):
    tables = document_json(read_document(filing(name)))["tables"]
    table = next(table for table in tables if caption in table["caption"])
    count = table["header_rows"]
    names = [" ".join(filter(None, column)) for column in zip(*table["rows"][:count], strict=True)]
    assert names[:3] == headers
    assert row in [line[:3] for line in table["rows"][count:]]


def test_columns_that_are_hardly_more_than_a_space_apart(read):
    lines = [["Port", "State", "Keeper"], ["Skarv", "open", "Kari Nord"], ["Holm", "closed", "Ola Vik"]]
    lines.append(["Sand", "open", "Per Lund"])
    assert rows(read("a.pdf", drawn(*lines, lefts=(60, 98, 142)))) == lines


def test_a_header_cell_of_several_lines_over_the_others_is_no_title(read):
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, Table

    header = ["Date", "What was done at the harbour in that week", "Cost"]
    lines = [header, ["01.03.2024", "The lamp was painted", "14"], ["12.03.2024", "Nothing", "0"]]
    style = getSampleStyleSheet()["Normal"]
    table = Table([[Paragraph(text, style) for text in line] for line in lines], colWidths=[70, 160, 60])
    document = read("a.pdf", make.pdf_flow(table))
    assert rows(document) == lines
    assert document.tables[0].caption == ""


def test_a_cell_in_the_middle_of_two_rows_is_in_the_first_one(read):
    from reportlab.platypus import Table

    lines = [["Port", "2023", "2024", "State"], ["Skarv", "14", "15", "open"], ["Holm", "9", "10", ""]]
    lines.append(["Total", "23", "25", "1"])
    style = [("SPAN", (3, 1), (3, 2)), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    assert rows(read("a.pdf", make.pdf_flow(Table(lines, style=style)))) == lines


def test_figures_of_one_digit_are_apart_over_a_wide_gap_in_one_string(read):
    header = "(Port) Tj 8 0 Td (Boats) Tj 6 0 Td (Lamps) Tj 5 0 Td (Crew) Tj"
    lines = [f"({port}) Tj 8 0 Td (12) Tj 6 0 Td 4.4 Tc ({pair}) Tj" for port, pair in (("A", "30"), ("B", "21"))]
    document = read("a.pdf", make.pdf_of_lines(header, *lines))
    assert document.text.splitlines() == ["Port | Boats | Lamps | Crew", "A | 12 | 3 | 0", "B | 12 | 2 | 1"]


def test_a_header_in_the_midst_of_figures_begins_another_table(read):
    lines = [
        ["Start", "Shows", "Gross", "Net"],
        ["Monday", "48", "$12,500", "$11,250"],
        ["Totals"],
        ["Month", "Seats", "Costs", "Margin"],
        ["December", "50", "$2,500", "$1,250"],
        ["January", "51", "$2,600", "$1,260"],
    ]
    document = read("a.pdf", drawn(*lines))
    assert [rows(document, number) for number in range(2)] == [lines[:2], lines[3:]]
    assert all({cell.row for cell in table.cells if cell.header} == {0} for table in document.tables)


@pytest.mark.parametrize("words", [["n/a", "n/a", "n/a"], ["none", "-", "unknown"], ["waived", "waived", "waived"]])
def test_a_row_of_words_in_the_midst_of_figures_is_no_header(read, words):
    lines = [
        ["Start", "Shows", "Gross", "Net"],
        ["Monday", "48", "$12,500", "$11,250"],
        ["Tuesday", *words],
        ["Friday", "50", "$2,500", "$1,250"],
    ]
    document = read("a.pdf", drawn(*lines))
    assert len(document.tables) == 1
    assert rows(document) == lines


def test_marks_of_columns_are_apart_over_a_wide_gap_in_one_string(read):
    header = "(Command) Tj 8 0 Td (User) Tj 6 0 Td (Admin) Tj 6 0 Td (Owner) Tj"
    lines = [f"({name}) Tj 8 0 Td (yes) Tj 6 0 Td 5.4 Tc (XX) Tj" for name in ("Read", "Write", "Delete")]
    document = read("a.pdf", make.pdf_of_lines(header, *lines))
    assert document.text.splitlines()[1:] == [f"{name} | yes | X | X" for name in ("Read", "Write", "Delete")]


@pytest.mark.parametrize("matrix", ["0 8 -8 0 300 100", "0 -8 8 0 300 700", "-8 0 0 -8 500 700"])
def test_figures_of_turned_text_stay_whole(read, matrix):
    document = read("a.pdf", make.pdf_of_lines(f"{matrix} Tm (1234567 in 30 of 21) Tj"))
    assert document.text == "1234567 in 30 of 21"


def test_letters_of_a_spaced_title_stay_one_word(read):
    document = read("a.pdf", make.pdf_of_lines("1.2 Tc (REPORT) Tj", "(Of the year) Tj"))
    assert document.text.splitlines()[0] == "REPORT"


def test_the_caption_of_a_table_has_whole_words(read):
    strings = [(60, 720, "Dues of the harbour in Nor-"), (60, 706, "way in crowns")]
    for row, cells in enumerate((("Port", "2023", "2024"), ("Skarv", "14", "15"), ("Holm", "9", "10"))):
        strings += [(60 + 150 * column, 690 - 14 * row, cell) for column, cell in enumerate(cells)]
    document = read("a.pdf", make.pdf_strings(*strings))
    assert "\ufffe" not in document.text
    assert "\ufffe" not in document.tables[0].caption


def test_a_caption_with_a_wide_space_behind_its_number_is_no_row(read):
    strings = [(60, 700, "Table 1."), (118, 700, "Dues of the harbour that all of the boats and their owners pay"),
               (60, 686, "for each of the years, and which the office of the harbour publishes")]  # fmt: skip
    for row, cells in enumerate((("Port", "2023", "2024"), ("Skarv", "14", "15"), ("Holm", "9", "10"))):
        strings += [(60 + 110 * column, 668 - 14 * row, cell) for column, cell in enumerate(cells)]
    document = read("a.pdf", make.pdf_strings(*strings))
    assert document.text.splitlines()[:2] == [
        "Table 1. Dues of the harbour that all of the boats and their owners pay",
        "for each of the years, and which the office of the harbour publishes",
    ]
    assert rows(document) == [["Port", "2023", "2024"], ["Skarv", "14", "15"], ["Holm", "9", "10"]]


@pytest.mark.parametrize(("bullet", "read_as"), [("\uf0b7", "• "), ("\uf0a7", "▪ "), ("\x02", ""), ("¤", "¤ ")])
def test_bullets_of_any_font_stand_before_their_text(read, bullet, read_as):
    line = f"{bullet}   The boats pay their dues in the harbour."
    document = read("a.pdf", make.pdf_with_letters(line))
    assert document.text == f"{read_as}The boats pay their dues in the harbour."
    assert not document.tables
