"""The structure of a document that its passages don't show: its running heads, fiscal years and tables of its pages.

It is made at the first question and freed with the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.answering.evidence.question_analysis.periods import FiscalYears, find_fiscal_years
from rag.answering.evidence.tables.figure_lines import find_figure_tables
from rag.answering.evidence.tables.grid import Grid
from rag.answering.evidence.units.per_document import PerDocument, text_blocks
from rag.documents import Document, Page, Span, Table
from rag.reading.chunk import document_headings
from rag.reading.markdown.headings import Heading, heading_path

# A running head stands on so many pages, among so many first or last lines.
_MIN_PAGES, _LINES = 3, 2
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Structure:
    """The running heads of a document, as hashes, its fiscal years, its tables, and its pages without running heads.

    The headings, the tables of a page without marked ones, and the grids of tables are made when they are needed.
    """

    furniture: frozenset[int]
    tables: tuple[Table, ...]
    fiscal_years: FiscalYears
    bodies: Sequence[Span]
    _page_tables: dict[int, list[Table]] = field(default_factory=dict)
    _grids: dict[int, Grid] = field(default_factory=dict)
    _headings: list[Heading] | None = None

    def heading_at(self, document: Document, start: int, end: int) -> str:
        """Return the headings above some text, as "Chapter > Section"; "" in a document without any."""
        return heading_path(document.text, self._all_headings(document), start, end)

    def opens_section(self, document: Document, start: int) -> bool:
        """Return whether nothing stands between the character at `start` and the heading above it."""
        headings = self._all_headings(document)
        index = bisect_right(headings, start, key=lambda heading: heading.start) - 1
        return index >= 0 and not document.text[headings[index].end : start].strip()

    def _all_headings(self, document: Document) -> list[Heading]:
        if self._headings is None:
            self._headings = document_headings(document)
        return self._headings

    def is_furniture(self, line: str) -> bool:
        """Return whether a line is a running head, a footer or a page number."""
        return hash(_pattern(line)) in self.furniture

    def tables_between(self, document: Document, start: int, end: int) -> list[Table]:
        """Return the tables with characters between `start` and `end`."""
        if self.tables:
            first = bisect_left(self.tables, start, key=lambda table: table.end)
            last = bisect_left(self.tables, end, key=lambda table: table.start)
            return list(self.tables[first:last])
        page = _page_at(document, start)
        if page is None:
            return []
        if page.number not in self._page_tables:
            self._page_tables[page.number] = find_figure_tables(document.text, page.start, page.end)
        return [table for table in self._page_tables[page.number] if table.start < end and start < table.end]

    def grid(self, document: Document, table: Table) -> Grid:
        """Return a table of the document by rows and columns."""
        if table.start not in self._grids:
            self._grids[table.start] = Grid(table, document.text)
        return self._grids[table.start]

    def body_at(self, document: Document, start: int) -> Span:
        """Return the page with the character at `start` without its running heads; without pages all of the text."""
        index = bisect_right(self.bodies, start, key=lambda body: body[0]) - 1
        is_inside = index >= 0 and start < self.bodies[index][1]
        return self.bodies[index] if is_inside else (0, len(document.text))


def _structure(document: Document) -> Structure:
    fiscal_years = find_fiscal_years(text_blocks(document.text))
    return Structure(_furniture(document), _outer_tables(document), fiscal_years, tuple(document.page_bodies()))


_structures = PerDocument(_structure)


def structure_of(document: Document) -> Structure:
    """Return the structure of a document."""
    return _structures.of(document)


def _outer_tables(document: Document) -> tuple[Table, ...]:
    """Return the tables in the order of the text, without those inside of another's cell."""
    tables: list[Table] = []
    for table in sorted(document.tables, key=lambda table: (table.start, -table.end)):
        if not tables or table.start >= tables[-1].end:
            tables.append(table)
    return tuple(tables)


def introduction(document: Document, start: int) -> str:
    """Return what introduces a table: the last paragraph above it on its page, at most three lines."""
    page = _page_at(document, start)
    before = document.text[max(start - 600, page.start if page else 0) : start].rstrip(" \t|")
    lines = before.strip("\n").rpartition("\n\n")[2].split("\n")
    return " ".join(" ".join(lines[-3:]).split())[-300:]


def _page_at(document: Document, start: int) -> Page | None:
    index = bisect_right(document.pages, start, key=lambda page: page.start) - 1
    return document.pages[index] if index >= 0 else None


def _furniture(document: Document) -> frozenset[int]:
    """Return the hashes of the first and last lines that many pages share, whatever their numbers."""
    counts: Counter[int] = Counter()
    for page in document.pages:
        lines = [line for line in document.text[page.start : page.end].split("\n") if line.strip()]
        counts.update({hash(_pattern(line)) for line in (*lines[:_LINES], *lines[-_LINES:])})
    return frozenset(line for line, count in counts.items() if count >= _MIN_PAGES)


def _pattern(line: str) -> str:
    return _DIGITS.sub("#", " ".join(line.split()))
