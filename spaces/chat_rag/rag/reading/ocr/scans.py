"""The scanned pages of one file: how many are recognized, which ones aren't, and where their lines are."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from backends.stopwatch import now
from rag.documents import Limits, Note, NoteKind
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.formats.pdf.pages import with_text
from rag.reading.layout.page_text import PageText, write_page
from rag.reading.layout.reader import ReadPage, lay_out
from rag.reading.ocr.errors import PageFailed, PageTooSlow
from rag.reading.ocr.images import GreyImage
from rag.reading.ocr.page_pictures import PagePicture, find_pictures
from rag.reading.ocr.recognized_page import RecognizedPage
from rag.reading.ocr.recognizer import Recognizer

_MOST_PICTURES = 50  # beside text, in one file: each takes a second or more


class Scans:
    """Recognizes pages, and remembers what the visitor should know about them.

    `error` is why the first unread page couldn't be recognized.
    """

    def __init__(self, recognizer: Recognizer, limits: Limits) -> None:
        self._recognizer, self._limits = recognizer, limits
        self._end: float | None = None  # of the time for text recognition, which begins with the first picture
        self._pages: dict[int, RecognizedPage] = {}
        self._unread: list[int] = []
        self._pictures: dict[int, list[tuple[PagePicture, RecognizedPage]]] = {}
        self._unread_pictures: Counter[int] = Counter()
        self._seen: set[bytes] = set()  # a letterhead is on each page
        self.error: DocumentError | None = None

    @property
    def has_unread_pages(self) -> bool:
        """Whether there is a scanned page that wasn't recognized."""
        return bool(self._unread)

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

    def read(self, image: GreyImage, number: int) -> ReadPage:
        """Return what is on a page's picture; nothing if the engine fails on it, which becomes a note."""
        if len(self._pages) + len(self._unread) >= self._limits.scanned_pages:
            raise FileError(FileProblem.MORE_SCANS, name=self._recognizer.name, limit=self._limits.scanned_pages)
        page = self._recognize(image, number)
        if page is None:
            self._unread.append(number)
            return ReadPage([], None, [], 0, [])
        self._pages[number] = page
        return page.page

    def _recognize(self, image: GreyImage, number: int) -> RecognizedPage | None:
        """Return what is on a picture, or None if the engine fails or there is no time left."""
        self._end = self._end or now() + self._limits.recognition_seconds
        if now() > self._end:
            return None
        try:
            return self._recognizer.recognize(image, number)
        except (PageTooSlow, PageFailed) as error:
            self.error = self.error or error
            return None

    def draw_pictures(self, page: Any, number: int) -> list[PagePicture]:
        """Return the large pictures on a PDFium page with text. The caller holds PDFium's lock."""
        boxes = find_pictures(page)
        room = _MOST_PICTURES - sum(map(len, self._pictures.values())) if self._recognizer.is_available else 0
        self._unread_pictures[number] += len(boxes[max(room, 0) :])
        return [self._recognizer.draw_part(page, box) for box in boxes[: max(room, 0)]]

    def read_pictures(self, pictures: Sequence[PagePicture], number: int) -> None:
        """Recognize the pictures of a page, each once; one on which the engine fails, or guesses, becomes a note."""
        for picture in pictures:
            key = hashlib.sha256(picture.image.pixels).digest()
            if key in self._seen:
                continue
            self._seen.add(key)
            read = self._recognize(picture.image, number)
            if read is None or (read.page.segments and read.score < self._recognizer.unsure):
                self._unread_pictures[number] += 1
            elif read.page.segments:
                self._pictures.setdefault(number, []).append((picture, read))

    def complete(self, written: PageText, number: int) -> PageText:
        """Return a page's text with that of its pictures after it, and where recognized lines are."""
        if number in self._pages:
            self._pages[number].mark(written)
        known = set(map(_letters, written.text.splitlines())) - {""}
        for picture, read in self._pictures.get(number, ()):
            # A stamp that is drawn over the picture is text of the page.
            lines = [line for line in read.page.lines if _letters("".join(piece.text for piece in line)) not in known]
            inside = write_page(lay_out(replace(read.page, lines=lines)))
            if not inside.text:
                continue
            read.mark(inside)
            end = written.comments[0]
            before = "\n" if written.text[:end] and not written.text[:end].endswith("\n") else ""
            after = "\n" if written.text[end:] else ""
            written = with_text(written, end, end, before + inside.text + after)
            start = end + len(before)
            written.recognized += [picture.place(line, start) for line in inside.recognized]
        return written

    def notes(self) -> list[Note]:
        """Return which pages weren't read, and which ones may have wrong letters."""
        unsure = self._recognizer.unsure
        doubtful = [number for number, page in self._pages.items() if page.page.segments and page.score < unsure]
        kinds = (NoteKind.PICTURE_PAGES, self._unread), (NoteKind.UNSURE_PAGES, doubtful)
        notes = [Note(kind, len(pages), tuple(_ranges(pages))) for kind, pages in kinds if pages]
        if count := self._unread_pictures.total():
            pages = [number for number, unread in self._unread_pictures.items() if unread]
            notes.append(Note(NoteKind.UNREAD_PICTURES, count, tuple(_ranges(pages))))
        return notes


def _letters(line: str) -> str:
    """Return the letters and digits of a line, by which two ways to read it are compared."""
    return "".join(filter(str.isalnum, line.casefold()))


def _ranges(pages: Sequence[int]) -> Iterator[str]:
    """Yield page numbers in order, and those of three or more that follow each other as one: 4–9."""
    for _, group in groupby(enumerate(pages), key=lambda pair: pair[1] - pair[0]):
        first, *others = (number for _, number in group)
        if len(others) > 1:
            yield f"{first}–{others[-1]}"
        else:
            yield from map(str, (first, *others))
