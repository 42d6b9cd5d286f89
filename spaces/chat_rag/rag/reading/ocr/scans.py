"""The scanned pages of one file: how many are recognized, which ones aren't, and where their lines are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.documents import Content, Limits, Note, NoteKind, Page, RecognizedLine
from rag.errors import DocumentError
from rag.reading.ocr.errors import REMEDY, PageFailed, PageTooSlow
from rag.reading.ocr.images import GreyImage
from rag.reading.ocr.lines import RecognizedPage
from rag.reading.ocr.recognizer import Recognizer

PAGE_SEPARATOR = "\n\n"


class Scans:
    """Recognizes pages, and remembers what the visitor should know about them.

    `error` is why the first unread page couldn't be recognized.
    """

    def __init__(self, recognizer: Recognizer, name: str, limits: Limits) -> None:
        self._recognizer, self._name, self._limits = recognizer, name, limits
        self._pages: dict[int, RecognizedPage] = {}
        self._unread: list[int] = []
        self.error: DocumentError | None = None

    def draw(self, page: Any, number: int) -> GreyImage | None:
        """Return the picture of a PDFium page without text, or None if there is nothing on it or no engine.

        The caller holds PDFium's lock.
        """
        if not any(True for _ in page.get_objects(max_depth=1)):
            return None
        if self._recognizer.is_available:
            return self._recognizer.draw(page)
        self._unread.append(number)
        return None

    def read(self, image: GreyImage, number: int) -> str:
        """Return the text of a page's picture; "" if the engine fails on it, which becomes a note."""
        if len(self._pages) + len(self._unread) >= self._limits.scanned_pages:
            raise DocumentError(
                f"“{self._name}” has more than {self._limits.scanned_pages:,} scanned pages, the limit for text "
                "recognition.",
                REMEDY,
            )
        try:
            page = self._recognizer.recognize(image, number)
        except (PageTooSlow, PageFailed) as error:
            self.error = self.error or error
            self._unread.append(number)
            return ""
        self._pages[number] = page
        return page.text

    def lines(self, number: int, start: int) -> Iterator[RecognizedLine]:
        """Yield the recognized lines of a page whose text is at `start` in the document."""
        for line in self._pages.get(number, RecognizedPage()).lines:
            yield replace(line, start=start + line.start, end=start + line.end)

    def notes(self) -> tuple[Note, ...]:
        """Return which pages weren't read, and which ones may have wrong letters."""
        unsure = [number for number, page in self._pages.items() if page.text and page.score < self._recognizer.unsure]
        kinds = (NoteKind.PICTURE_PAGES, self._unread), (NoteKind.UNSURE_PAGES, unsure)
        return tuple(Note(kind, len(pages), tuple(map(str, pages))) for kind, pages in kinds if pages)


def join_pages(texts: Sequence[str], scans: Scans) -> Content:
    """Return the texts of all pages as one, with the spans of pages and recognized lines."""
    pages, recognized, start = [], list[RecognizedLine](), 0
    for number, text in enumerate(texts, 1):
        pages.append(Page(number, start, start + len(text)))
        recognized += scans.lines(number, start)
        start += len(text) + len(PAGE_SEPARATOR)
    return Content(PAGE_SEPARATOR.join(texts), tuple(pages), notes=scans.notes(), recognized=tuple(recognized))
