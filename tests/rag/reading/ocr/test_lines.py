"""The text that recognized lines make: rows, columns and paragraphs."""

from __future__ import annotations

from rag.reading.ocr.lines import Piece, Reading, write_page

WIDTH, HEIGHT = 1000, 1400


def piece(text: str, left: float, top: float, *, right: float = 0, slope: float = 0.0, score: float = 1.0) -> Piece:
    right = right or left + 10 * len(text)
    return Piece(text, left, top, right, top + 20, score, slope)


def test_the_cells_of_a_row_are_on_one_line_in_any_order() -> None:
    page = write_page(
        Reading(
            [piece("9.50", 600, 103), piece("Skarv", 100, 100), piece("Elbow", 100, 140), piece("7", 600, 138)],
            WIDTH,
            HEIGHT,
        )
    )
    assert page.text == "Skarv 9.50\nElbow 7"


def test_each_line_has_its_span_and_its_box() -> None:
    page = write_page(
        Reading([piece(" Skarv ", 100, 140, right=200), piece("9.50", 600, 140, right=700)], WIDTH, HEIGHT)
    )
    skarv, price = page.lines
    assert (page.text[skarv.start : skarv.end], page.text[price.start : price.end]) == ("Skarv", "9.50")
    assert (skarv.left, skarv.top, skarv.right) == (0.1, 0.1, 0.2)
    assert price.right == 0.7


def test_rows_of_a_tilted_page_stay_together() -> None:
    slope = 0.035  # 2°
    rows = [("Skarv", "9.50"), ("Elbow", "7.25"), ("Tee", "3.10")]
    pieces = []
    for number, cells in enumerate(rows):
        for left, text in zip((50, 900), cells, strict=True):
            pieces.append(piece(text, left, 100 + 30 * number + slope * left, slope=slope))
    assert write_page(Reading(pieces, WIDTH, HEIGHT)).text == "Skarv 9.50\nElbow 7.25\nTee 3.10"


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    left = [f"left line {number} of the first column" for number in range(6)]
    right = [f"right line {number} of another column" for number in range(6)]
    pieces = [piece("A title over both of the columns", 300, 20, right=700)]
    for number in range(6):
        pieces += [
            piece(left[number], 50, 100 + 30 * number, right=460),
            piece(right[number], 540, 110 + 30 * number, right=950),
        ]
    text = write_page(Reading(pieces, WIDTH, HEIGHT)).text
    assert text.split() == " ".join(["A title over both of the columns", *left, *right]).split()


def test_a_larger_distance_begins_a_paragraph() -> None:
    tops = [100, 130, 160, 230, 260]
    page = write_page(Reading([piece(f"line {number}", 50, top) for number, top in enumerate(tops)], WIDTH, HEIGHT))
    assert page.text == "line 0\nline 1\nline 2\n\nline 3\nline 4"


def test_an_empty_page_has_no_text() -> None:
    assert write_page(Reading([], WIDTH, HEIGHT)).text == ""
    assert write_page(Reading([piece("  ", 10, 10)], WIDTH, HEIGHT)).text == ""


def test_the_score_of_a_page_is_that_of_its_characters() -> None:
    page = write_page(Reading([piece("long" * 10, 10, 10, score=0.5), piece("1", 10, 50, score=1.0)], WIDTH, HEIGHT))
    assert 0.5 < page.score < 0.55


def test_the_boxes_of_a_turned_page_are_where_the_lines_are_on_the_picture() -> None:
    line = piece("upright", 100, 140, right=200)
    for turns, box in ((1, (1 - 160 / HEIGHT, 0.1, 0.9, 0.2)), (2, (0.8, 1 - 160 / HEIGHT, 0.9, 0.9))):
        (read,) = write_page(Reading([line], WIDTH, HEIGHT, turns)).lines
        assert (read.left, read.top, read.right, read.bottom) == tuple(round(share, 4) for share in box)
