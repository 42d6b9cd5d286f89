"""Which engine reads, and what happens without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf.annotations import Text

from rag.documents import Limits, Note, NoteKind
from rag.errors import DocumentError
from rag.reading.ocr.rapid import RapidOcr
from rag.reading.ocr.recognizer import chosen_engine
from rag.reading.ocr.tesseract import Tesseract
from tests.rag import make_documents as make
from tests.rag import make_pictures
from tests.rag.reading.ocr.conftest import Read

READ = """
import sys
from pathlib import Path
sys.modules["rapidocr"] = None
from rag.reading.parse import read_document
from backends import SpaceportError
try:
    print(read_document(Path(sys.argv[1])).text)
except SpaceportError as error:
    print(error.for_terminal)
"""


def test_the_setting_chooses_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    assert chosen_engine() is None
    monkeypatch.setenv("SPACEPORT_OCR", "other")
    with pytest.raises(DocumentError, match="SPACEPORT_OCR is 'other'") as caught:
        chosen_engine()
    assert "rapidocr, tesseract or none" in caught.value.remedy


@pytest.mark.usefixtures("rapidocr", "tesseract")
def test_without_the_setting_rapidocr_reads_unless_languages_are_for_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACEPORT_OCR")
    assert chosen_engine() is RapidOcr
    monkeypatch.setenv("SPACEPORT_OCR_LANGUAGES", "deu")
    assert chosen_engine() is Tesseract


def test_without_an_engine_a_scanned_page_among_others_is_a_note(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    document = read(make.pdf_scan("The deposit is 7,350", "Two", with_text="Real text"))
    assert document.text.strip() == "Real text"
    assert document.notes == (Note(NoteKind.PICTURE_PAGES, 2, ("2", "3")),)
    assert [page.number for page in document.pages] == [1, 2, 3]


@pytest.mark.usefixtures("tesseract")
def test_pages_for_which_there_is_no_time_are_a_note(read: Read) -> None:
    scan = make.pdf_scan(*["A page"] * 5, with_text="Real text")
    document = read(scan, limits=Limits(recognition_seconds=0))
    assert document.text.strip() == "Real text"
    assert document.notes == (Note(NoteKind.PICTURE_PAGES, 5, ("2–6",)),)


@pytest.mark.usefixtures("tesseract")
@pytest.mark.parametrize(("seconds", "text"), [(60, "A page\nComment: Check"), (0, "Comment: Check")])
def test_the_comments_on_a_scanned_page_are_kept(read: Read, seconds: int, text: str) -> None:
    note = Text(text="Check", rect=(300, 750, 320, 770))
    scan = make.with_annotations(make.pdf_scan("A page", with_text="Real text"), note, page=2)
    document = read(scan, limits=Limits(recognition_seconds=seconds))
    assert document.text == f"Real text\n\n{text}"
    assert len(document.recognized) == bool(seconds)


@pytest.mark.parametrize("name", ["scan.pdf", "photo.png"])
def test_without_an_engine_the_remedy_names_both(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    picture = make_pictures.encoded(make_pictures.picture("A page"), "PNG")
    path.write_bytes(make.pdf_scan("A page") if name.endswith("pdf") else picture)
    command = [sys.executable, "-W", "error", "-c", READ, str(path)]
    output = subprocess.run(command, env=os.environ | {"PATH": ""}, capture_output=True, text=True, check=True).stdout
    assert "apt-get install tesseract-ocr" in output
    assert "pip install 'spaceport[ocr]'" in output
    assert ("ocrmypdf" in output) == name.endswith("pdf")
