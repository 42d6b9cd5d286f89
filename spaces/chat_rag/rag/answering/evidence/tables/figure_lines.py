"""Tables of a page without marked tables: lines with a label and figures, below lines with periods.

A reader that marks the tables of its format knows more; these are for the pages of a PDF whose tables it didn't find.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.documents import Cell, Table

_FIGURE = re.compile(
    r"(?<!\S)(?:[$€£]\s?)?(?:\(\s?(?:[$€£]\s?)?\d[\d,.]*+\s?%?\s?\)(?:\s?%)?|[-−–]?[$€£]?\d[\d,]*+(?:\.\d++)?(?:\s?%)?|[—–](?:\s?%)?"
    r"|n/[am]|N/[AM]|NM)(?!\S)"
)
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_SPAN = r"(?:Three|Six|Nine|Twelve|Thirteen|Twenty-Six|Thirty-Nine) (?:Months|Weeks)|Quarters?|(?:Fiscal )?Years?"
_PERIOD = re.compile(
    rf"(?:{_SPAN}) Ended(?: {_MONTH} \d{{1,2}},)?(?: (?:19|20)\d\d(?! (?:19|20)\d\d))?"
    rf"|(?:As of )?{_MONTH} \d{{1,2}},(?: (?:19|20)\d\d(?! (?:19|20)\d\d))?|(?:19|20)\d\d|Thereafter|Total|Change",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d]")
_MARK = re.compile(r"\(\d\)")
_LINE = re.compile(r"[^\n]+")
_MAX_LABEL, _MAX_LINE = 110, 400
Span = tuple[int, int]


@dataclass(slots=True)
class _Rows:
    """The lines of a table as they are read: the periods of its header, and the label and figures of each row."""

    headers: list[list[Span]] = field(default_factory=list)
    rows: list[tuple[Span, list[Span]]] = field(default_factory=list)
    marks: set[int] = field(default_factory=set)
    """Where a first figure can also be the mark of a footnote: "iPhone (1) 40,665"."""

    def table(self) -> Table | None:
        """Return the table, or None if no row has a figure for each column."""
        width = max(map(len, self.headers), default=0)
        headers = [spans for spans in self.headers if width % len(spans) == 0]
        if not any(len(figures) == width for _, figures in self.rows) or not headers:
            return None
        cells: list[Cell] = []
        for row, spans in enumerate(headers):
            step = width // len(spans)
            cells += [Cell(row, 1 + step * at, *span, column_span=step, header=True) for at, span in enumerate(spans)]
        for row, (label, figures) in enumerate(self.rows, len(headers)):
            cells.append(Cell(row, 0, *label))
            if len(figures) == width + 1 and figures[0][0] in self.marks:
                figures = figures[1:]
            if len(figures) == width:  # otherwise nobody knows which column a figure belongs to
                cells += [Cell(row, 1 + at, *span) for at, span in enumerate(figures)]
        return Table(min(cell.start for cell in cells), max(cell.end for cell in cells), tuple(cells))


def find_figure_tables(text: str, start: int, end: int) -> list[Table]:
    """Return the tables between two characters of a text, such as those of a page."""
    tables: list[Table | None] = []
    lines = [(line.start(), line.end()) for line in _LINE.finditer(text, start, end)]
    current = _Rows()
    for line in lines:
        periods = _periods(text, line)
        label, figures = _split_row(text, line)
        if periods:
            if current.rows:
                tables.append(current.table())
                current = _Rows()
            current.headers.append(periods)
        elif figures and label[1] - label[0] <= _MAX_LABEL and _LETTER.search(text, *label):
            current.rows.append((label, figures))
            if _MARK.fullmatch(text, *figures[0]):
                current.marks.add(figures[0][0])
        elif _is_label(text, line):
            if current.headers:
                current.rows.append((line, []))
        else:
            tables.append(current.table())
            current = _Rows()
    tables.append(current.table())
    return [table for table in tables if table]


def _split_row(text: str, line: Span) -> tuple[Span, list[Span]]:
    """Return the label of a line and the figures after it, without a footnote mark after these."""
    start, end = line[0], line[1]
    figures: list[Span] = []
    for match in reversed(list(_FIGURE.finditer(text, start, end)) if end - start <= _MAX_LINE else []):
        if text[match.end() : end].strip():
            break
        figures.insert(0, match.span())
        end = match.start()
    label = text[start:end]
    return (start + len(label) - len(label.lstrip()), start + len(label.rstrip())), figures


def _periods(text: str, line: Span) -> list[Span]:
    """Return the periods of a line that has nothing else."""
    periods: Sequence[re.Match[str]] = list(_PERIOD.finditer(text, *line))
    rest = _PERIOD.sub("", text[slice(*line)])
    return [period.span() for period in periods] if periods and not rest.strip(" ,()") else []


def _is_label(text: str, line: Span) -> bool:
    return line[1] - line[0] <= _MAX_LABEL and not text[line[0] : line[1]].rstrip().endswith((".", ";"))
