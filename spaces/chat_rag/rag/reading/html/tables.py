"""Takes the tables out of HTML, so that they are written with their structure and not by the converter to Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from rag.reading.tables import MAX_COLUMNS, GridCell

# Characters for private use mark the place of a table; a page's own ones are icons.
MARKS = "\ue000\ue001"
PLACE = re.compile(f"{MARKS[0]}(\\d+){MARKS[1]}")
_MAX_SPAN = 1_000
_LAYOUT = ("table", "h1", "h2", "h3", "h4", "h5", "h6", "pre")
_PARTS = ("thead", "tbody", "tfoot", "tr", "td", "th", "caption")
_BREAKS = {"address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "hr", "li", "ol", "p", "section", "ul"}


class HtmlTable(NamedTuple):
    """The cells of a table and its caption."""

    cells: list[GridCell]
    caption: str


def take_tables(root: Any) -> list[HtmlTable]:
    """Replace each table by a mark with its number, and return them; tables that only arrange text become blocks."""
    from lxml import etree

    tables: list[HtmlTable] = []
    for table in list(root.iter("table")):
        cells = [] if any(True for _ in _inner(table)) else list(_cells(table))
        if len({cell.column for cell in cells}) < 2:
            own = [part for part in table.iter(*_PARTS) if next(part.iterancestors("table")) is table]
            for part in (table, *own):
                part.tag = "div"
            continue
        caption = table.find("caption")
        place = etree.Element("p")
        place.text, place.tail = f"{MARKS[0]}{len(tables)}{MARKS[1]}", table.tail
        tables.append(HtmlTable(cells, _text(caption) if caption is not None else ""))
        table.getparent().replace(table, place)
    return tables


def _inner(table: Any) -> Iterator[Any]:
    """Yield what only tables that arrange a page contain."""
    return (element for element in table.iterdescendants(*_LAYOUT))


def _cells(table: Any) -> Iterator[GridCell]:
    below: dict[int, int] = {}  # the rows that cells above still span, by column
    for number, row in enumerate(table.iter("tr")):
        column = 0
        started: dict[int, int] = {}
        for cell in row.iterchildren("td", "th"):
            while below.get(column):
                column += 1
            rows, columns = _span(cell, "rowspan"), _span(cell, "colspan")
            is_header = cell.tag == "th" or row.getparent().tag == "thead"
            yield GridCell(number, column, _text(cell), rows, columns, is_header)
            started |= dict.fromkeys(range(column, column + columns), rows)
            column += columns
            if column > MAX_COLUMNS:
                return  # the table is refused
        below = {place: rows - 1 for place, rows in (below | started).items() if rows > 1}


def _span(cell: Any, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(max(int(value), 1), _MAX_SPAN) if value.isdecimal() and len(value) < 10 else 1


def _text(element: Any) -> str:
    from lxml import etree

    parts: list[str] = []
    for event, part in etree.iterwalk(element, events=("start", "end")):
        if part is not element and part.tag in _BREAKS:
            parts.append(" ")
        parts.append((part.text if event == "start" else part.tail if part is not element else "") or "")
    return " ".join("".join(parts).split())
