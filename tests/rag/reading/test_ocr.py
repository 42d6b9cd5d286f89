"""Text recognition of scanned pages with a real tesseract."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.documents import Document, Limits
from rag.errors import DocumentError
from rag.reading import ocr
from rag.reading.parse import read_document
from tests.conftest import missing
from tests.rag import make_documents as make

Read = Callable[..., Document]
READ = """
import sys
from pathlib import Path
from rag.reading.parse import read_document
from backends import SpaceportError
try:
    print(read_document(Path(sys.argv[1])).text)
except SpaceportError as error:
    print(error.for_terminal)
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    if not ocr.is_available():
        missing("tesseract (apt-get install tesseract-ocr)")

    def write_and_read(content: bytes, **options: object) -> Document:
        path = tmp_path / "scan.pdf"
        path.write_bytes(content)
        return read_document(path, **options)  # type: ignore[arg-type]

    return write_and_read


def test_a_scanned_page_is_read_and_has_its_span(read: Read) -> None:
    scan = make.pdf_scan("Total net sales were 82,959 million", "The methane engine", with_text="Real text")
    shares = list[float]()
    document = read(scan, report=shares.append)
    texts = [document.text[page.start : page.end] for page in document.pages]
    assert texts == ["Real text", "Total net sales were 82,959 million", "The methane engine"]
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])


def test_an_empty_page_stays_empty(read: Read) -> None:
    assert read(make.pdf("A page", "")).text == "A page\n\n"


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
    assert "SPACEPORT_OCR_LANGUAGES" in caught.value.remedy


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


def test_a_page_that_takes_too_long_is_an_error(read: Read) -> None:
    image = b"P5 2000 3000 255\n" + os.urandom(6_000_000)
    with pytest.raises(DocumentError, match=r"of page 7 took longer than 0\.01 s"):
        ocr.recognise(image, "scan.pdf", 7, seconds=0.01)


def test_bytes_that_are_not_an_image_are_an_error(read: Read) -> None:
    with pytest.raises(DocumentError, match="page 7 can't be recognised"):
        ocr.recognise(b"not an image", "scan.pdf", 7)


def test_without_tesseract_the_remedy_names_it(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(make.pdf_scan("A page"))
    command = [sys.executable, "-W", "error", "-c", READ, str(path)]
    output = subprocess.run(command, env=os.environ | {"PATH": ""}, capture_output=True, text=True, check=True).stdout
    assert "needs OCR" in output
    assert "ocrmypdf" in output
    assert "apt-get install tesseract-ocr" in output
