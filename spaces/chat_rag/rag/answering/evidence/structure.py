"""The structure of a document that its passages don't show: its running heads, fiscal years and tables of its pages.

It is kept for the documents of the last questions, as numbers only: nothing of a removed document's words stays.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from rag.answering.evidence.asked.periods import FiscalYears, find_fiscal_years
from rag.answering.evidence.tables.figure_lines import find_figure_tables
from rag.documents import Document, Page, Table

# A running head stands on so many pages, among so many first or last lines.
_MIN_PAGES, _LINES = 3, 2
_KEPT_DOCUMENTS = 64
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Structure:
    """The running heads of a document, as hashes, its fiscal years, and its tables.

    The tables of a page without marked ones are looked up when needed.
    """

    furniture: frozenset[int]
    tables: tuple[Table, ...]
    fiscal_years: FiscalYears
    _page_tables: dict[int, list[Table]] = field(default_factory=dict)

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


_structures: OrderedDict[tuple[str, str], Structure] = OrderedDict()
_lock = threading.Lock()


def structure_of(document: Document) -> Structure:
    """Return the structure of a document."""
    key = document.id, document.media_type
    with _lock:
        if key in _structures:
            _structures.move_to_end(key)
            return _structures[key]
    structure = Structure(_furniture(document), _outer_tables(document), find_fiscal_years(document.text))
    with _lock:
        _structures[key] = structure
        while len(_structures) > _KEPT_DOCUMENTS:
            _structures.popitem(last=False)
    return structure


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
