"""A page of a PDF as a picture: the highlight covers the right words on every kind of page."""

from __future__ import annotations

import base64
import io
import random
import tempfile
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from chat_page.sources.highlighted_characters import highlighted_characters
from chat_page.sources.page_picture import MAX_BYTES, MAX_PIXELS, WIDTH, page_picture
from rag.errors import DocumentError
from rag.reading.parse import read_document
from tests.conftest import DATA, missing
from tests.helpers.pdf_objects import pdf_of_objects, stream
from tests.rag import make_documents as make

NEEDLE = "Needle 42"


def texts(data: bytes) -> list[str]:
    """Return the text of each page, as the reader extracts it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.pdf")
        path.write_bytes(data)
        document = read_document(path)
    return [document.text[page.start : page.end] for page in document.pages]


def pdf_page(draw, size: tuple[float, float] = (595, 842)) -> bytes:
    """Return a PDF with one page, which `draw(canvas)` paints."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=size)
    draw(sheet)
    sheet.showPage()
    sheet.save()
    return out.getvalue()


def image_of(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB")


def ink(data: bytes, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the dark area of the page as PDFium renders it, in pixels of a picture of `size`."""
    document = pypdfium2.PdfDocument(data)
    page = document[0]
    scale = size[0] / page.get_width()
    box = page.render(scale=scale).to_pil().convert("L").point(lambda value: 255 * (value < 100)).getbbox()
    page.close()
    document.close()
    return box


def needle_at(x: float, y: float, size: float = 20):
    def draw(sheet: canvas.Canvas) -> None:
        sheet.setFont("Helvetica", size)
        sheet.drawString(x, y, NEEDLE)

    return draw


def rotated(angle: int):
    def draw(sheet: canvas.Canvas) -> None:
        sheet.setPageRotation(angle)
        needle_at(100, 400)(sheet)

    return draw


def cropped(sheet: canvas.Canvas) -> None:
    sheet.setCropBox((80, 200, 500, 500))
    needle_at(120, 400)(sheet)


def rotated_and_cropped(sheet: canvas.Canvas) -> None:
    sheet.setPageRotation(270)
    cropped(sheet)


def upwards(sheet: canvas.Canvas) -> None:
    sheet.rotate(90)
    needle_at(200, -300)(sheet)


@pytest.mark.parametrize(
    ("draw", "size"),
    [
        (needle_at(100, 700), (595, 842)),
        (rotated(90), (595, 842)),
        (rotated(180), (595, 842)),
        (rotated(270), (595, 842)),
        (cropped, (595, 842)),
        (rotated_and_cropped, (595, 842)),
        (upwards, (595, 842)),
        (needle_at(9000, 9000, 600), (14400, 14400)),
        (needle_at(100, 40), (2000, 100)),
        (needle_at(2, 5, 4), (40, 20)),
    ],
    ids=["plain", "90", "180", "270", "crop", "crop 270", "upwards", "huge", "wide", "tiny"],
)
def test_the_highlight_covers_the_words(draw, size) -> None:
    data = pdf_page(draw, size)
    picture = page_picture(data, 1, texts(data)[0], (0, len(NEEDLE)))
    assert image_of(picture.uri).size == (picture.width, picture.height)
    assert picture.width <= WIDTH
    assert picture.width * picture.height <= MAX_PIXELS * 1.1
    left, top, right, bottom = ink(data, (picture.width, picture.height))
    near = 3 + picture.width // 200
    assert min(box[0] for box in picture.boxes) <= left + near
    assert min(box[1] for box in picture.boxes) <= top + near
    assert max(box[2] for box in picture.boxes) >= right - near
    assert max(box[3] for box in picture.boxes) >= bottom - near
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in picture.boxes)
    assert area < 6 * (right - left) * (bottom - top)


def test_only_the_span_is_highlighted() -> None:
    data = make.pdf("first line here\nsecond line there\nthird line")
    text = texts(data)[0]
    start = text.index("second")
    picture = page_picture(data, 1, text, (start, start + len("second line")))
    (box,) = picture.boxes
    whole = page_picture(data, 1, text, (0, len(text))).boxes
    assert len(whole) == 3
    assert whole[0][1] < box[1] < whole[2][1]
    assert box[2] < whole[1][2]
    colour = image_of(picture.uri).getpixel((round(box[0]) - 1, round(box[1]) + 2))
    assert colour != (255, 255, 255)


def test_broken_words_and_ligatures_do_not_shift_the_highlight() -> None:
    narrow = make.pdf_paragraph("The well-known exam-\u00adple of a write-off shows the first figure of 42 units.", 90)
    text = texts(narrow)[0]
    document = pypdfium2.PdfDocument(narrow)
    page = document[0]
    start = text.index("figure")
    boxes = highlighted_characters(page, text, (start, start + len("figure of 42")))
    left, bottom = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, top = max(box[2] for box in boxes), max(box[3] for box in boxes)
    inside = page.get_textpage().get_text_bounded(left, bottom, right, top)
    page.close()
    document.close()
    assert "figure" in inside
    assert "42" in inside


def ligature_pdf() -> bytes:
    """A page that says “first office 42” with the glyph fi of Helvetica's standard encoding."""
    content = b"BT /F 20 Tf 72 700 Td (\256rst of\256ce 42) Tj ET"
    return pdf_of_objects(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
            stream(content),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[174/fi]>>>>",
        ]
    )


def test_a_ligature_is_two_letters_and_one_box() -> None:
    data = ligature_pdf()
    text = texts(data)[0]
    assert text == "first office 42"
    boxes = page_picture(data, 1, text, (text.index("42"), len(text))).boxes
    whole = page_picture(data, 1, text, (0, len(text))).boxes
    assert boxes[0][0] > whole[0][0] + 100
    assert boxes[-1][2] == whole[-1][2]


def test_another_text_is_not_highlighted() -> None:
    picture = page_picture(make.pdf("Text of the page"), 1, "Text of another page", (0, 10))
    assert picture.boxes == ()
    assert picture.uri.startswith("data:image/")


@pytest.mark.parametrize("number", [0, 2, 99])
def test_a_missing_page_is_an_error(number: int) -> None:
    with pytest.raises(DocumentError, match=f"Page {number} cannot be drawn"):
        page_picture(make.pdf("One page"), number, "One page", (0, 3))


@pytest.mark.parametrize("keep", [0, 5, 200])
def test_a_damaged_file_is_an_error(keep: int) -> None:
    with pytest.raises(DocumentError) as error_info:
        page_picture(make.pdf("One page")[:keep], 1, "One page", (0, 3))
    assert error_info.value.remedy


def test_a_page_of_noise_stays_below_the_size_limit() -> None:
    noise = Image.frombytes("RGB", (900, 1200), random.Random(1).randbytes(900 * 1200 * 3))
    data = pdf_page(lambda sheet: sheet.drawImage(ImageReader(noise), 0, 0, 595, 842))
    picture = page_picture(data, 1, "", (0, 0))
    assert len(base64.b64decode(picture.uri.split(",")[1])) <= MAX_BYTES
    assert picture.uri.startswith("data:image/jpeg")


def test_a_page_that_takes_too_long_is_an_error() -> None:
    def tangle(sheet: canvas.Canvas) -> None:
        random_source = random.Random(2)
        for _ in range(20_000):
            sheet.line(*(random_source.uniform(0, 800) for _ in range(4)))

    with pytest.raises(DocumentError, match="cannot be drawn"):
        page_picture(pdf_page(tangle), 1, "", (0, 0), seconds=0.001)


@pytest.mark.parametrize("name", ["2022 Q3 AAPL.pdf", "2023 Q1 NVDA.pdf", "2023 Q2 AMZN.pdf"])
def test_every_page_of_a_real_filing_can_be_highlighted(name: str) -> None:
    path: Path = DATA / "filings" / name
    if not path.exists():
        missing(str(path))
    data = path.read_bytes()
    document = pypdfium2.PdfDocument(data)
    for index, text in enumerate(texts(data)):
        page = document[index]
        words = text.split()
        middle = next((word for word in words[len(words) // 2 :] if word.isalnum() and text.count(word) == 1), None)
        if middle:
            start = text.index(middle)
            boxes = highlighted_characters(page, text, (start, start + len(middle)))
            left, bottom = min(box[0] for box in boxes), min(box[1] for box in boxes)
            right, top = max(box[2] for box in boxes), max(box[3] for box in boxes)
            assert middle in page.get_textpage().get_text_bounded(left, bottom, right, top)
        assert bool(highlighted_characters(page, text, (0, len(text)))) == any(
            character.isalnum() for character in text
        )
        page.close()
    document.close()
