"""What a reader of a PDF page sees, in the order in which it's read: columns, notes, forms, hidden text, directions."""

from __future__ import annotations

import io
from functools import partial

import pytest

from rag.documents import NoteKind
from rag.reading.chunk import chunk_document
from rag.reading.layout.text_lines.right_to_left import _Character, _parts, _reading_order
from rag.reading.parse import read_document
from tests.conftest import DATA
from tests.rag import make_documents as make
from tests.security.linear_time import assert_linear

TEXT = (
    "the lantern room was rebuilt in spring after a storm had torn away its copper roof and repairs cost more than "
    "anybody on this island had feared when no crane could reach that rock"
)
WORDS = TEXT.split()


def prose(width: int, count: int, first: int) -> list[str]:
    """Return lines of `width` words of running text."""
    return [
        " ".join(WORDS[(first + line * width + word) % len(WORDS)] for word in range(width)) for line in range(count)
    ]


@pytest.mark.parametrize("lefts", [(60, 320), (40, 225, 410)], ids=["two", "three"])
@pytest.mark.parametrize("by_line", [True, False], ids=["drawn line by line", "drawn column by column"])
def test_each_column_of_prose_is_read_as_a_block(read, lefts, by_line):
    columns = [prose(5, 7, 40 * number) for number in range(len(lefts))]
    strings = [
        (left, 700 - 14 * number, text)
        for left, lines in zip(lefts, columns, strict=True)
        for number, text in enumerate(lines)
    ]
    if by_line:
        strings.sort(key=lambda string: -string[1])
    title = (40, 760, "A title that is wider than the first of the columns of this page, and stands above all of them")
    document = read("a.pdf", make.pdf_strings(title, *strings))
    assert document.text.splitlines() == [title[2], *(line for lines in columns for line in lines)]
    assert not document.tables


def test_columns_below_a_table_on_one_side_are_read_as_blocks(read):
    cells = [("Pier", "7", "3"), ("Quay", "5", "9"), ("Rock", "1", "2")]
    strings = [
        (left, 700 - 20 * line, text)
        for line, row in enumerate(cells)
        for left, text in zip((60, 140, 200), row, strict=True)
    ]
    left, right = prose(5, 6, 0), prose(5, 6, 50)
    strings += [(60, 628 - 14 * n, text) for n, text in enumerate(left)]
    strings += [(320, 642 - 14 * n, text) for n, text in enumerate(right)]
    document = read("a.pdf", make.pdf_strings(*strings))
    assert document.text.splitlines() == [*(" | ".join(row) for row in cells), *left, *right]
    assert len(document.tables) == 1


def test_columns_whose_lines_have_other_heights_are_read_as_blocks(read):
    left, right = prose(5, 8, 0), prose(5, 8, 50)
    strings = [(60, 700 - 14 * n, text) for n, text in enumerate(left)]
    strings += [(320, 695 - 15 * n, text) for n, text in enumerate(right)]
    assert read("a.pdf", make.pdf_strings(*strings)).text.splitlines() == [*left, *right]


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["Sales were 4,210", ("3", 4), " million."], "Sales were 4,210 (note 3) million."),
        (["We served 512", ("a", 4), ", later 600", ("1,2", 4), "."], "We served 512 (note a), later 600 (note 1,2)."),
        (["A loss of (56.7)", ("(2)", 4), " in all"], "A loss of (56.7) (2) in all"),
        (["A load of 3.2 × 10", ("6", 5), " t or 10", ("−3", 5), " of it"], "A load of 3.2 × 10^6 t or 10^−3 of it"),
        (["The area is 350 m", ("2", 4), ", (10", ("2", 4), ") ha"], "The area is 350 m², (10^2) ha"),
        (["CO", ("2", -3), " and H", ("2", -3), "O on the 1", ("st", 4), " of May"], "CO2 and H2O on the 1st of May"),
        ([("1", 4), " Without children"], "1 Without children"),
        (["cases (", ("N", 3), " = 144)"], "cases (N = 144)"),
        (["A ratio of 6.98 ", ("**", 4), " in all"], "A ratio of 6.98** in all"),
    ],
)
def test_superscripts_are_apart_from_the_figures_before_them(read, parts, text):
    content = make.pdf_drawn(lambda sheet: make.draw_raised(sheet, 60, 700, *parts))
    assert read("a.pdf", content).text == text


