"""Text recognition of scanned pages with a real tesseract."""

from __future__ import annotations

import io
import os

import pytest

from rag.documents import Limits
from rag.errors import DocumentError
from rag.reading.ocr.errors import PageFailed, PageTooSlow
from rag.reading.ocr.images import GreyImage
from rag.reading.ocr.tesseract import Tesseract
from tests.rag import make_documents as make
from tests.rag.reading.ocr.conftest import Read

pytestmark = pytest.mark.usefixtures("tesseract")


def test_a_scanned_page_is_read_and_has_its_span(read: Read) -> None:
    scan = make.pdf_scan("Total net sales were 82,959 million", "The methane engine", with_text="Real text")
    shares = list[float]()
    document = read(scan, report=shares.append)
    texts = [document.text[page.start : page.end] for page in document.pages]
    assert texts == ["Real text", "Total net sales were 82,959 million", "The methane engine"]
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])
    first, second = document.recognized
    assert document.text[first.start : first.end] == texts[1]
    assert first.left == pytest.approx(72 / 595, abs=0.01)
    assert document.text[second.start : second.end] == texts[2]


def test_an_empty_page_stays_empty(read: Read) -> None:
    document = read(make.pdf("A page", ""))
    assert document.text == "A page\n\n"
    assert document.notes == ()


def test_a_very_large_page_is_not_slow(read: Read) -> None:
    from pypdf import PdfReader, PdfWriter, Transformation

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make.pdf_scan("The wall is wide"))))
    page = writer.pages[0]
    page.add_transformation(Transformation().scale(15))
    page.mediabox.upper_right = (595 * 15, 842 * 15)
    stream = io.BytesIO()
    writer.write(stream)
    assert "wide" in read(stream.getvalue()).text


def test_an_image_without_text_is_an_error(read: Read) -> None:
    with pytest.raises(DocumentError, match="text recognition found none") as caught:
        read(make.pdf_of_images())
    assert "SPACEPORT_OCR" in caught.value.remedy


def test_the_number_of_scanned_pages_is_limited(read: Read) -> None:
    with pytest.raises(DocumentError, match="more than 1 scanned pages") as caught:
        read(make.pdf_scan("One", "Two"), limits=Limits(scanned_pages=1))
    assert "ocrmypdf" in caught.value.remedy


@pytest.mark.parametrize(
    ("languages", "remedy"),
    [
        ("xyz", "apt-get install tesseract-ocr-xyz"),
        ("eng+xyz", "tesseract-ocr-xyz"),
        ("--help", "such as eng or eng+deu"),
    ],
)
def test_a_missing_language_is_an_error_with_a_remedy(
    read: Read, monkeypatch: pytest.MonkeyPatch, languages: str, remedy: str
) -> None:
    monkeypatch.setenv("SPACEPORT_OCR_LANGUAGES", languages)
    with pytest.raises(DocumentError) as caught:
        read(make.pdf_scan("A page"))
    assert remedy in caught.value.remedy


def test_a_page_that_takes_too_long_is_an_error() -> None:
    image = GreyImage(2000, 3000, os.urandom(6_000_000))
    with pytest.raises(PageTooSlow, match=r"of page 7 took longer than 0\.01 s"):
        Tesseract().recognize(image, "scan.pdf", 7, 0.01)


def test_bytes_that_are_not_an_image_are_an_error() -> None:
    with pytest.raises(PageFailed, match="page 7 can't be recognized"):
        Tesseract().recognize(GreyImage(0, 0, b""), "scan.pdf", 7, 10)
