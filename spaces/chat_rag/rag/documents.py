"""Values that reading a file produces: a document, its pages, its chunks, and the passages that answers cite."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

# The first character, and the one after the last, in a text.
Span = tuple[int, int]

# Receives the share of a piece of work that is done, from 0 to 1. An error that it raises cancels the work.
ShareReport = Callable[[float], None]


@dataclass(frozen=True)
class Limits:
    """Limits for one file."""

    file_bytes: int = 50_000_000
    unpacked_bytes: int = 200_000_000  # the sum over all parts of a packed format
    characters: int = 10_000_000
    pages: int = 5_000
    scanned_pages: int = 200  # text recognition takes seconds per page
    recognition_seconds: int = 600  # for all of them; a reader has 900 for everything


@dataclass(frozen=True, slots=True)
class Page:
    """A page, numbered from 1, and its span of characters in `Document.text`."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, at a row and column counted from 0; its text is `Document.text[start:end]`."""

    row: int
    column: int
    start: int
    end: int
    row_span: int = 1
    column_span: int = 1
    header: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its span of characters in `Document.text`; a column or row without a cell is blank there."""

    start: int
    end: int
    cells: tuple[Cell, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """A line, or a cell, that was recognized on a picture: its span in `Document.text`, and its box.

    The box is in shares of the width and height of the page, from its upper left corner.
    """

    start: int
    end: int
    left: float
    top: float
    right: float
    bottom: float


class NoteKind(StrEnum):
    """What a reader left out of a file, or did with it that the visitor should know."""

    PICTURE_PAGES = "picture_pages"  # pages without text that weren't recognized
    UNREAD_PICTURES = "unread_pictures"  # large pictures beside text, on the pages in `places`, that weren't recognized
    UNREAD_INNER_PICTURES = "unread_inner_pictures"  # pictures of a file without pages, that weren't recognized
    UNSURE_PAGES = "unsure_pages"  # pages that were recognized, with doubts
    ENCODING_UNSURE = "encoding_unsure"  # places: the encoding that was chosen, and others that are as likely
    HIDDEN_SHEETS = "hidden_sheets"  # sheets, named in `places`, that weren't read
    HIDDEN_SLIDES = "hidden_slides"  # slides, by their numbers in `places`, that weren't read
    FORMULAS_WITHOUT_RESULT = "formulas_without_result"  # cells that show their formula; `places` are their sheets
    UNREAD_ATTACHMENTS = "unread_attachments"  # files, named in `places`, that no reader knows or that are damaged
    EMPTY_FIELDS = "empty_fields"  # fields to fill in, whose prompts were left out
    HIDDEN_TEXT = "hidden_text"  # pieces of text that nobody can see, which were left out
    DAMAGED_PARTS = "damaged_parts"  # parts that can't be unpacked, or that a file ends in the middle of
    UNKNOWN_CHARACTERS = "unknown_characters"  # letters whose font doesn't say which they are, on the pages in `places`


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the visitor should know about what was read: how often, and where (pages, sheets, lines)."""

    kind: NoteKind
    count: int = 1
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader finds in a file; `furniture` are running heads and feet and page numbers."""

    text: str
    pages: tuple[Page, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[Note, ...] = ()
    furniture: tuple[Span, ...] = ()
    recognized: tuple[RecognizedLine, ...] = ()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Document:
    """The text of a file; `id` is the first 16 hexadecimal digits of its SHA-256, `name` is safe to display.

    `furniture` are the spans of running heads and feet and page numbers, which no chunk contains.
    """

    id: str
    name: str
    text: str
    pages: tuple[Page, ...]
    media_type: str
    tables: tuple[Table, ...] = ()
    notes: tuple[Note, ...] = ()
    furniture: tuple[Span, ...] = ()
    recognized: tuple[RecognizedLine, ...] = ()

    def page_of(self, start: int) -> int | None:
        """Return the number of the page with the character at `start`, or None for a format without pages."""
        index = bisect_right(self.pages, start, key=lambda page: page.start) - 1
        return self.pages[index].number if index >= 0 else None

    def page_bodies(self) -> list[Span]:
        """Return the spans of the pages without their running heads and feet."""
        starts = dict(self.furniture)
        ends = {end: start for start, end in self.furniture}
        return [(starts.get(page.start, page.start), ends.get(page.end, page.end)) for page in self.pages]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that the search finds: `text` is exactly `Document.text[start:end]`."""

    document_id: str
    document: str
    start: int
    end: int
    text: str
    page: int | None
    heading: str  # the headings above it, as "Chapter > Section", or ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered piece of a document: `start` and `end` are character offsets into its extracted text.

    `score` is the fused score, from 0 to 1; `dense` is the cosine and `lexical` the BM25 score of its best chunk.
    """

    number: int
    document_id: str
    document: str
    page: int | None
    heading: str
    start: int
    end: int
    text: str
    score: float
    dense: float | None
    lexical: float | None