def test_a_mark_that_is_drawn_after_the_page_belongs_to_its_figure(read):
    def draw(sheet):
        make.draw_raised(sheet, 60, 700, "Sales were 4,210")
        make.draw_raised(sheet, 60, 680, "Another line")
        make.draw_raised(sheet, 60 + sheet.stringWidth("Sales were 4,210", "Helvetica", 11), 700, ("7", 4))

    assert read("a.pdf", make.pdf_drawn(draw)).text == "Sales were 4,210 (note 7)\nAnother line"


def test_marks_that_are_drawn_after_the_page_belong_into_their_line(read):
    words = ["The new Tern Air", "and the Tern Pro", ", both with the", "Skua engine.", "The next line"]

    def draw(sheet):
        sheet.setFont("Helvetica", 11)
        x, marks = 60.0, []
        for word in words[:3]:
            sheet.drawString(x, 700, word)
            x += sheet.stringWidth(word, "Helvetica", 11)
            marks.append(x)
            x += 6
        sheet.drawString(60, 687, words[3])
        sheet.drawString(60, 674, words[4])
        for place in marks[:2]:
            make.draw_raised(sheet, place, 700, ("®", 4))

    lines = read("a.pdf", make.pdf_drawn(draw)).text.splitlines()
    assert lines == ["The new Tern Air® and the Tern Pro®, both with the", "Skua engine.", "The next line"]


def form(sheet):
    fields = sheet.acroForm
    for number, label in enumerate(["Owner:", "Pier:", "Insured:", "Paid:", "Code:", "Remarks:"]):
        sheet.drawString(60, 740 - 40 * number, label)
    place = {"x": 160, "width": 200, "height": 20}
    fields.textfield(name="owner", value="Ada Berg", y=734, **place)
    fields.choice(name="pier", value="South", options=["North", "South"], y=694, **place)
    fields.checkbox(name="insured", checked=True, x=160, y=654)
    fields.checkbox(name="paid", checked=False, x=160, y=614)
    fields.textfield(name="code", value="secret", fieldFlags="password", y=574, **place)
    fields.textfield(
        name="remarks", value="Draught 1.85\nMast 12", fieldFlags="multiline", y=500, **place | {"height": 60}
    )


def test_the_values_of_a_form_are_read_beside_their_labels(read):
    text = read("a.pdf", make.pdf_drawn(form)).text
    assert text.splitlines()[:5] == ["Owner: Ada Berg", "Pier: South", "Insured: [x]", "Paid: [ ]", "Code:"]
    assert "Draught 1.85" in text
    assert "Mast 12" in text
    assert "secret" not in text


def test_a_text_that_was_written_onto_a_page_is_read(read):
    from pypdf import PdfReader, PdfWriter
    from pypdf.annotations import FreeText

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make.pdf("Berth 12 is free."))))
    writer.add_annotation(0, FreeText(text="Not before 1 May!", rect=(72, 640, 300, 660)))
    stream = io.BytesIO()
    writer.write(stream)
    assert read("a.pdf", stream.getvalue()).text == "Berth 12 is free.\nNot before 1 May!"


TABLE = [["Station", "Opened", "Lamps"], ["Skarv", "1871", "3"], ["Holm", "1902", "12"]]
TABLE_LINES = ["Station | Opened | Lamps", "Skarv | 1871 | 3", "Holm | 1902 | 12"]


