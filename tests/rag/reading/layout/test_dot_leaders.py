"""Dots between the titles of a table of contents and their pages, and between labels and figures."""

from __future__ import annotations

from collections.abc import Sequence

from rag.commands.read import document_json
from rag.reading.layout.dot_leaders import join_leaders
from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment
from tests.rag import make_documents as make
from tests.security.linear_time import assert_linear

_CONTENTS = [
    ("1", "The harbour", "", "3"),
    ("", "1.1 Piers and their keepers", ". " * 30, "3"),
    ("", "1.2 Lamps", ". " * 40, "5"),
    ("2", "Fees", "", "9"),
    ("", "2.1 Summer", "." * 60, "9"),
    ("", "2.2 Winter", "." * 60, "12"),
    ("", "2.3 Boats without a keeper", ". " * 28, "107"),
]


def _page(rows: Sequence[Sequence[str]], lefts: Sequence[float], rights: Sequence[float]) -> bytes:
    def draw(sheet):
        for number, row in enumerate(rows):
            height = 740 - 16 * number
            for left, text in zip(lefts, row, strict=False):
                sheet.drawString(left, height, text)
            for right, text in zip(rights, row[len(lefts) :], strict=True):
                sheet.drawRightString(right, height, text)

    return make.pdf_drawn(draw)


def test_a_table_of_contents_is_lines_with_their_pages(read):
    document = read("a.pdf", _page(_CONTENTS, (60, 90), (500, 540)))
    assert document.text.splitlines() == [
        "1 The harbour … 3",
        "1.1 Piers and their keepers … 3",
        "1.2 Lamps … 5",
        "2 Fees … 9",
        "2.1 Summer … 9",
        "2.2 Winter … 12",
        "2.3 Boats without a keeper … 107",
    ]
    assert not document.tables


def test_dots_before_figures_are_left_out_and_the_table_stays(read):
    rows = [
        ("", "", "2023", "2022"),
        ("Fees", ". " * 30, "1,234", "1,100"),
        ("Wages", ". " * 30, "12", "907"),
        ("Lamps", ". " * 30, "15", "18"),
        ("Boats of the harbour", ". " * 16, "20", "21"),
    ]
    document = read("a.pdf", _page(rows, (60,), (330, 420, 500)))
    expected = [[label, first, second] for label, _, first, second in rows]
    assert document_json(document)["tables"][0]["rows"] == expected
    assert "…" not in document.text


def test_one_column_of_figures_that_count_no_pages_stays_a_table(read):
    rows = [("Fees", ". " * 30, "1,234"), ("Wages", ". " * 30, "807"), ("Lamps", ". " * 30, "12")]
    document = read("a.pdf", _page(rows, (60,), (330, 420)))
    assert document_json(document)["tables"][0]["rows"] == [[label, figure] for label, _, figure in rows]


def test_three_dots_in_a_sentence_stay(read):
    text = "Wait ... until the lamp is green ... 12"
    assert read("a.pdf", _page([[text]], (60,), ())).text == text


def test_each_letter_of_an_entry_keeps_its_place_on_the_page():
    texts = ["1.2", "Lamps . . . . . .", ". . . .", "12"]
    segments, start = [], 0
    for order, text in enumerate(texts):
        segments.append(
            Segment(text, range(start, start + len(text)), 60.0 + 90 * order, 140.0 + 90 * order, 0, 10, order)
        )
        start += len(text)
    drawn = "".join(texts)
    for line in join_leaders([Line(segments)] * 3):
        (entry,) = line.segments
        assert entry.text == "1.2 Lamps … 12"
        assert [drawn[index] for index in entry.indexes if index >= 0] == list("1.2Lamps12")
        assert len(entry.indexes) == len(entry.text)


def test_thousands_of_dots_and_cells_take_linear_time():
    def work(size: int) -> None:
        text = "a .... " * (size // 28)
        cells = [Segment(text, range(len(text)), 9.0 * n, 9.0 * n + 8, 0.0, 10.0, n) for n in range(4)]
        many = [Segment("....", range(4), 9.0 * n, 9.0 * n + 8, 0.0, 10.0, n) for n in range(size // 4)]
        page = Segment("7", [0], 1e6, 1e6 + 5, 0.0, 10.0, size)
        join_leaders([Line([*cells, page])] * 3 + [Line([cells[0], *many, page])])

    assert_linear(work, "dots")
