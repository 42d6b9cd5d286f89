"""Headings and tables of a Markdown text, for chunks that carry their context."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag import documents
from rag.documents import Document

_TITLE_CHARACTERS = 120
# Three lines or more with bars: a Markdown table, or one that was pasted without its frame.
_TABLE = re.compile(r"^(?:[^|\n]*\|[^\n]*(?:\n|\Z)){3,}", re.MULTILINE)
_CLOSING_MARKS = re.compile(r"(^|\s)#+$")
_TABLE_RULE = re.compile(r"[|:\s-]*")  # the line below the header of a Markdown table
_FENCE_OR_HEADING = re.compile(
    r"^ {0,3}(?:(?P<fence>`{3,}|~{3,})|(?P<level>#{1,6})(?=[ \t\r\n]|$))(?P<rest>.*)"
    # A line of words between an empty line and a line of = or -; reStructuredText has other marks too.
    r"|(?:\A|(?<=\n\n)|(?<=\r\n\r\n))(?P<title>[^\s|>+*`~#=-][^\r\n]{0,119})\r?\n"
    r"(?P<underline>=++|-++|~++|\^++)(?=[ \t]*+\r?$)",
    re.MULTILINE,
)
# The first line of a version in a changelog of Debian: "boats (1.2-3) unstable; urgency=low".
_VERSION_LINE = re.compile(r"^[a-z0-9][a-z0-9+.-]{1,60} \([^()\s]{1,80}\) [^;\n]{1,80};[^\n]{0,120}", re.MULTILINE)
_LEAST_UNDERLINE = 3
_UNDERLINES = {"=": 1, "-": 2, "~": 3, "^": 4}


class Heading(NamedTuple):
    """A heading's line in the text, and its path: "Chapter > Section"."""

    start: int
    end: int
    path: str


class Table(NamedTuple):
    """The rows of a table below its header, and the header's cells."""

    start: int
    end: int
    header: str


def find_headings(text: str) -> list[Heading]:
    """Return the headings with # or a line below them, outside of code fences, each with the path of those above it."""
    headings: list[Heading] = []
    ancestors: list[tuple[int, str]] = []
    fence = ""
    for match in _FENCE_OR_HEADING.finditer(text):
        marks, rest = match["fence"], (match["rest"] or match["title"] or "").strip()
        if marks and fence:
            if marks.startswith(fence) and not rest:
                fence = ""
        elif marks:
            # A line such as ```code``` is inline code, not a fence.
            fence = "" if marks[0] == "`" and "`" in rest else marks
        elif not fence:
            level = len(match["level"]) if match["level"] else _UNDERLINES[match["underline"][0]]
            title = _CLOSING_MARKS.sub("", rest[:_TITLE_CHARACTERS]).strip()
            ancestors = [ancestor for ancestor in ancestors if ancestor[0] < level] + [(level, title)]
            path = " > ".join(title for _, title in ancestors if title)
            headings.append(Heading(match.start(), match.end(), path))
    return headings


def find_plain_headings(text: str) -> list[Heading]:
    """Return the headings of plain text: lines like those of Markdown between paragraphs, and versions of a changelog.

    A line with one # can be a comment: an empty line must follow it.
    """
    versions = [Heading(match.start(), match.end(), match[0].strip()) for match in _VERSION_LINE.finditer(text)]
    return versions or [heading for heading in find_headings(text) if _is_plain_heading(text, heading)]


def _is_plain_heading(text: str, heading: Heading) -> bool:
    line, _, underline = text[heading.start : heading.end].partition("\n")
    if underline:
        return len(underline.strip()) >= max(_LEAST_UNDERLINE, len(line.strip()) / 2)
    before = text[max(0, heading.start - 3) : heading.start]
    if not line.startswith("#") or (heading.start and not before.replace("\r", "").endswith("\n\n")):
        return False
    rest = text[heading.end : heading.end + 4].replace("\r", "")
    return line.startswith("##") or rest in ("", "\n") or rest.startswith("\n\n")


def heading_path(text: str, headings: Sequence[Heading], start: int, end: int) -> str:
    """Return the path above the first line of the chunk `text[start:end]` that isn't a heading, or ""."""
    index = bisect_right(headings, start, key=lambda heading: heading.start) - 1
    while index + 1 < len(headings) and headings[index + 1].start < end:
        body_start = max(start, headings[index].end) if index >= 0 else start
        if text[body_start : headings[index + 1].start].strip():
            break
        index += 1
    return headings[index].path if index >= 0 else ""


def find_tables(text: str) -> Iterator[Table]:
    """Yield the tables of a text whose header has as many columns as the line below it."""
    for match in _TABLE.finditer(text):
        header, next_line = match[0].split("\n", 2)[:2]
        if header.count("|") == next_line.count("|"):
            cells = " | ".join(filter(None, (cell.strip() for cell in header.split("|"))))
            start = match.start() + len(header) + 1
            start += len(next_line) + 1 if _TABLE_RULE.fullmatch(next_line) else 0
            yield Table(start, match.end(), cells[:_TITLE_CHARACTERS])


def document_tables(document: Document) -> list[Table]:
    """Return the rows of a document's tables below their headers, and the names of their columns."""
    if (
        document.media_type != "application/pdf" or not document.tables
    ):  # the text of other formats has the tables in Markdown
        return list(find_tables(document.text))
    return [_named_columns(document, table) for table in document.tables]


def _named_columns(document: Document, table: documents.Table) -> Table:
    """Return a table with its header as text: the cells above each other of a column are one name."""
    names: dict[int, list[str]] = {}
    header_rows = max((cell.row + cell.row_span for cell in table.cells if cell.header), default=0)
    for cell in table.cells:
        if cell.header:
            for column in range(cell.column, cell.column + cell.column_span):
                names.setdefault(column, []).append(" ".join(document.text[cell.start : cell.end].split()))
    start = min((cell.start for cell in table.cells if cell.row >= header_rows), default=table.end)
    header = " | ".join(" ".join(names[column]) for column in sorted(names))
    return Table(start, table.end, header[:_TITLE_CHARACTERS])


def table_header(tables: Sequence[Table], start: int) -> str:
    """Return the header of the table with the row at `start`, or ""."""
    index = bisect_right(tables, start, key=lambda table: table.start) - 1
    return tables[index].header if index >= 0 and start < tables[index].end else ""
