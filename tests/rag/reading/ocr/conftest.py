"""Engines that must be there in CI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag.documents import Content, Document
from rag.reading.formats.pdf.pages import assemble
from rag.reading.layout.page_text import write_page
from rag.reading.layout.reader import lay_out
from rag.reading.ocr.rapid import RapidOcr
from rag.reading.ocr.recognized_page import RecognizedPage
from rag.reading.ocr.tesseract import Tesseract
from rag.reading.parse import read_document
from tests.conftest import missing

Read = Callable[..., Document]


def content_of(page: RecognizedPage) -> Content:
    """Return a recognized page as a document has it."""
    written = write_page(lay_out(page.page))
    page.mark(written)
    return assemble([written], ())


@pytest.fixture
def rapidocr(monkeypatch: pytest.MonkeyPatch) -> None:
    if not RapidOcr.is_installed():
        missing("RapidOCR (pip install 'spaceport[ocr]')")
    monkeypatch.setenv("SPACEPORT_OCR", "rapidocr")


@pytest.fixture
def tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Tesseract.is_installed():
        missing("tesseract (apt-get install tesseract-ocr)")
    monkeypatch.setenv("SPACEPORT_OCR", "tesseract")


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a file and read it, in this process."""

    def write_and_read(content: bytes, name: str = "scan.pdf", **options: object) -> Document:
        path = tmp_path / name
        path.write_bytes(content)
        return read_document(path, **options)  # type: ignore[arg-type]

    return write_and_read
