"""Reads the text and the tables of a PDF page by page."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rag.documents import Content, Limits, Note, NoteKind, ShareReport
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.formats.names_note import names_note
from rag.reading.formats.pdf.attachments import attachment_names
from rag.reading.formats.pdf.damage import damaged_parts
from rag.reading.formats.pdf.layers import has_hidden_layers
from rag.reading.formats.pdf.pages import assemble, join_broken_words
from rag.reading.layout.page_text import REPLACEMENT, PageText, write_page
from rag.reading.layout.reader import ReadPage, lay_out, read_page
from rag.reading.layout.running_heads import WINDOW, Edges, find_furniture, page_edges
from rag.reading.ocr.page_pictures import has_images
from rag.reading.ocr.recognizer import Recognizer, install_remedy
from rag.reading.ocr.scans import Scans

PDFIUM_LOCK = threading.Lock()  # PDFium isn't thread-safe, not even across documents


def read_pdf(data: bytes, name: str, limits: Limits, report: ShareReport) -> Content:
    """Return the text of all pages in reading order, with the spans of pages and tables.

    Pages without text go through text recognition if an engine is installed. `report` is called after each page.
    """
    with Recognizer(name) as recognizer:
        scans = Scans(recognizer, limits)
        reader = _Reader(name, limits, report, scans)
        texts = join_broken_words(list(reader.pages(data)))
    # Comments alone are the text of a drawing, but not of a scan that can't be read.
    is_unread = scans.has_unread_pages or not any(page.text for page in texts)
    if is_unread and all(page.has_only_comments for page in texts):
        raise scans.error or _no_text(name, recognizer)
    damaged = damaged_parts(data)
    notes = (Note(NoteKind.DAMAGED_PARTS, damaged),) if damaged else ()
    return assemble(texts, (*reader.notes(), *notes))


class _Reader:
    """Reads the pages of one file, and counts what isn't read."""

    def __init__(self, name: str, limits: Limits, report: ShareReport, scans: Scans) -> None:
        self._name, self._limits, self._report, self._scans = name, limits, report, scans
        self._has_images = False
        self._hidden: dict[int, int] = {}
        self._unknown: dict[int, int] = {}
        self._attached: list[str] = []
        self._characters = 0

    def notes(self) -> tuple[Note, ...]:
        """Return what the visitor should know about the file."""
        notes = self._scans.notes()
        if self._attached:
            notes.append(names_note(NoteKind.UNREAD_ATTACHMENTS, self._attached))
        if self._hidden:
            notes.append(_pages_note(NoteKind.HIDDEN_TEXT, self._hidden))
        if self._unknown:
            notes.append(_pages_note(NoteKind.UNKNOWN_CHARACTERS, self._unknown))
        return tuple(notes)

    def pages(self, data: bytes) -> Iterator[PageText]:
        """Yield the text of each page; a few pages are read ahead, to find the heads and feet that they share."""
        document = _open(data, self._name)
        self._has_images = has_images(data)
        try:
            count = _page_count(document, self._name, self._limits)
            with PDFIUM_LOCK:
                self._attached += attachment_names(document)
            window: list[tuple[ReadPage, Edges]] = []
            first = 0  # the page at the start of the window
            for index in range(count + WINDOW):
                if index < count:
                    page = self._read(document, index)
                    window.append((page, page_edges(page.lines)))
                    self._report((index + 1) / count)
                if 0 <= (current := index - WINDOW) < count:
                    written = self._write(window, current - first)
                    if unknown := written.text.count(REPLACEMENT):
                        self._unknown[current + 1] = unknown
                    yield self._scans.complete(written, current + 1)
                if current - first >= WINDOW:
                    del window[0]
                    first += 1
        finally:
            with PDFIUM_LOCK:
                document.close()

    def _read(self, document: Any, index: int) -> ReadPage:
        """Return what a page has, or what was recognized on its picture."""
        # The lock is held for one page only, so that a long file doesn't delay a short one.
        with PDFIUM_LOCK:
            page = document[index]
            try:
                content = read_page(page)
                has_text = content.segments or content.turned
                image = None if has_text else self._scans.draw(page, index + 1)
                pictures = self._scans.draw_pictures(page, index + 1) if has_text and self._has_images else []
            finally:
                page.close()  # this closes its text page too
        self._attached += content.attachments
        if content.hidden_words:
            self._hidden[index + 1] = content.hidden_words
        self._scans.read_pictures(pictures, index + 1)
        return replace(self._scans.read(image, index + 1), comments=content.comments) if image else content

    def _write(self, window: Sequence[tuple[ReadPage, Edges]], index: int) -> PageText:
        page, edges = window[index]
        others = [(other - index, window[other][1]) for other in range(len(window)) if other != index]
        written = write_page(lay_out(page, *find_furniture(edges, others)))
        self._characters += len(written.text)
        if self._characters > self._limits.characters:
            raise FileError(FileProblem.MORE_CHARACTERS, name=self._name, limit=self._limits.characters)
        return written


def _pages_note(kind: NoteKind, counts: Mapping[int, int]) -> Note:
    return Note(kind, sum(counts.values()), tuple(map(str, counts)))


def open_pdf(data: bytes) -> Any:
    """Return a pypdfium2 document that knows the values of its form, and whether layers may be hidden.

    The caller holds PDFium's lock.
    """
    import pypdfium2

    document: Any = pypdfium2.PdfDocument(data)
    document.has_hidden_layers = has_hidden_layers(data)
    if document.get_formtype():
        document.init_forms()
    return document


def page_characters(page: Any) -> Iterator[list[tuple[int, str]]]:
    """Yield the characters of a page in the order of its text, each with PDFium's index of it, or -1.

    The order depends on how many lines are its head and foot, which only the whole document tells: each possible one
    is yielded. The caller holds PDFium's lock.
    """
    content = read_page(page)
    edges = page_edges(content.lines)
    orders = []
    for head in range(len(edges.head) + 1):
        for foot in range(len(edges.foot) + 1):
            layout = lay_out(content, edges.head[:head], edges.foot[:foot][::-1])
            segments = write_page(layout).segments
            order = [pair for segment in segments for pair in zip(segment.indexes, segment.text, strict=True)]
            if order not in orders:
                orders.append(order)
                yield order


def _open(data: bytes, name: str) -> Any:
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    try:
        with PDFIUM_LOCK:
            return open_pdf(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
            raise FileError(FileProblem.ENCRYPTED, name=name) from error
        raise _damaged(name) from error


def _page_count(document: Any, name: str, limits: Limits) -> int:
    with PDFIUM_LOCK:
        count = len(document)
    if count == 0:
        raise _damaged(name)
    if count > limits.pages:
        raise FileError(FileProblem.TOO_MANY_PAGES, name=name, pages=count, limit=limits.pages)
    return count


def _no_text(name: str, recognizer: Recognizer) -> DocumentError:
    if recognizer.is_available:
        return FileError(FileProblem.NOTHING_RECOGNIZED, name=name)
    return FileError(FileProblem.NEEDS_RECOGNITION, name=name, install=install_remedy())


def _damaged(name: str) -> DocumentError:
    return FileError(FileProblem.NO_PAGES, name=name)
