"""Headers of PDF tables whose text runs upwards or downwards belong to their columns."""

from __future__ import annotations

import pytest

from rag.commands.read import document_json
from tests.rag import make_documents as make

HEADER = ["Port", "Summer fee", "Winter fee", "Lamps", "2024"]
BODY = [["Skarv", "14", "9", "3", "120"], ["Holm", "7", "5", "12", "98"], ["Grunn", "21", "16", "1", "77"]]
LEFTS = (60, 140, 170, 200, 230)


def vertical(sheet, x, y, text, angle, *, align="start"):
    """Draw a text that runs upwards (90) from a point, or downwards (270) to it; its line is right of `x`."""
    width = sheet.stringWidth(text, "Helvetica", 12)
    shift = {"start": 0, "middle": -width / 2, "end": -width}[align]
    sheet.saveState()
    sheet.translate(x + (12 if angle == 90 else 2), y + shift + (width if angle == 270 else 0))
    sheet.rotate(angle)
    sheet.drawString(0, 0, text)
    sheet.restoreState()


def table(sheet, angle=90, *, align="start", label=True):
    y = {"start": 720, "middle": 760, "end": 790}[align]
    if label:
        sheet.drawString(LEFTS[0], 720, HEADER[0])
    for left, text in zip(LEFTS[1:], HEADER[1:], strict=True):
        vertical(sheet, left, y, text, angle, align=align)
    make.draw_rows(sheet, BODY, LEFTS, top=700)


@pytest.mark.parametrize("angle", [90, 270], ids=["upwards", "downwards"])
@pytest.mark.parametrize("align", ["start", "middle", "end"])
@pytest.mark.parametrize("label", [True, False], ids=["with a name of the labels", "without"])
def test_vertical_cells_are_the_headers_of_their_columns(read, angle, align, label):
    document = read("a.pdf", make.pdf_drawn(lambda sheet: table(sheet, angle, align=align, label=label)))
    (found,) = document_json(document)["tables"]
    assert found["rows"] == [[HEADER[0] if label else "", *HEADER[1:]], *BODY]
    assert found["header_rows"] == 1


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_vertical_headers_of_a_turned_page(read, rotation):
    def draw(sheet):
        sheet.translate(300, 400)
        sheet.rotate(rotation)
        sheet.translate(-150, -700)
        table(sheet)

    (found,) = document_json(read("a.pdf", make.pdf_drawn(draw, rotation=rotation)))["tables"]
    assert found["rows"] == [HEADER, *BODY]


def test_lines_of_a_vertical_cell_belong_together(read):
    def draw(sheet):
        for left, lines in ((140, ("Summer", "fee")), (190, ("Winter fee",)), (230, ("Lamps", "in all"))):
            for number, text in enumerate(lines):
                vertical(sheet, left + 13 * number - 6, 720, text, 90)
        make.draw_rows(sheet, BODY, (60, 140, 190, 230), top=700)

    (found,) = document_json(read("a.pdf", make.pdf_drawn(draw)))["tables"]
    assert found["rows"][0] == ["", "Summer fee", "Winter fee", "Lamps in all"]


def test_a_row_above_vertical_headers_is_a_header_too(read):
    def draw(sheet):
        sheet.drawCentredString(165, 800, "Fees")
        table(sheet)

    (found,) = document_json(read("a.pdf", make.pdf_drawn(draw)))["tables"]
    assert found["rows"][-4:] == [HEADER, *BODY]


def test_vertical_texts_that_are_over_no_row_come_after_the_text(read):
    def draw(sheet):
        make.draw_rows(sheet, [["Pier", "7", "3"], ["Quay", "5", "9"]], (60, 140, 200))
        vertical(sheet, 400, 500, "Side label", 90)
        vertical(sheet, 440, 500, "Other label", 90)

    text = read("a.pdf", make.pdf_drawn(draw)).text
    assert text.splitlines() == ["Pier | 7 | 3", "Quay | 5 | 9", "Side label Other label"]
