"""Takes the tables out of HTML, so that they are written with their structure and not by the converter to Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rag.reading.markdown.cells import INNER, GridCell
from rag.reading.markdown.content_writer import MAX_COLUMNS

# Characters for private use mark the place of a table; a page's own ones are icons.
MARKS = "\ue000\ue001"
PLACE = re.compile(f"{MARKS[0]}(\\d+){MARKS[1]}")
_MAX_SPAN = 1_000
_MAX_CELL = 300  # characters beside a table inside of a cell; more are a part of the page
_LAYOUT = ("h1", "h2", "h3", "h4", "h5", "h6", "pre")
_PARTS = ("thead", "tbody", "tfoot", "tr", "td", "th", "caption")
_BLOCKS = "address article blockquote br dd div dl dt hr li ol p section ul"
_BREAKS = {*_LAYOUT, *_BLOCKS.split()}


class HtmlTable(NamedTuple):
    """The cells of a table and its caption."""

    cells: list[GridCell]
    caption: str


def take_tables(root: Any) -> list[HtmlTable]:
    """Replace each table by a mark with its number, and return them; tables that only arrange text become blocks."""
    from lxml import etree

    tables: list[HtmlTable] = []
    for table in reversed(list(root.iter("table"))):  # a table inside of another comes first
        cells = list(_cells(table)) if _names_columns(table) or not _has(table, _LAYOUT) else []
        if len({cell.column for cell in cells}) < 2 or not _has_small_tables(cells):
            for part in (table, *table.iter(*_PARTS)):
                part.tag = "div"
            continue
        caption = table.find("caption")
        place = etree.Element("p")
        place.text, place.tail = f"{MARKS[0]}{len(tables)}{MARKS[1]}", table.tail
        if stray := _stray_text(table):
            above = etree.Element("p")
            above.text = stray
            table.addprevious(above)
        found = [_with_inner(cell, tables) for cell in cells]
        tables.append(HtmlTable(found, _text(caption) if caption is not None else ""))
        table.getparent().replace(table, place)
    return tables


def _stray_text(table: Any) -> str:
    """Return what stands in a table outside of its cells; browsers show it above."""
    pieces: list[str] = []
    for container in (table, *table.iter("thead", "tbody", "tfoot", "tr")):
        pieces.append(container.text or "")
        for child in container:
            is_stray = child.tag not in _PARTS and next(child.iter("tr"), None) is None
            pieces += [_text(child) if is_stray else "", child.tail or ""]
    return " ".join(" ".join(pieces).split())


def _names_columns(table: Any) -> bool:
    """Return whether the first row names two or more columns: such a table doesn't arrange a page."""
    rows = [row for row in _rows(table) if next(row.iterancestors("table")) is table]
    names = list(rows[0].iterchildren("th", "td")) if rows else []
    return len(names) > 1 and all(name.tag == "th" or rows[0].getparent().tag == "thead" for name in names)


def _has(table: Any, tags: Sequence[str]) -> bool:
    return any(True for _ in table.iterdescendants(*tags))


def _has_small_tables(cells: list[GridCell]) -> bool:
    """Return whether the tables in cells are a part of their table, and not of a page that a table arranges."""
    filled = [cell for cell in cells if cell.text]
    with_table = sum(1 for cell in filled if PLACE.search(cell.text))
    if not with_table:
        return True
    has_rows = any(cell.row for cell in filled)
    return has_rows and 2 * with_table <= len(filled) and all(len(cell.text) < _MAX_CELL for cell in filled)


def _with_inner(cell: GridCell, tables: list[HtmlTable]) -> GridCell:
    """Return a cell with the tables that its marks stand for."""
    inner = [tables[int(place[1])] for place in PLACE.finditer(cell.text)]
    if not inner:
        return cell
    captions = iter(table.caption for table in inner)
    text = PLACE.sub(lambda _: f"{next(captions)} {INNER}", cell.text)
    return replace(cell, text=text, inner=tuple(table.cells for table in inner))


def _cells(table: Any) -> Iterator[GridCell]:
    below: dict[int, int] = {}  # the rows that cells above still span, by column
    rows = _rows(table)
    last = {row.getparent(): number for number, row in enumerate(rows)}  # of each head, body and foot
    for number, row in enumerate(rows):
        column = 0
        started: dict[int, int] = {}
        for cell in row.iterchildren("td", "th"):
            while below.get(column):
                column += 1
            left = last[row.getparent()] - number + 1
            height, columns = min(_span(cell, "rowspan") or left, left), _span(cell, "colspan") or 1
            is_header = cell.tag == "th" or row.getparent().tag == "thead"
            yield GridCell(number, column, _text(cell), height, columns, is_header)
            started |= dict.fromkeys(range(column, column + columns), height)
            column += columns
            if column > MAX_COLUMNS:
                return  # the table is refused
        below = {place: rest - 1 for place, rest in (below | started).items() if rest > 1}


def _rows(table: Any) -> list[Any]:
    """Return the rows as they are displayed: the head first, the foot last."""
    order = {"thead": 0, "tfoot": 2}
    return sorted(table.iter("tr"), key=lambda row: order.get(row.getparent().tag, 1))


def _span(cell: Any, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(int(value), _MAX_SPAN) if value.isdecimal() and len(value) < 10 else 1


def _text(element: Any) -> str:
    from lxml import etree

    parts: list[str] = []
    for event, part in etree.iterwalk(element, events=("start", "end")):
        if part is not element and part.tag in _BREAKS:
            parts.append(" ")
        parts.append((part.text if event == "start" else part.tail if part is not element else "") or "")
    return " ".join("".join(parts).split())
