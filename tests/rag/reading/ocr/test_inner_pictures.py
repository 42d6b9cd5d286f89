"""Pictures inside of office files, books and notebooks: they are read, or a note says how many weren't."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from rag.documents import Content, NoteKind
from rag.errors import DocumentError
from rag.reading.ocr.inner_pictures import recognize_image
from rag.reading.ocr.recognizer import Recognizer
from tests.rag import make_office
from tests.rag.make_pictures import encoded, picture, png_of_size
from tests.rag.reading.ocr.conftest import Read

TEXT = "The gate code is 4711"
PICTURE = encoded(picture(TEXT), "PNG")
ICON = encoded(Image.new("L", (40, 40)), "PNG")
METAFILE = b"\x01\x00\x00\x00 a Windows metafile"
DRAWN = '<text:p>Before</text:p><text:p><draw:frame><draw:image xlink:href="Pictures/{}"/></draw:frame></text:p>'


def word(*pictures: bytes) -> bytes:
    import docx

    document = docx.Document()
    document.add_paragraph("Before")
    for content in pictures:
        document.add_picture(io.BytesIO(content))
    document.add_paragraph("Behind")
    return _saved(document)


def slides(*pictures: bytes) -> bytes:
    import pptx

    presentation = pptx.Presentation()
    for content in pictures:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        slide.shapes.add_picture(io.BytesIO(content), 0, 0)
    return _saved(presentation)


def workbook(*pictures: bytes) -> bytes:
    from openpyxl.drawing.image import Image as Drawing

    def fill(book: Any) -> None:
        book.active.append(["Port", "Fee"])
        for content in pictures:
            book.active.add_image(Drawing(io.BytesIO(content)), "D1")

    return make_office.workbook(fill)


def text_document(*pictures: bytes) -> bytes:
    parts = {f"Pictures/{number}": content for number, content in enumerate(pictures)}
    return make_office.open_document("".join(map(DRAWN.format, range(len(pictures)))), parts=parts)


def book(*pictures: bytes) -> bytes:
    parts = {f"OEBPS/images/p {number}.png": content for number, content in enumerate(pictures)}
    images = "".join(f'<img alt="" src="images/p%20{number}.png"/>' for number in range(len(pictures)))
    return make_office.book({"a.xhtml": f"<p>Before</p>{images}"}, extra=parts)


def notebook(*pictures: bytes) -> bytes:
    outputs = [{"output_type": "display_data", "data": {"image/png": base64.b64encode(p).decode()}} for p in pictures]
    return json.dumps({"cells": [{"cell_type": "code", "source": "plot()", "outputs": outputs}]}).encode()


def _saved(document: Any) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


FILES = pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.docx", word),
        ("a.pptx", slides),
        ("a.xlsx", workbook),
        ("a.odt", text_document),
        ("a.epub", book),
        ("a.ipynb", notebook),
    ],
)


@FILES
@pytest.mark.usefixtures("tesseract")
def test_the_text_of_a_picture_is_in_its_place_and_there_once(
    read: Read, name: str, make: Callable[..., bytes]
) -> None:
    document = read(make(ICON, PICTURE, PICTURE), name)
    assert document.text.count(TEXT) == 1
    assert not document.notes
    if name == "a.docx":
        assert document.text.index("Before") < document.text.index(TEXT) < document.text.index("Behind")
    if name == "a.pptx":
        page = document.pages[1]
        assert document.text[page.start : page.end].strip() == TEXT


@FILES
def test_pictures_that_arent_read_are_counted(
    read: Read, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[..., bytes]
) -> None:
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    other = encoded(picture("Something else"), "PNG")
    if name == "a.pptx":  # it has nothing else
        with pytest.raises(DocumentError) as error:
            read(make(ICON, PICTURE, PICTURE, other), name)
        assert error.value.message == "“a.pptx” has no text, but 2 pictures that weren't read."
        assert "pip install" in error.value.remedy
        return
    document = read(make(ICON, PICTURE, PICTURE, other), name)
    assert [(note.kind, note.count) for note in document.notes] == [(NoteKind.UNREAD_INNER_PICTURES, 2)]


def test_a_picture_in_another_format_is_counted(read: Read) -> None:
    (note,) = read(text_document(METAFILE), "a.odt").notes
    assert (note.kind, note.count, note.places) == (NoteKind.UNREAD_INNER_PICTURES, 1, ())


def test_eight_times_the_pictures_take_less_than_twenty_times_as_long(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    few, many = _seconds(read, 200), _seconds(read, 1_600)
    assert many < 20 * few


def _seconds(read: Read, count: int) -> float:
    file = text_document(*(b"%d" % number for number in range(count)))
    start = time.process_time()
    (note,) = read(file, "a.odt").notes
    assert note.count == count
    return time.process_time() - start


@pytest.mark.usefixtures("tesseract")
def test_a_picture_is_read_unless_it_is_an_icon_or_damaged() -> None:
    with Recognizer("a.docx") as recognizer:
        assert _text(recognize_image(PICTURE, recognizer)) == TEXT
        assert _text(recognize_image(ICON, recognizer)) == ""
        for damaged in (METAFILE, png_of_size(9_000, 9_000), PICTURE[:400]):
            assert recognize_image(damaged, recognizer) is None


def test_without_an_engine_pictures_inside_of_documents_are_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEPORT_OCR", "none")
    with Recognizer("a.docx") as recognizer:
        assert recognize_image(PICTURE, recognizer) is None
        assert _text(recognize_image(ICON, recognizer)) == ""


def _text(content: Content | None) -> str | None:
    return content and content.text
