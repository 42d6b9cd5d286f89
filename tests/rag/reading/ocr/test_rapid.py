"""Text recognition with a real RapidOCR."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.documents import Document
from rag.reading.ocr.errors import PageFailed, PageTooSlow
from rag.reading.ocr.images import GreyImage, grey_image
from rag.reading.ocr.rapid import SIZE, RapidOcr
from rag.reading.ocr.recognizer import Recognizer
from rag.reading.parse import read_document
from rag.reading.processes.limits import ProcessLimits
from rag.reading.processes.pool import ReaderPool
from tests.conftest import missing
from tests.rag import make_documents as make
from tests.rag import make_pictures
from tests.rag.reading.ocr.conftest import content_of

pytestmark = pytest.mark.usefixtures("rapidocr")
COLUMNS = (80, 480, 680, 980)


@pytest.fixture(scope="module")
def recognizer() -> Iterator[Recognizer]:
    """One process for several tests: its start takes a second."""
    if not RapidOcr.is_installed():
        missing("RapidOCR (pip install 'spaceport[ocr]')")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPACEPORT_OCR", "rapidocr")
        recognizer = Recognizer("scan.pdf", seconds=120)
    with recognizer:
        yield recognizer


def test_every_cell_of_a_bad_scan_is_right_and_in_its_place(recognizer: Recognizer) -> None:
    rows = [["Port", "Boats", "Fee", "Change"], *make_pictures.price_rows(3, 12)]
    lines = [list(zip(COLUMNS, row, strict=True)) for row in rows]
    image = make_pictures.scanned(make_pictures.picture("Harbour dues of the year 2024", *lines, size=28))
    page = recognizer.recognize(grey_image(image, recognizer.max_side), 1)
    assert page.score > 0.95
    read = content_of(page)
    (table,) = read.tables
    cells = {(cell.row, cell.column): read.text[cell.start : cell.end] for cell in table.cells}
    assert cells == {(row, column): text for row, texts in enumerate(rows) for column, text in enumerate(texts)}
    amount = next(line for line in read.recognized if read.text[line.start : line.end] == rows[1][2])
    assert amount.left * image.width == pytest.approx(COLUMNS[2], abs=25)
    assert 0 < amount.bottom - amount.top < 0.12


def test_a_scanned_page_is_read_within_the_limits_of_a_reader(tmp_path: Path) -> None:
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


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_a_process_says_when_another_one_has_to_take_over() -> None:
    """The limit on processor time is for one process: without a second one, a file of ten pages would stop halfway."""
    import resource

    image = grey_image(make_pictures.picture("One"), 2000)
    request = SIZE.pack(image.width, image.height) + image.pixels
    command = [sys.executable, "-m", "rag.reading.ocr.rapid_program"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin and process.stdout
        replies = []
        for _ in range(2):
            process.stdin.write(request)
            process.stdin.flush()
            replies.append(json.loads(process.stdout.readline()))
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (max(int(3 * used), 1), 1000))
        process.stdin.close()
    assert [reply["last"] for reply in replies] == [False, True]


def test_a_page_that_takes_too_long_is_an_error() -> None:
    noise = GreyImage(1000, 1400, os.urandom(1_400_000))
    with (
        Recognizer("scan.pdf", seconds=0.1) as recognizer,
        pytest.raises(PageTooSlow, match=r"took longer than 0\.1 s"),
    ):
        recognizer.recognize(noise, 1)


def test_a_picture_that_the_engine_cannot_read_is_an_error(recognizer: Recognizer) -> None:
    with pytest.raises(PageFailed, match="page 7"):
        recognizer.recognize(GreyImage(0, 0, b""), 7)
    page = recognizer.recognize(grey_image(make_pictures.picture("The next one"), recognizer.max_side), 8)
    assert content_of(page).text == "The next one"


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_is_turned_until_it_is_upright(recognizer: Recognizer, degrees: int) -> None:
    rows = [[(80, "Skarv"), (700, "12.50")], [(80, "Elbow"), (700, "7.25")]]
    image = make_pictures.picture("The dues of berth 42", *rows, width=900, height=700).rotate(degrees, expand=True)
    read = content_of(recognizer.recognize(grey_image(image, recognizer.max_side), 1))
    assert read.text == "The dues of berth 42\nSkarv | 12.50\nElbow | 7.25"
    first = read.recognized[0]
    near = {90: first.left, 180: 1 - first.bottom, 270: 1 - first.right}[degrees]
    assert near == pytest.approx(48 / 700, abs=0.03)


def test_an_empty_page_has_no_text(recognizer: Recognizer) -> None:
    page = recognizer.recognize(grey_image(make_pictures.scanned(make_pictures.picture(height=400)), 2000), 1)
    assert content_of(page).text == ""
