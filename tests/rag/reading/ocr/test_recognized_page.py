"""The text and the tables that recognized lines make, and where they are on the picture."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.documents import Content
from rag.reading.ocr.recognized_page import recognized_page
from rag.reading.ocr.recognized_text import Piece, Reading
from tests.rag.reading.ocr.conftest import content_of

WIDTH, HEIGHT = 1000, 1400
PRICES = [("Port", "Boats", "Fee"), ("Skarv", "7", "9.50"), ("Elbow", "12", "7.25"), ("Tee", "3", "13.10")]


def piece(text: str, left: float, top: float, *, right: float = 0, slope: float = 0.0, score: float = 1.0) -> Piece:
    right = right or left + 10 * len(text)
    return Piece(text, left, top, right, top + 20, score, slope)


def table(slope: float = 0.0) -> list[Piece]:
    """Return the cells of PRICES, which don't all have the same height."""
    return [
        piece(text, left, 100 + 30 * number + slope * left + number % 2, slope=slope)
        for number, row in enumerate(PRICES)
        for left, text in zip((50, 500, 900), row, strict=True)
    ]


def content(pieces: Sequence[Piece], turns: int = 0) -> Content:
    return content_of(recognized_page(Reading(pieces, WIDTH, HEIGHT, turns)))


@pytest.mark.parametrize("slope", [0.0, 0.035, -0.035])  # 2°: a row falls by more than the height of a line
def test_the_cells_of_a_table_are_in_its_rows_and_columns(slope: float) -> None:
    read = content(table(slope))
    (found,) = read.tables
    cells = {(cell.row, cell.column): read.text[cell.start : cell.end] for cell in found.cells}
    assert cells == {(row, column): text for row, texts in enumerate(PRICES) for column, text in enumerate(texts)}
    assert {cell.row for cell in found.cells if cell.header} == {0}


def test_each_cell_has_its_box() -> None:
    read = content(table())
    boxes = {read.text[line.start : line.end]: line for line in read.recognized}
    assert len(boxes) == 12
    assert (boxes["Elbow"].left, boxes["Elbow"].right) == (0.05, 0.1)
    assert boxes["7.25"].top == pytest.approx(160 / HEIGHT, abs=0.002)
    assert boxes["7.25"].bottom == pytest.approx(180 / HEIGHT, abs=0.002)


@pytest.mark.parametrize(
    ("turns", "box"), [(1, (1 - 160 / HEIGHT, 0.1, 1 - 140 / HEIGHT, 0.2)), (2, (0.8, 1 - 160 / HEIGHT, 0.9, 0.9))]
)
def test_the_boxes_of_a_turned_page_are_where_its_lines_are_on_the_picture(turns: int, box: tuple[float, ...]) -> None:
    (line,) = content([piece("upright", 100, 140, right=200)], turns).recognized
    assert (line.left, line.top, line.right, line.bottom) == pytest.approx(box, abs=0.001)


def test_the_box_of_a_tilted_line_contains_it() -> None:
    slope = 0.035
    (line,) = content([Piece("a line of words across the page", 100, 200, 900, 248, slope=slope)]).recognized
    assert (line.left, line.right) == (0.1, 0.9)
    assert line.top * HEIGHT == pytest.approx(200, abs=2)
    assert line.bottom * HEIGHT == pytest.approx(248, abs=2)


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    left = [f"the left line {number} goes on in the" for number in range(8)]
    right = [f"the right line {number} goes on in the" for number in range(8)]
    pieces = [piece("A title over both of the columns", 300, 20, right=700)]
    for number in range(8):
        pieces.append(piece(left[number], 50, 100 + 30 * number, right=460))
        pieces.append(piece(right[number], 540, 110 + 30 * number, right=950))
    text = content(pieces).text
    assert text.split() == " ".join(["A title over both of the columns", *left, *right]).split()


def test_a_word_that_a_line_end_breaks_is_one_word() -> None:
    read = content([piece("The harbour collects its pay-", 50, 100), piece("ments in May, and the payments", 50, 130)])
    assert read.text.startswith("The harbour collects its payments in May")
    first, second = read.recognized
    assert read.text[second.start : second.end] == "ments in May, and the payments"
    assert first.end <= second.start


def test_an_empty_page_has_no_text() -> None:
    assert content([]).text == ""
    assert content([piece("  ", 10, 10)]).text == ""


def test_the_score_of_a_page_is_that_of_its_characters() -> None:
    pieces = [piece("long" * 10, 10, 10, score=0.5), piece("1", 10, 50, score=1.0)]
    assert 0.5 < recognized_page(Reading(pieces, WIDTH, HEIGHT)).score < 0.55
