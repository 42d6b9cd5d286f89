"""Blocks of rows side by side on a PDF page, and tables that aren't such blocks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.commands.read import document_json
from rag.documents import Document
from rag.reading.layout.columns import reading_order
from rag.reading.layout.gutters import are_blocks
from rag.reading.layout.text_lines.segments import Segment
from tests.rag import make_documents as make
from tests.security.linear_time import assert_linear

_CARD = [
    [
        ("Moving", ""),
        ("C-n", "go to the line below"),
        ("C-p", "go to the line above"),
        ("C-a", "go to the first letter"),
        ("C-e", "go to the last letter"),
        ("M-f", "go one word forward"),
        ("M-b", "go one word back"),
    ],
    [
        ("Cutting", ""),
        ("C-k", "cut the rest of the line"),
        ("C-w", "cut what is selected"),
        ("C-y", "put back what was cut"),
        ("C-d", "delete a letter"),
        ("M-d", "delete a word"),
        ("M-y", "put back what was cut before"),
    ],
    [
        ("Files", ""),
        ("open (f)", "open a file"),
        ("save (f)", "write a file"),
        ("close (f)", "close a file"),
        ("list (d)", "list the files of a folder"),
        ("move (f, d)", "move a file to a folder"),
        ("quit", "leave the program"),
    ],
]


def _card(lefts: Sequence[float] = (40, 230, 420), shift: float = 5.0) -> bytes:
    """Return a page with three blocks, drawn one after the other, whose lines are at different heights."""

    def draw(sheet):
        sheet.setFont("Helvetica", 8)
        for number, (block, left) in enumerate(zip(_CARD, lefts, strict=True)):
            make.draw_rows(sheet, block, (left, left + 50), top=740 - shift * number, step=14)

    return make.pdf_drawn(draw)


def _rows(document: Document) -> list[list[str]]:
    return [row for table in document_json(document)["tables"] for row in table["rows"]]


@pytest.mark.parametrize("shift", [5.0, 0.0], ids=["lines at other heights", "lines side by side"])
def test_blocks_of_terms_side_by_side_are_read_one_after_the_other(read, shift):
    document = read("a.pdf", _card(shift=shift))
    for block in _CARD:
        for term, meaning in block[1:]:
            assert f"{term} | {meaning}" in document.text.splitlines()
            assert [term, meaning] in _rows(document)
    titles = [document.text.index(block[0][0]) for block in _CARD]
    assert titles == sorted(titles)


def _side(lefts: Sequence[float], texts: Sequence[str], first: int, *, by_column: bool = False) -> list[Segment]:
    """Return eight rows of cells at `lefts`, drawn row by row or column by column as the `first` on the page."""
    places = [(row, column) for row in range(8) for column in range(len(lefts))]
    places.sort(key=lambda place: place[::-1] if by_column else place)
    return [
        Segment(texts[column], [], lefts[column], lefts[column] + 60, -14.0 * row, 10.0, first + number)
        for number, (row, column) in enumerate(places)
    ]


def test_the_columns_of_a_table_are_no_blocks():
    by_column = _side((40, 140), ("port", "who keeps it"), 0, by_column=True)
    assert not are_blocks(by_column, _side((260, 360), ("lamp", "since when"), 16, by_column=True))
    labels = _side((40,), ("the harbour",), 0)
    assert not are_blocks(labels, _side((260, 360), ("in room a", "every day"), 8))
    assert not are_blocks(_side((40, 140), ("port", "who keeps it"), 0), _side((260, 360), ("12", "7"), 16))


def test_one_short_cell_doesnt_cut_the_descriptions_of_other_rows(read):
    rows = [("Quick card", "", "Version 3"), ("start", "begin a session on this machine", "")]
    rows += [
        (term, f"{verb} what the screen shows now and here", "") for term, verb in zip("abcde", "hijkl", strict=True)
    ]
    rows += [("stop", "end it", "")]
    document = read("a.pdf", make.pdf_drawn(lambda sheet: make.draw_rows(sheet, rows, (60, 140, 250))))
    lines = document.text.splitlines()
    assert "start | begin a session on this machine" in lines
    assert "c | j what the screen shows now and here" in lines


def test_a_large_title_with_more_at_its_right_names_no_columns(read):
    rows = [(f"C-{letter}", f"go to the {letter} of the text") for letter in "abcdef"]

    def draw(sheet):
        sheet.setFont("Helvetica", 18)
        sheet.drawString(40, 760, "Quick card")
        sheet.setFont("Helvetica", 9)
        sheet.drawString(240, 760, "Version 3")
        make.draw_rows(sheet, rows, (40, 120))

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text.startswith("Quick card Version 3\n")
    assert _rows(document) == [list(row) for row in rows]


def test_blocks_of_thousands_of_rows_take_linear_time():
    def work(count: int) -> None:
        segments = []
        for number in range(count):
            block, line = divmod(number // 2, count // 4)
            left, size = 200.0 * block + 60 * (number % 2), 10.0
            segments.append(Segment("ab", [0, 1], left, left + 20, -12.0 * line, size, number))
        assert len(reading_order(segments)) > 1

    assert_linear(work, "segments", sizes=(2_000, 20_000))
