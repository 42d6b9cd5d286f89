"""Text recognition with a real RapidOCR."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from rag.errors import ReaderStopped
from rag.documents import Document
from rag.reading.ocr.errors import PageFailed, PageTooSlow
from rag.reading.ocr.images import GreyImage, grey_image
from rag.reading.ocr.recognizer import Recognizer
from rag.reading.parse import read_document
from rag.reading.processes.limits import ProcessLimits
from rag.reading.processes.pool import ReaderPool
from tests.rag import make_documents as make
from tests.rag import make_pictures
from tests.rag.reading.ocr.conftest import Read

pytestmark = pytest.mark.usefixtures("rapidocr")
COLUMNS = (80, 480, 680, 980)


@pytest.fixture
def recognizer(rapidocr: None) -> Iterator[Recognizer]:
    with Recognizer("scan.pdf", seconds=120) as recognizer:
        yield recognizer


def test_every_figure_of_a_bad_scan_is_right(recognizer: Recognizer) -> None:
    rows = make_pictures.price_rows(3, 12)
    lines = [list(zip(COLUMNS, row, strict=True)) for row in rows]
    image = make_pictures.scanned(make_pictures.picture("Harbour dues of the year 2024", *lines, size=28))
    page = recognizer.recognize(grey_image(image, recognizer.max_side), 1)
    assert page.text.split("\n")[-len(rows) :] == [" ".join(row) for row in rows]
    assert page.score > 0.9
    texts = [page.text[line.start : line.end] for line in page.lines]
    assert texts[1:5] == rows[0]
    box = page.lines[3]  # the first amount
    assert box.left * image.width == pytest.approx(COLUMNS[2], abs=25)
    assert 0 < box.bottom - box.top < 0.12


def test_a_scanned_page_is_read_within_the_limits_of_a_reader(tmp_path, rapidocr: None) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(make.pdf_scan("Total net sales were 82,959 million", "The fee is €7.50", with_text="Real text"))
    pool = ReaderPool(1, ProcessLimits())
    shares = list[float]()
    try:
        document: Document = pool.run(read_document, "scan.pdf", path=path, report=shares.append)
    finally:
        pool.close()
    texts = [document.text[page.start : page.end] for page in document.pages]
    assert texts == ["Real text", "Total net sales were 82,959 million", "The fee is €7.50"]
    assert shares[-1] == 1
    assert {1 / 3, 2 / 3} < set(shares)
    assert document.notes == ()


def test_another_process_takes_over_before_the_first_has_used_its_processor_time(tmp_path, rapidocr: None) -> None:
    """The limit is for one process. Without a second one, a file of ten pages would stop in the middle."""
    path = tmp_path / "scan.pdf"
    path.write_bytes(make.pdf_scan("One", "Two", "Three", "Four"))
    pool = ReaderPool(1, ProcessLimits(cpu_seconds=4))
    try:
        document = pool.run(read_document, "scan.pdf", path=path)
    except ReaderStopped as error:
        pytest.fail(str(error))
    finally:
        pool.close()
    assert document.text.split() == ["One", "Two", "Three", "Four"]
    assert document.notes == ()


def test_a_page_that_takes_too_long_is_an_error_and_the_next_one_is_read() -> None:
    noise = GreyImage(1000, 1400, os.urandom(1_400_000))
    with Recognizer("scan.pdf", seconds=0.1) as recognizer, pytest.raises(PageTooSlow, match=r"took longer than 0\.1 s"):
        recognizer.recognize(noise, 1)


def test_a_picture_that_the_engine_cannot_read_is_an_error(recognizer: Recognizer) -> None:
    with pytest.raises(PageFailed, match="page 7"):
        recognizer.recognize(GreyImage(0, 0, b""), 7)
    page = recognizer.recognize(grey_image(make_pictures.picture("The next one"), recognizer.max_side), 8)
    assert page.text == "The next one"


