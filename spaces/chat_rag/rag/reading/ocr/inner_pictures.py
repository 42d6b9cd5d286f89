"""Pictures inside of office files, books and notebooks: their text is recognized, or a note says that it wasn't."""

from __future__ import annotations

import hashlib
from types import TracebackType

from backends.stopwatch import now
from rag.documents import Content, Limits, Note, NoteKind
from rag.errors import DocumentError
from rag.reading.formats.pdf.pages import assemble
from rag.reading.layout.page_text import write_page
from rag.reading.layout.reader import lay_out
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.ocr.images import grey_image, open_image
from rag.reading.ocr.recognizer import Recognizer

_ICON_SIDE = 100  # pixels; a smaller picture inside of a document is an icon or a line
_MOST_PICTURES = 50  # in one file: each takes a second or more


class InnerPictures:
    """Reads the pictures of one file, each one once; with the `with` block the engine ends, and a note is written."""

    def __init__(self, writer: ContentWriter, name: str, limits: Limits) -> None:
        self._writer, self._recognizer, self._limits = writer, Recognizer(name), limits
        self._seen: set[bytes] = set()
        self._read = self._unread = 0
        self._end: float | None = None  # of the time for text recognition, which begins with the first picture

    def __enter__(self) -> InnerPictures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recognizer.__exit__(kind, error, trace)
        if self._unread:
            self._writer.notes.append(Note(NoteKind.UNREAD_INNER_PICTURES, self._unread))

    def add(self, data: bytes) -> None:
        """Write what is on a picture, unless it was there before."""
        key = hashlib.sha256(data).digest()
        if key in self._seen:
            return
        self._seen.add(key)
        self._end = self._end or now() + self._limits.recognition_seconds
        has_room = self._read < _MOST_PICTURES and now() < self._end
        content = recognize_image(data, self._recognizer if has_room else None, len(self._seen))
        if content is None:
            self._unread += 1
        elif content.text.strip():
            self._read += 1
            self._writer.add_content(content)


def recognize_image(data: bytes, recognizer: Recognizer | None, number: int = 1) -> Content | None:
    """Return what is on a picture inside of a document, without text for an icon or a picture of something else.

    None means that the picture wasn't read: there is no engine, or it fails or guesses, or the picture is of another
    format or too large. `number` counts the pictures, for messages.
    """
    try:
        image = open_image(data, recognizer.name if recognizer else "")
        if min(image.size) < _ICON_SIDE:
            return Content("")
        if recognizer is None or not recognizer.is_available:
            return None
        read = recognizer.recognize(grey_image(image, recognizer.max_side), number)
        if read.page.segments and read.score < recognizer.unsure:
            return None
        return assemble([write_page(lay_out(read.page))], ())
    except (DocumentError, OSError, SyntaxError, ValueError):  # Pillow raises the last three for a damaged picture
        return None
