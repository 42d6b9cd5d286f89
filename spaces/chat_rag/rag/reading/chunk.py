"""Splits a document into chunks, the units that the search finds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from rag.documents import Chunk, Document
from rag.reading.markdown.headings import (
    Heading,
    document_tables,
    find_headings,
    find_plain_headings,
    heading_path,
    table_header,
)

if TYPE_CHECKING:
    from semantic_text_splitter import TextSplitter

Span = tuple[int, int]
_PLAIN_SUFFIXES = (".txt", ".text", "")  # not those of programs and settings, where # begins a comment
_MARKDOWN = ("text/markdown", "text/html", "application/vnd.")  # the beginnings of media types
# The splitter's time grows with the square of a line's length: 12 s for a line of 2 MB, 0.3 s in blocks of this size.
_BLOCK_CHARACTERS = 16_000
_BLOCK_SEPARATORS = ("\n#", "\n\n", "\n", " ")  # where a block can end, the best first


def chunk_document(document: Document, *, size: int, overlap: int) -> list[Chunk]:
    """Return chunks of at most `size` characters that never cross a page; neighbours share up to `overlap` of them.

    Chunks end between sections, paragraphs, list items, table rows or sentences. If a chunk starts inside a table, the
    table's header is its last heading.
    """
    text = document.text
    headings = document_headings(document)
    tables = document_tables(document)
    if document.media_type == "text/csv":
        spans = _row_spans(document, size)
    else:
        # The versions of a changelog are short, and each is about something else.
        merged_size = 0 if document.media_type == "text/plain" else size
        spans = _spans(document, _sections(text, headings, merged_size), size, overlap)
    return [
        Chunk(
            document_id=document.id,
            document=document.name,
            start=start,
            end=end,
            text=text[start:end],
            page=document.page_of(start),
            heading=" > ".join(filter(None, (heading_path(text, headings, start, end), table_header(tables, start)))),
        )
        for start, end in spans
        if text[start:end].strip()
    ]


def document_headings(document: Document) -> list[Heading]:
    """Return the headings of a document in Markdown, a format that is read as Markdown, or plain text."""
    if document.media_type.startswith(_MARKDOWN):
        return find_headings(document.text)
    is_plain = document.media_type == "text/plain" and PurePath(document.name).suffix.lower() in _PLAIN_SUFFIXES
    return find_plain_headings(document.text) if is_plain else []


def _spans(document: Document, sections: list[Span], size: int, overlap: int) -> Iterator[Span]:
    from semantic_text_splitter import TextSplitter

    # Not MarkdownSplitter: it makes many short chunks, and 1 to 2 points less of the answers are found
    # (benchmarks/search/retrieval.py). TextSplitter also splits at blank lines, lines and sentences, so that list items
    # and rows stay whole.
    splitter = TextSplitter(size, overlap=overlap)
    for start, end in document.page_bodies() or sections:
        yield from _split(splitter, document.text, start, end, size)


def _sections(text: str, headings: Sequence[Heading], size: int) -> list[Span]:
    """Return the spans from heading to heading; short sections that fit together in `size` are merged.

    A heading stays with the text below it.
    """
    sections, end = [(0, 0)], 0
    boundaries = [heading.start for heading in headings if heading.start] + [len(text)]
    heading_ends = {heading.start: heading.end for heading in headings}
    for start, end in zip([0, *boundaries], boundaries, strict=False):
        first = sections[-1][0]
        has_no_body = not text[heading_ends.get(first, first) : start].strip()
        if end - first <= size or has_no_body:
            sections[-1] = (first, end)
        else:
            sections.append((start, end))
    return sections


def _split(splitter: TextSplitter, text: str, start: int, end: int, size: int) -> Iterator[Span]:
    for block_start, block_end in _blocks(text, start, end, max(_BLOCK_CHARACTERS, 8 * size)):
        for offset, part in splitter.chunk_indices(text[block_start:block_end].rstrip()):
            yield block_start + offset, block_start + offset + len(part)


def _blocks(text: str, start: int, end: int, max_characters: int) -> Iterator[Span]:
    """Yield the spans of blocks that end at the best separator, so that the splitter never gets a very long line."""
    while end - start > max_characters:
        middle, limit = start + max_characters // 2, start + max_characters
        positions = (text.rfind(separator, middle, limit) for separator in _BLOCK_SEPARATORS)
        block_end = next((position + 1 for position in positions if position >= 0), limit)
        yield start, block_end
        start = block_end
    yield start, end


def _row_spans(document: Document, size: int) -> Iterator[Span]:
    """Yield the spans of as many whole rows as fit; a row that is too long is split."""
    start = end = 0
    for row in re.finditer(r"[^\n]+", document.text):
        if end > start and row.end() - start > size:
            yield from _split_to_size(document, start, end, size)
            start = row.start()
        elif end == start:
            start = row.start()
        end = row.end()
    if end > start:
        yield from _split_to_size(document, start, end, size)


def _split_to_size(document: Document, start: int, end: int, size: int) -> Iterator[Span]:
    if end - start <= size:
        yield start, end
    else:
        from semantic_text_splitter import TextSplitter

        yield from _split(TextSplitter(size), document.text, start, end, size)
