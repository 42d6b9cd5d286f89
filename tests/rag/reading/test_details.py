"""Details of small documents that are easy to lose or to show by mistake."""

from __future__ import annotations

import io
import json
import time

import pytest

from rag.documents import NoteKind
from tests.rag import make_documents as make
from tests.rag import make_office

SOFT = "\u00ad"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", f"The harbour{SOFT}master is in."),
        ("a.md", f"The harbour{SOFT}master is in."),
        ("a.html", "<p>The harbour&shy;master is in.</p>"),
        ("a.csv", f"Who;Where\nThe harbour{SOFT}master is in.;x\n"),
        ("a.docx", make.packed_docx(make.paragraph(f"The harbour{SOFT}master is in."))),
        ("a.odt", make_office.open_document(f"<text:p>The harbour{SOFT}master is in.</text:p>")),
    ],
)
def test_a_soft_hyphen_isnt_a_part_of_the_word(read, name, content):
    assert "The harbourmaster is in." in read(name, content).text


def test_json_shows_letters_and_not_their_numbers(read):
    text = r'{"port": "Sk\u00e5rv \ud83d\ude80", "path": "C:\\u00e5", "tab": "a\u0009b", "half": "\ud83d"}'
    for name in ("a.json", "a.jsonl"):
        document = read(name, text)
        assert document.text == text.replace(r"\u00e5rv \ud83d\ude80", "årv 🚀")
    assert json.loads(document.text) == json.loads(text)


def test_a_log_has_no_codes_of_a_terminal(read):
    log = "\x1b[31mERROR\x1b[0m fee \x1b]8;;https://a.example\x1b\\14\x1b]8;;\x1b\\ crowns\n"
    assert read("a.log", log).text == "ERROR fee 14 crowns\n"


def test_what_a_notebook_printed_has_no_codes_of_a_terminal(read):
    outputs = [{"output_type": "stream", "name": "stdout", "text": "fee \x1b[31m14\x1b[0m crowns\n"}]
    document = read("a.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": "fee", "outputs": outputs}]}))
    assert "fee 14 crowns" in document.text
    assert "\x1b" not in document.text


def test_comments_of_markdown_are_hidden_text(read):
    text = "Fee <!-- 99 -->14.\n\n```\n<!-- code -->\n```\n\n`<!-- inline -->`\n\n<!--\n98\n-->\n\n<!-- open"
    document = read("a.md", text)
    assert document.text == "Fee 14.\n\n```\n<!-- code -->\n```\n\n`<!-- inline -->`\n\n\n\n<!-- open"
    assert [(note.kind, note.count) for note in document.notes] == [(NoteKind.HIDDEN_TEXT, 2)]


def test_eight_times_the_comments_in_a_line_take_less_than_twenty_times_as_long(read):
    def seconds(count):
        text = "<!-- a -->" * count + "Fee 14."
        start = time.process_time()
        assert read("a.md", text).text == "Fee 14."
        return time.process_time() - start

    few, many = seconds(20_000), seconds(160_000)
    assert many < 20 * few


def test_a_notebook_shows_its_tables(read):
    html = "<table><tr><th></th><th>Port</th><th>Fee</th></tr><tr><th>0</th><td>Skarv</td><td>14</td></tr></table>"
    outputs = [{"output_type": "execute_result", "data": {"text/html": [html], "text/plain": ["   Port  Fee"]}}]
    document = read("a.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": "table", "outputs": outputs}]}))
    assert "|  | Port | Fee |\n| --- | --- | --- |\n| 0 | Skarv | 14 |" in document.text
    assert len(document.tables) == 1


def test_a_chart_of_a_slide_is_a_table_of_its_figures(read):
    import pptx
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE

    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    data = CategoryChartData()
    data.categories = ["Skarv", "Holm"]
    data.add_series("2023", (14, 9.5))
    data.add_series("2024", (15, None))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, 4_000_000, 3_000_000, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Dues by port"
    stream = io.BytesIO()
    presentation.save(stream)
    document = read("a.pptx", stream.getvalue())
    table = "|  | 2023 | 2024 |\n| --- | --- | --- |\n| Skarv | 14 | 15 |\n| Holm | 9.5 |  |"
    assert document.text == f"Dues by port\n\n{table}"
    assert document.tables[0].caption == "Dues by port"


def test_comments_of_cells_are_read(read):
    from openpyxl.comments import Comment

    def fill(book):
        book.active.append(["Port", "Fee"])
        book.active.append(["Skarv", 14])
        book.active["B2"].comment = Comment("15 from May on", "Ann")

    document = read("a.xlsx", make_office.workbook(fill))
    assert document.text.endswith("| Skarv | 14 |\n\nComment on B2: 15 from May on")


def test_comments_of_open_documents_are_read(read):
    comment = "<office:annotation><text:p>Should be 15.</text:p></office:annotation>"
    body = f"<text:p>The fee is 14{comment} crowns.</text:p>"
    assert read("a.odt", make_office.open_document(body)).text == "The fee is 14 crowns.\n\nComment: Should be 15."


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [(2.25, "# ??/??", "2 1/4"), (-1.5, "# ?/2", "-1 1/2"), (3, "# ?/?", "3"), (0, "# ?/?", "0")],
)
def test_fractions_are_shown_as_fractions(read, value, number_format, shown):
    def fill(book):
        book.active.append(["Port", "Share"])
        book.active.append(["Skarv", value])
        book.active["B2"].number_format = number_format

    assert f"| Skarv | {shown} |" in read("a.xlsx", make_office.workbook(fill)).text


def test_a_book_without_its_parts_is_refused_with_what_is_missing(refusal):
    error = refusal("a.epub", make.archive({"mimetype": b"application/epub+zip"}))
    assert error.message == "“a.epub” isn't a complete EPUB book: its part META-INF/container.xml is missing."
    assert error.remedy == "Download it again, or export it again as EPUB."


def test_notes_below_a_csv_table_are_no_rows(read):
    rows = "Port,Summer,Winter\nSkarv,14,9\nThe outer pier,,\nHolm,12,7\n"
    rows += "\nAll amounts in crowns.,,\nSource: harbour office\n"
    document = read("a.csv", rows)
    assert document.text == (
        "Port: Skarv; Summer: 14; Winter: 9\nPort: The outer pier\nPort: Holm; Summer: 12; Winter: 7\n"
        "All amounts in crowns.\nSource: harbour office"
    )
    (table,) = document.tables
    assert document.text[: table.end].endswith("Winter: 7")
    assert max(cell.row for cell in table.cells) == 3


def test_rows_with_a_first_cell_alone_are_rows(read):
    assert read("a.csv", "Port,Fee\nSkarv,14\nHolm,\n").text == "Port: Skarv; Fee: 14\nPort: Holm"
    assert read("a.csv", "Question,Answer\nWho pays the fee?,\n").text == "Question: Who pays the fee?"
