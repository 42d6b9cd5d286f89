"""Pictures on pages of a PDF that have text, too."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from rag.documents import Note, NoteKind
from rag.reading.ocr.page_pictures import has_images
from tests.rag import make_documents as make
from tests.rag.make_pictures import encoded, picture
from tests.rag.reading.ocr.conftest import Read

CHART = encoded(picture("Visitors in May: 4,210", width=600, height=400), "PNG")
BOX = (100.0, 200.0, 390.0, 260.0)
pytestmark = pytest.mark.usefixtures("tesseract")


def test_the_text_of_a_large_picture_comes_behind_that_of_its_page(read: Read) -> None:
    document = read(make.pdf_with_picture("A line above.", CHART, "A line below.", box=BOX))
    assert document.text == "A line above.\nA line below.\nVisitors in May: 4,210"
    assert document.notes == ()
    (line,) = document.recognized
    assert document.text[line.start : line.end] == "Visitors in May: 4,210"
    assert line.left == pytest.approx((100 + 80 / 600 * 390) / 595, abs=0.01)
    assert line.top == pytest.approx((842 - 460 + 48 / 400 * 260) / 842, abs=0.02)


def test_without_an_engine_it_is_a_note(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    document = read(make.pdf_with_picture("A line above.", CHART, "A line below.", box=BOX))
    assert document.text == "A line above.\nA line below."
    assert document.notes == (Note(NoteKind.UNREAD_PICTURES, 1, ("1",)),)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_picture_on_a_turned_page_is_read_in_its_place(read: Read, turn: int) -> None:
    upright = {90: (312, 100, 260, 390), 180: (105, 382, 390, 260), 270: (23, 352, 260, 390)}[turn]
    image = Image.open(io.BytesIO(CHART)).rotate(turn, expand=True)
    page = make.pdf_with_picture("A line above.", encoded(image, "PNG"), "A line below.", box=upright)
    document = read(make.turned(page, turn))
    assert document.text.endswith("Visitors in May: 4,210")
    (line,) = document.recognized
    assert 0 < line.left < line.right < 1
    assert 0 < line.top < line.bottom < line.top + 0.1


def test_a_picture_on_each_page_is_read_once(read: Read) -> None:
    page = make.pdf_with_picture("A line above.", CHART, "A line below.", box=BOX)
    document = read(make.joined(page, page))
    assert document.text.count("Visitors in May: 4,210") == 1
    assert document.notes == ()


def test_logos_and_photos_without_text_are_no_note(read: Read) -> None:
    photo = encoded(Image.linear_gradient("L"), "PNG")
    for image, box in ((CHART, (100, 200, 60, 40)), (photo, BOX)):
        document = read(make.pdf_with_picture("A line above.", image, "A line below.", box=box))
        assert document.text == "A line above.\nA line below."
        assert document.notes == ()


def test_a_stamp_on_a_scan_does_not_keep_its_page_from_being_read(read: Read) -> None:
    scan = encoded(picture("The lease ends on 1 May", width=1240, height=1754), "PNG")
    document = read(make.pdf_with_picture("", scan, "SCANNED 000123", box=(0, 0, 595, 842)))
    assert document.text == "SCANNED 000123\nThe lease ends on 1 May"


def test_a_scan_that_has_its_text_is_not_read_twice(read: Read) -> None:
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen import canvas

    lines = [f"Line {number} of a page that was recognized before" for number in range(6)]
    scan = picture(*lines, width=1240, height=1754)
    stream = io.BytesIO()
    sheet = canvas.Canvas(stream, pagesize=(595, 842))
    sheet.drawImage(ImageReader(scan), 0, 0, 595, 842)
    for number, line in enumerate(lines, 1):
        text = sheet.beginText(80 * 0.48, 842 - (number * 48 + 30) * 0.48)
        text.setTextRenderMode(3)
        text.textLine(line)
        sheet.drawText(text)
    sheet.showPage()
    sheet.save()
    document = read(stream.getvalue())
    assert document.text == "\n".join(lines)
    assert document.recognized == ()


@pytest.mark.parametrize(
    ("sides", "may_have_text"),
    [
        (b"/Width 46 /Height 56", False),  # a logo
        (b"/Width 200\n/Height 100", True),
        (b"/Height 8/Width 1700", True),  # a strip of a scan
        (b"/Width 12 0 R /Height 56", True),  # the size is elsewhere
    ],
)
def test_only_files_with_pictures_that_may_have_text_are_searched_for_them(sides: bytes, may_have_text: bool) -> None:
    assert has_images(b"5 0 obj\n<< /Subtype /Image %s >>\nstream\n..." % sides) is may_have_text
    assert not has_images(b"<< /ProcSet [/PDF /ImageB] >>")
