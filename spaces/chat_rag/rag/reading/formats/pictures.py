"""Reads uploaded pictures: a photo or a scan is a page, and a TIFF can have several."""

from __future__ import annotations

from typing import Any

from rag.documents import Content, Limits, ShareReport
from rag.errors import FileError, FileProblem
from rag.reading.formats.pdf.pages import assemble, join_broken_words
from rag.reading.layout.page_text import write_page
from rag.reading.layout.reader import lay_out
from rag.reading.ocr.images import grey_image, open_image, select_frame
from rag.reading.ocr.recognizer import Recognizer, install_remedy
from rag.reading.ocr.scans import Scans

SUFFIXES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


def read_picture(data: bytes, name: str, limits: Limits, report: ShareReport) -> Content:
    """Return the text that is recognized on a picture, a page for each picture of a TIFF.

    `report` is called after each page.
    """
    image = open_image(data, name)
    with Recognizer(name) as recognizer:
        if not recognizer.is_available:
            raise FileError(FileProblem.UNREAD_PICTURE, name=name, install=install_remedy())
        scans = Scans(recognizer, limits)
        pages = []
        count = _frame_count(image, name, limits)
        for number in range(1, count + 1):
            select_frame(image, number, name)
            written = write_page(lay_out(scans.read(grey_image(image, recognizer.max_side), number)))
            pages.append(scans.complete(written, number))
            report(number / count)
    if not any(page.text for page in pages):
        raise scans.error or FileError(FileProblem.EMPTY_PICTURE, name=name)
    return assemble(join_broken_words(pages), tuple(scans.notes()))


def _frame_count(image: Any, name: str, limits: Limits) -> int:
    """Return the number of pages; of an animation only the first picture is a page."""
    if image.format != "TIFF":
        return 1
    for index in range(limits.scanned_pages + 1):
        try:
            image.seek(index)
        except EOFError:
            return index
    raise FileError(FileProblem.MORE_PICTURES, name=name, limit=limits.scanned_pages)
