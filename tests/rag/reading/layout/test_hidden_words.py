"""Words of a PDF page that nobody can see are left out and counted: invisible, clipped away or covered ones."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from rag.documents import Note, NoteKind
from rag.reading.formats.pdf import layers
from rag.reading.formats.pdf.layers import has_hidden_layers
from rag.reading.layout.visibility import covers
from tests.rag import make_documents as make


def hidden(sheet):
    sheet.rect(50, 700, 300, 30, fill=1)
    for gray, height, text in (
        (1, 710, "White on black."),
        (1, 660, "White!"),
        (0.6, 640, "Gray."),
        (0.99, 620, "Pale!"),
    ):
        sheet.setFillGray(gray)
        sheet.drawString(60, height, text)
    for gray, left, text in ((0, 60, "The fee is 30"), (1, 132, "or 40!"), (0, 170, "crowns.")):
        sheet.setFillGray(gray)
        sheet.drawString(left, 600, text)
    sheet.drawString(60, -30, "Below!")
    sheet.drawString(700, 500, "Beside!")
    for mode, height in ((3, 540), (7, 520)):
        line = sheet.beginText(60, height)
        line.setTextRenderMode(mode)
        line.textOut("Invisible!")
        sheet.drawText(line)
    sheet.setFont("Helvetica", 0.8)
    sheet.drawString(60, 560, "Tiny!")


def test_text_that_nobody_can_see_is_left_out_and_counted(read):
    document = read("a.pdf", make.pdf_drawn(lambda sheet: sheet.drawString(60, 700, "First."), hidden))
    assert document.text.splitlines()[2:] == ["White on black.", "Gray.", "The fee is 30 crowns."]
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 9, ("2",)),)


def test_text_outside_of_the_cropped_page_is_left_out(read):
    def draw(sheet):
        make.draw_rows(sheet, [["Outside"], ["Inside"]], [60], top=700, step=300)

    document = read("a.pdf", make.pdf_drawn(draw, crop=(0, 100, 500, 600)))
    assert document.text == "Inside"
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1, ("1",)),)


def test_words_under_a_filled_shape_that_was_drawn_last_are_left_out_and_counted(read):
    def draw(sheet):
        sheet.drawString(60, 700, "The fee is 14 crowns.")
        sheet.drawString(60, 660, "Highlighted words.")
        sheet.drawString(60, 620, "Framed words.")
        sheet.setFillColorRGB(0, 0, 0)
        sheet.rect(115, 696, 15, 12, stroke=0, fill=1)  # over 14
        sheet.setFillColorRGB(1, 1, 0, alpha=0.4)
        sheet.rect(58, 656, 120, 14, stroke=0, fill=1)
        sheet.rect(58, 616, 120, 14, stroke=1, fill=0)

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "The fee is crowns.\nHighlighted words.\nFramed words."
    assert document.notes == (Note(NoteKind.HIDDEN_TEXT, 1, ("1",)),)


def test_the_invisible_text_over_a_scanned_picture_is_read(read):
    from PIL import Image, ImageDraw
    from reportlab.lib.utils import ImageReader

    def draw(sheet):
        picture = Image.new("RGB", (600, 800), "white")
        for left in range(60, 360, 30):
            ImageDraw.Draw(picture).rectangle((left, 60, left + 15, 80), fill="black")
        sheet.drawImage(ImageReader(picture), 0, 0, 595, 842)
        line = sheet.beginText(60, 765)
        line.setFont("Helvetica", 20)
        line.setTextRenderMode(3)
        line.textOut("Words of a scan")
        sheet.drawText(line)

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "Words of a scan"
    assert not document.notes


def clip(sheet, left, bottom, width, height):
    path = sheet.beginPath()
    path.rect(left, bottom, width, height)
    sheet.clipPath(path, stroke=0, fill=0)


def hidden_note(count):
    return (Note(NoteKind.HIDDEN_TEXT, count, ("1",)),)


def test_words_outside_of_the_clipping_path_are_left_out_and_counted(read):
    def draw(sheet):
        sheet.drawString(60, 700, "Before.")
        sheet.saveState()
        clip(sheet, 55, 590, 100, 60)
        sheet.drawString(60, 620, "Inside and some words outside")
        sheet.drawString(60, 500, "Below!")
        clip(sheet, 0, 600, 600, 40)  # what both have in common counts
        sheet.drawString(60, 592, "Under!")
        sheet.restoreState()
        sheet.drawString(200, 640, "Beside.")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "Before.\nBeside.\nInside and some"
    assert document.notes == hidden_note(4)


def test_cells_that_are_cut_off_at_the_next_one_lose_the_words_behind_the_cut(read):
    def draw(sheet):
        for number, row in enumerate([("A long remark on lamps", "14"), ("Another one on piers", "17")]):
            for left, text in zip((60, 160), row, strict=True):
                sheet.saveState()
                clip(sheet, left, 690 - 20 * number, 86, 18)
                sheet.drawString(left, 695 - 20 * number, text)
                sheet.restoreState()

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "A long remark on 14\nAnother one on 17"
    assert document.notes == hidden_note(2)


def test_a_round_clip_hides_only_what_is_outside_of_it(read):
    def draw(sheet):
        path = sheet.beginPath()
        path.circle(200, 600, 80)
        sheet.clipPath(path, stroke=0, fill=0)
        sheet.drawString(180, 600, "Middle")
        sheet.drawString(125, 665, "Corner")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "Middle"
    assert document.notes == hidden_note(1)


@pytest.mark.parametrize("in_form", [False, True], ids=["on the page", "in a form"])
def test_what_is_drawn_between_two_texts_hides_the_earlier_one_only(read, in_form):
    def draw(sheet):
        if in_form:
            sheet.beginForm("inner")
        sheet.drawString(60, 700, "The fee is 14 crowns.")
        sheet.setFillGray(1)
        sheet.rect(114, 695, 16, 14, stroke=0, fill=1)  # over 14
        sheet.setFillGray(0)
        sheet.drawString(116, 700, "30")
        sheet.drawString(60, 600, "The last line.")
        if in_form:
            sheet.endForm()
            sheet.translate(20, -40)
            sheet.scale(0.9, 0.9)
            sheet.doForm("inner")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "The fee is 30 crowns.\nThe last line."
    assert document.notes == hidden_note(1)


def test_words_over_the_end_of_a_covered_text_stay(read):
    def draw(sheet):
        sheet.drawString(60, 700, "The fee is 14")
        sheet.setFillGray(1)
        sheet.rect(114, 695, 16, 14, stroke=0, fill=1)  # over 14
        sheet.setFillGray(0)
        sheet.drawString(116, 700, "30")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "The fee is 30"
    assert document.notes == hidden_note(1)


def test_a_form_that_was_drawn_later_hides_the_words_below_it(read):
    def draw(sheet):
        sheet.drawString(60, 700, "Secret words")
        sheet.beginForm("label")
        sheet.rect(0, 0, 200, 30, stroke=0, fill=1)
        sheet.setFillGray(1)
        sheet.drawString(5, 10, "Label")
        sheet.endForm()
        sheet.translate(50, 690)
        sheet.doForm("label")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "Label"
    assert document.notes == hidden_note(2)


def picture(color, size=(40, 40), mode="RGB"):
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    return ImageReader(Image.new(mode, size, color))


def test_a_picture_that_was_drawn_later_hides_the_words_below_it(read):
    def draw(sheet):
        for height, text in ((700, "Words below a picture"), (660, "Words below glass")):
            sheet.drawString(60, height, text)
        sheet.drawImage(picture((20, 90, 30)), 50, 690, 200, 30)
        sheet.drawImage(picture((250, 250, 0, 90), mode="RGBA"), 50, 650, 200, 30, mask="auto")
        sheet.setFillGray(1)
        sheet.drawString(60, 700, "Title over a picture")
        sheet.setFillGray(0)
        for number in range(12):
            sheet.drawString(60, 500 - 20 * number, f"Line {number} of the text below.")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text.splitlines()[:2] == ["Title over a picture", "Words below glass"]
    assert document.notes == hidden_note(4)


@pytest.mark.parametrize("mode", ["Multiply", "Darken", "Normal"])
def test_highlighted_words_stay(read, mode):
    from reportlab.pdfgen import canvas

    def draw(sheet: canvas.Canvas):
        sheet.setFillColorRGB(1, 1, 0)
        sheet.rect(58, 696, 140, 14, stroke=0, fill=1)
        sheet.setFillGray(0)
        sheet.drawString(60, 700, "Marked before the text")
        sheet.drawString(60, 660, "Marked behind the text")
        sheet.saveState()
        sheet.setFillColorRGB(1, 1, 0, alpha=0.5 if mode == "Normal" else 1)
        sheet.setBlendMode(mode)
        sheet.rect(58, 656, 140, 14, stroke=0, fill=1)
        sheet.restoreState()
        sheet.drawString(60, 620, "The last line.")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text.splitlines() == ["Marked before the text", "Marked behind the text", "The last line."]
    assert not document.notes


def test_a_table_with_shaded_rows_stays_whole(read):
    rows = [["Pier", "Fee", "Lamps"], *([f"Quay {number}", str(7 * number), str(number)] for number in range(1, 9))]

    def draw(sheet):
        for number, row in enumerate(rows):
            sheet.setFillGray(0.9 if number % 2 else 1)
            sheet.rect(50, 694 - 18 * number, 300, 18, stroke=0, fill=1)
            sheet.setFillGray(0)
            for left, text in zip((60, 160, 260), row, strict=True):
                sheet.drawString(left, 698 - 18 * number, text)

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text.splitlines() == [" | ".join(row) for row in rows]
    assert not document.notes


def test_a_cover_in_a_clip_hides_only_what_is_in_the_clip(read):
    def draw(sheet):
        sheet.drawString(60, 700, "The fee is 14 crowns.")
        sheet.saveState()
        clip(sheet, 114, 690, 16, 20)
        sheet.rect(0, 600, 500, 200, stroke=0, fill=1)
        sheet.restoreState()
        sheet.drawString(60, 660, "The last line.")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "The fee is crowns.\nThe last line."
    assert document.notes == hidden_note(1)


def test_the_text_below_a_scanned_picture_is_read(read):
    from PIL import Image, ImageDraw
    from reportlab.lib.utils import ImageReader

    def draw(sheet):
        scan = Image.new("RGB", (600, 800), "white")
        for left in range(60, 360, 30):
            ImageDraw.Draw(scan).rectangle((left, 60, left + 15, 80), fill="black")
        sheet.setFont("Helvetica", 20)
        sheet.drawString(60, 765, "Words of a scan")
        sheet.drawImage(ImageReader(scan), 0, 0, 595, 842)
        sheet.drawString(60, 20, "Received on 1 May")

    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == "Words of a scan\nReceived on 1 May"
    assert not document.notes


@pytest.mark.parametrize("rules", [0, 100])
def test_a_cover_on_a_page_with_many_shapes_is_found(read, rules):
    def draw(sheet):
        for number in range(rules):
            sheet.line(50, 50 + number, 60, 50 + number)
        sheet.drawString(60, 700, "Confidential salary 12345")
        sheet.setFillGray(1)
        sheet.rect(55, 690, 300, 30, stroke=0, fill=1)

    document = read("a.pdf", make.pdf_drawn(draw, lambda sheet: sheet.drawString(60, 700, "Public.")))
    assert document.text.strip() == "Public."
    assert document.notes[0] == Note(NoteKind.HIDDEN_TEXT, 3, ("1",))


LAYERS = (
    "BT /F 12 Tf 60 700 Td (The fee is 14.) Tj ET /OC /L BDC BT /F 12 Tf 60 650 Td (Draft: 99.) Tj ET EMC "
    "BT /F 12 Tf 60 600 Td (The last line.) Tj ET"
)
LAYERS_AT_ONE_PLACE = (
    "/OC /L BDC BT /F 12 Tf 60 700 Td (Die Miete ist 14.) Tj ET EMC "
    "/OC /M BDC BT /F 12 Tf 60 700 Td (The rent is 14.) Tj ET EMC "
    "BT /F 12 Tf 60 600 Td (The last line.) Tj ET"
)


def layered(settings, content=LAYERS):
    return make.pdf_of_objects(
        [
            f"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [6 0 R 7 0 R] /D << {settings} >> >> >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            "/Resources << /Font << /F 5 0 R >> /Properties << /L 6 0 R /M 7 0 R >> >> >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            "<< /Type /OCG /Name (Draft) >>",
            "<< /Type /OCG /Name (Final) >>",
        ]
    )


@pytest.mark.parametrize("settings", ["/OFF [6 0 R]", "/BaseState /OFF"])
def test_words_on_a_hidden_layer_are_left_out_and_counted(read, settings):
    document = read("a.pdf", layered(settings))
    assert document.text == "The fee is 14.\nThe last line."
    assert document.notes == hidden_note(2)


@pytest.mark.parametrize(
    ("hidden_layer", "text"), [("6 0 R", "The rent is 14."), ("7 0 R", "Die Miete ist 14."), ("6 0 R 7 0 R", "")]
)
def test_words_on_a_hidden_layer_below_or_over_visible_ones_are_left_out(read, hidden_layer, text):
    document = read("a.pdf", layered(f"/OFF [{hidden_layer}]", LAYERS_AT_ONE_PLACE))
    assert document.text == f"{text}\nThe last line.".strip()
    assert document.notes == hidden_note(4 if text else 8)


def test_words_on_a_visible_layer_stay(read):
    document = read("a.pdf", layered("/OFF []"))
    assert document.text == "The fee is 14.\nDraft: 99.\nThe last line."
    assert not document.notes


def test_a_hidden_layer_is_found_among_packed_objects():
    inner = zlib.compress(b"1 0 << /OCProperties 2 0 R >> 2 30 << /D << /OFF [ 6 0 R ] >> >>")
    packed = b"%PDF-1.7 7 0 obj << /Type /ObjStm /N 2 /Filter /FlateDecode >> stream\r\n" + inner + b"\nendstream"
    assert has_hidden_layers(packed)
    assert not has_hidden_layers(packed.replace(b"ObjStm", b"Stream"))


def packed_objects(inner, copies=1):
    names = b"/ObjStm " * copies
    return b"7 0 obj << /Type " + names + b">> stream\r\n" + zlib.compress(inner) + b"\nendstream "


def test_packed_objects_are_unpacked_once_and_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(layers, "MOST_BYTES", 100_000)
    large = packed_objects(bytes(60_000), copies=50)
    assert not has_hidden_layers(large)
    assert has_hidden_layers(large + large)  # perhaps


def test_covers_are_compared_with_words_in_batches(monkeypatch):
    monkeypatch.setattr(covers, "_MOST_PAIRS", 10)
    assert list(covers.batches(np.array([4, 6, 1, 0, 30, 2, 8]))) == [(0, 2), (2, 4), (4, 5), (5, 7)]


def spell(sheet, text, height, left=60.0, cover_after=None):
    """Draw each letter as an object of its own, with a box over the word "Secret" behind one of them."""
    for number, letter in enumerate(text):
        if letter != " ":  # PDFium adds the spaces
            sheet.drawString(left, height, letter)
        left += sheet.stringWidth(letter)
        if number == cover_after:
            cover(sheet)


def cover(sheet):
    sheet.setFillGray(1)
    sheet.rect(55, 695, 42, 16, stroke=0, fill=1)
    sheet.setFillGray(0)


def cover_among_the_glyphs_of_a_word(sheet):
    spell(sheet, "Secret", 700)
    spell(sheet, "Visible", 660, cover_after=2)
    spell(sheet, "glyphs of a line", 600)


def cover_behind_a_whole_footer(sheet):
    for height, text in ((700, "Secret"), (660, "Visible"), (600, "glyphs of a line")):
        spell(sheet, text, height)
    sheet.drawString(60, 40, "12")
    cover(sheet)


def cover_instead_of_a_space(sheet):
    spell(sheet, "Secret", 700)
    cover(sheet)
    spell(sheet, "Visible", 700, left=98)
    spell(sheet, "glyphs of a line", 600)


@pytest.mark.parametrize(
    ("draw", "text"),
    [
        (cover_among_the_glyphs_of_a_word, "Visible\nglyphs of a line"),
        (cover_behind_a_whole_footer, "Visible\nglyphs of a line\n12"),
        (cover_instead_of_a_space, "Visible\nglyphs of a line"),
    ],
)
def test_a_cover_between_glyphs_is_found(read, draw, text):
    document = read("a.pdf", make.pdf_drawn(draw))
    assert document.text == text
    assert document.notes == hidden_note(1)
