"""A document becomes chunks: passages that are searched, shown and cited."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from rag.documents import Chunk, Document

_MARKDOWN = (
    "text/markdown",
    "text/html",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
)
# The splitter's time grows with the square of a long line: 12 s for 2 MB in one line, 0.3 s in blocks of this size.
_BLOCK_CHARACTERS = 16_000
_CUTS = ("\n#", "\n\n", "\n", " ")  # where a block may end, the best first
_TITLE_CHARACTERS = 120
# Three lines or more with bars: a table of Markdown, or one that was pasted without its frame.
_TABLE = re.compile(r"^(?:[^|\n]*\|[^\n]*(?:\n|\Z)){3,}", re.MULTILINE)
_FRAME = re.compile(r"[|:\s-]*")  # the line below the header of a table in Markdown
_MARKS = re.compile(r"^ {0,3}(?:(?P<fence>`{3,}|~{3,})|(?P<level>#{1,6})(?=[ \t\r\n]|$))(?P<rest>.*)", re.MULTILINE)


class _Heading(NamedTuple):
    start: int
    end: int
    path: str


class _Table(NamedTuple):
    start: int  # of its rows, below the header
    end: int
    header: str


def chunk_document(document: Document, *, size: int = 1000, overlap: int = 100) -> list[Chunk]:
    """Chunks of at most `size` characters, which never cross a page; neighbours share up to `overlap` of them.

    They are cut where the text is: between sections, paragraphs, list items, rows of a table, sentences. A part of a
    table that begins below its header has the header as its last heading.
    """
    headings = _headings(document.text) if document.media_type in _MARKDOWN else []
    if document.media_type == "text/csv":
        spans = _row_spans(document, size)
    else:
        spans = _spans(document, _sections(document.text, headings, size), size, overlap)
    starts = [heading.start for heading in headings]
    tables = list(_tables(document.text))
    return [
        Chunk(
            document_id=document.id,
            document=document.name,
            start=start,
            end=end,
            text=document.text[start:end],
            page=document.page_of(start),
            heading=" > ".join(
                filter(None, (_path(document.text, headings, starts, start, end), _header(tables, start)))
            ),
        )
        for start, end in spans
        if document.text[start:end].strip()
    ]


def _spans(document: Document, sections: list[tuple[int, int]], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    from semantic_text_splitter import TextSplitter

    # Not its MarkdownSplitter: it leaves many short chunks, and 1 to 2 points less of the answers are found
    # (benchmarks/retrieval.py). Blank lines, lines and sentences are cuts here too: list items and rows stay whole.
    splitter = TextSplitter(size, overlap=overlap)
    for start, end in [(page.start, page.end) for page in document.pages] or sections:
        yield from _split(splitter, document.text, start, end, max(_BLOCK_CHARACTERS, 8 * size))


def _sections(text: str, headings: list[_Heading], size: int) -> list[tuple[int, int]]:
    """From heading to heading; short ones that fit together stay so, and a heading stays with what is below it."""
    sections, end = [(0, 0)], 0
    cuts = [heading.start for heading in headings if heading.start] + [len(text)]
    bodies = {heading.start: heading.end for heading in headings}
    for start, end in zip([0, *cuts], cuts, strict=False):
        first = sections[-1][0]
        is_bare = not text[bodies.get(sections[-1][0], first) : start].strip()
        if end - first <= size or is_bare:
            sections[-1] = (first, end)
        else:
            sections.append((start, end))
    return sections


def _split(splitter, text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    for block_start, block_end in _blocks(text, start, end, limit):
        for offset, part in splitter.chunk_indices(text[block_start:block_end].rstrip()):
            yield block_start + offset, block_start + offset + len(part)


def _blocks(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Cuts a long text where it hurts least, so that the splitter never sees a very long line."""
    while end - start > limit:
        cuts = (text.rfind(mark, start + limit // 2, start + limit) for mark in _CUTS)
        cut = next((found + 1 for found in cuts if found >= 0), start + limit)
        yield start, cut
        start = cut
    yield start, end


def _row_spans(document: Document, size: int) -> Iterator[tuple[int, int]]:
    """Whole rows, as many as fit; only a row that is itself too long is split."""
    start = end = 0
    for row in re.finditer(r"[^\n]+", document.text):
        if end > start and row.end() - start > size:
            yield from _fit(document, start, end, size)
            start = row.start()
        elif end == start:
            start = row.start()
        end = row.end()
    if end > start:
        yield from _fit(document, start, end, size)


def _fit(document: Document, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    if end - start <= size:
        yield start, end
    else:
        from semantic_text_splitter import TextSplitter

        yield from _split(TextSplitter(size), document.text, start, end, max(_BLOCK_CHARACTERS, 8 * size))


def _headings(text: str) -> list[_Heading]:
    """The #-headings outside of code fences, each with the path of those above it."""
    headings, above, fence = [], [], ""
    for match in _MARKS.finditer(text):
        marks, rest = match["fence"], match["rest"].strip()
        if marks and fence:
            if marks.startswith(fence) and not rest:
                fence = ""
        elif marks:
            # A line such as ```code``` is inline code, not a fence.
            fence = "" if marks[0] == "`" and "`" in rest else marks
        elif not fence:
            level, title = len(match["level"]), re.sub(r"(^|\s)#+$", "", rest[:_TITLE_CHARACTERS]).strip()
            above = [item for item in above if item[0] < level] + [(level, title)]
            path = " > ".join(title for _, title in above if title)
            headings.append(_Heading(match.start(), match.end(), path))
    return headings


def _path(text: str, headings: list[_Heading], starts: list[int], start: int, end: int) -> str:
    """The path above a chunk's first line that is no heading."""
    index = bisect_right(starts, start) - 1
    while index + 1 < len(headings) and headings[index + 1].start < end:
        after = max(start, headings[index].end) if index >= 0 else start
        if text[after : headings[index + 1].start].strip():
            break
        index += 1
    return headings[index].path if index >= 0 else ""


def _tables(text: str) -> Iterator[_Table]:
    for match in _TABLE.finditer(text):
        header, below = match[0].split("\n", 2)[:2]
        if header.count("|") == below.count("|"):
            cells = " | ".join(filter(None, (cell.strip() for cell in header.split("|"))))
            rows = match.start() + len(header) + 1
            rows += len(below) + 1 if _FRAME.fullmatch(below) else 0
            yield _Table(rows, match.end(), cells[:_TITLE_CHARACTERS])


def _header(tables: list[_Table], start: int) -> str:
    """The header of the table among whose rows a chunk begins."""
    index = bisect_right(tables, start, key=lambda table: table.start) - 1
    return tables[index].header if index >= 0 and start < tables[index].end else ""
