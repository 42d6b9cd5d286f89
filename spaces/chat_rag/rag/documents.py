"""The values that reading a file gives: a document, its pages, and the chunks that are searched and cited."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one file may cost at most."""

    file_bytes: int = 50_000_000
    unpacked_bytes: int = 200_000_000  # the sum over all parts of a packed format
    characters: int = 10_000_000
    pages: int = 5_000
    scanned_pages: int = 200  # recognising one takes seconds


@dataclass(frozen=True, slots=True)
class Page:
    """A page, counted from 1, and its span of characters in `Document.text`."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text; `id` is the first 16 hexadecimal digits of the SHA-256 of its bytes, `name` is safe to display."""

    id: str
    name: str
    text: str
    pages: tuple[Page, ...]
    media_type: str

    def page_of(self, start: int) -> int | None:
        """The number of the page that holds the character at `start`, or None where the format has no pages."""
        index = bisect_right(self.pages, start, key=lambda page: page.start) - 1
        return self.pages[index].number if index >= 0 else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document: `text` is exactly `Document.text[start:end]`."""

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

    `score` is the fused one, from 0 to 1; `dense` is a cosine, `lexical` a BM25 score, both of its best chunk.
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