@pytest.mark.parametrize("page_rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("text_rotation", [0, 90, 180, 270])
def test_the_rows_of_turned_pages_stay_rows(read, page_rotation, text_rotation):
    def draw(sheet):
        sheet.translate(300, 400)
        sheet.rotate(text_rotation)
        make.draw_rows(sheet, TABLE, (-150, -30, 90), top=60)

    document = read("a.pdf", make.pdf_drawn(draw, rotation=page_rotation))
    assert document.text.splitlines() == TABLE_LINES


def test_a_watermark_and_a_label_at_the_side_come_after_the_text(read):
    def draw(sheet):
        make.draw_rows(sheet, [[line] for line in prose(9, 6, 0)], [100])
        for left, angle, text in ((30, 90, "arXiv:1234.5678v1 [cs.CL]"), (200, 45, "DRAFT")):
            sheet.saveState()
            sheet.translate(left, 300)
            sheet.rotate(angle)
            sheet.drawString(0, 0, text)
            sheet.restoreState()

    lines = read("a.pdf", make.pdf_drawn(draw)).text.splitlines()
    assert lines == [*prose(9, 6, 0), "arXiv:1234.5678v1 [cs.CL]", "DRAFT"]


@pytest.mark.parametrize(
    ("shown", "read_as"),
    [
        ("ףסוי ןב 1871 תנשב", "בשנת 1871 בן יוסף"),
        ("(ףרוחב) Olaf Berg ידי לע", "על ידי Olaf Berg (בחורף)"),
        ("12% רמולכ 4,210.50 ריחמה", "המחיר 4,210.50 כלומר 12%"),
        ("2019-ב", "ב-2019"),
        ("12 034 567 ךס 2 001 ריחמ", "מחיר 2 001 סך 12 034 567"),
        ("7 2019 12 45 ףד", "דף 45 12 2019 7"),
    ],
)
def test_a_hebrew_line_is_read_in_its_logical_order(read, shown, read_as):
    text = read("a.pdf", make.pdf_with_letters(shown)).text
    assert text == read_as


def test_a_hebrew_word_in_an_english_line_is_read_in_its_logical_order(read):
    text = read("a.pdf", make.pdf_with_letters("The word is רולדגמ in Hebrew, and 4,210 more.")).text
    assert text == "The word is מגדלור in Hebrew, and 4,210 more."


def test_a_letter_that_its_font_doesnt_name_is_marked(read):
    assert read("a.pdf", make.pdf_with_letters("The \0ox is 4 m wide.")).text == "The \ufffdox is 4 m wide."


def test_a_smaller_word_behind_a_space_is_a_word_of_its_own(read):
    def page(sheet):
        for top, (small, text) in enumerate(((8, "crore"), (8, "2"))):
            line = sheet.beginText(60, 700 - 40 * top)
            for size, part in ((20, "845 " if text == "crore" else "CO"), (small, text), (20, " in all")):
                line.setFont("Helvetica", size)
                line.textOut(part)
            sheet.drawText(line)

    assert read("a.pdf", make.pdf_drawn(page)).text.splitlines() == ["845 crore in all", "CO2 in all"]


def test_words_that_are_drawn_twice_at_one_place_are_read_once(read):
    def page(sheet):
        for shift in (0, 0.3):
            sheet.drawString(60 + shift, 700, "Titan Pro 19M42")
            sheet.drawString(60, 680 - shift, "Fee 14")
        sheet.drawString(60, 660, "14 14")

    assert read("a.pdf", make.pdf_drawn(page)).text.splitlines() == ["Titan Pro 19M42", "Fee 14", "14 14"]


def test_a_space_in_one_cell_says_nothing_of_the_gaps_in_another():
    def letters(text, left, word):
        boxes = [(left + 6 * place, left + 6 * place + 6, 700, 14) for place in range(len(text))]
        return [
            _Character(place, letter, box, word) for place, (letter, box) in enumerate(zip(text, boxes, strict=True))
        ]

    cell = [*letters("ما", 60, 1), *letters("يف", 74.6, 0)]  # a gap of 0.19 of the height
    parts = _parts([*cell, *letters("3 001", 200, 2)])
    assert ["".join(character.text for character in part) for part in parts] == ["ما يف", "3 001"]


def test_a_line_of_groups_of_digits_is_read_in_linear_time():
    def work(size):
        boxes = ((4 * place, 4 * place + 4, 700, 14) for place in range(size))
        line = [_Character(place, "123 "[place % 4], box) for place, box in enumerate(boxes)]
        assert _reading_order(line, mirrored=True)[-1].text == "3"

    assert_linear(work)


def report_page(number: int, count: int, sheet) -> None:
    sheet.drawString(60, 810, "Harbour report" if number % 2 else "Review of the coast")
    make.draw_rows(sheet, [[line] for line in prose(9, 8, 11 * number)], [60], top=760)
    sheet.drawString(280, 30, f"Page {number} of {count}")


def test_running_heads_and_page_numbers_are_marked_and_in_no_chunk(read):
    document = read("a.pdf", make.pdf_drawn(*(partial(report_page, number, 6) for number in range(1, 7))))
    marked = [document.text[start:end].strip() for start, end in document.furniture]
    assert marked.count("Harbour report") == marked.count("Review of the coast") == 3
    assert {f"Page {number} of 6" for number in range(1, 7)} < set(marked)
    chunks = chunk_document(document, size=1000, overlap=100)
    assert all("report" not in chunk.text and "Page" not in chunk.text for chunk in chunks)
    assert chunks[0].text.startswith(prose(9, 1, 11)[0])


def test_the_title_of_a_single_page_and_the_header_of_a_table_are_no_furniture(read):
    assert not read("a.pdf", make.pdf_drawn(partial(report_page, 1, 1))).furniture
    pages = [
        partial(make.draw_rows, rows=[TABLE[0], [f"Port {n}", str(n), "1"]], lefts=(60, 200, 340)) for n in range(5)
    ]
    assert not read("b.pdf", make.pdf_drawn(*pages)).furniture


CASES = DATA / "cases" / "pdf"
RIGHT = {
    "two_columns_raster_order": ["could not reach the rock.\nThe keeper's wage was raised to\n310 crowns"],
    "superscript_footnote_glued": ["4,210 (note 3) million", "350 m² in all", "512 (note 1) guests"],
    "platypus_single_digits": ["North pier | 7 | 3 | 1\nSouth pier | 12 | 4 | 2\nOld pier | 1 | 2 | 0"],
    "table_blank_cells": ["Skarv | 12 | | 19\nHolm | | 7 |\nGrunn | 3 | 4 | 5"],
    "rotate90_page_table": ["Skarv | 1871 | 3 | 22"],
    "chrome_ar": ["ارتفاع المنارة واحد وثلاثون مترا، وبنيت سنة 1871.", "رسوم المرسى 14 كرونة لكل ليلة."],
    "acroform_filled": ["Name of boat: ", "Draught in metres: 1.85", "Insured: [x]"],
    "hyphen_line_ends": ["self-employed", "twenty-one", "non-refundable", "harbourmaster", "arrivals", "European"],
    "hyphen_over_page_break": ["the transportation\n\nof livestock"],
}


@pytest.mark.skipif(not CASES.exists(), reason="needs the shared cases")
@pytest.mark.parametrize("name", RIGHT)
def test_cases_of_public_reports(name):
    text = read_document(CASES / f"{name}.pdf").text
    for part in RIGHT[name]:
        assert part in text


@pytest.mark.skipif(not CASES.exists(), reason="needs the shared cases")
def test_cases_of_hidden_text_and_of_a_table_over_two_pages():
    document = read_document(CASES / "hidden_white_text.pdf")
    assert document.text == "The ferry leaves at 8:15 on weekdays."
    assert document.notes[0].kind == NoteKind.HIDDEN_TEXT
    (table,) = read_document(CASES / "table_header_first_page_only.pdf").tables
    assert max(cell.row for cell in table.cells) == 60
    assert sum(cell.header for cell in table.cells) == 4
