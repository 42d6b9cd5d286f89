"""What an OpenDocument file hides: words, sections, sheets, rows and columns."""

from __future__ import annotations

from typing import Any

from rag.reading.markdown.content_writer import MAX_COLUMNS

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
TABLE, TEXT, STYLE = f"{_OASIS}table:1.0}}", f"{_OASIS}text:1.0}}", f"{_OASIS}style:1.0}}"
_FORMAT = f"{_OASIS}xsl-fo-compatible:1.0}}"
CELLS = f"{TABLE}table-cell", f"{TABLE}covered-table-cell"
_GROUPS = f"{TABLE}table-row-group", f"{TABLE}table-column-group"


def hidden_styles(root: Any) -> set[str | None]:
    """Return the names of styles that hide their text or their sheet."""
    return {
        style.get(f"{STYLE}name")
        for style in root.iter(f"{STYLE}style")
        if any(
            properties.get(f"{TEXT}display") == "none"
            or properties.get(f"{TABLE}display") == "false"
            or _is_white(style, properties)
            for properties in style
        )
    }


def _is_white(style: Any, properties: Any) -> bool:
    """Return whether a style of words, not of a paragraph or a cell, is white without a background of its own."""
    is_white = properties.get(f"{_FORMAT}color", "").lower() in ("#ffffff", "#fff")
    background = properties.get(f"{_FORMAT}background-color", "transparent")
    return style.get(f"{STYLE}family") == "text" and is_white and background == "transparent"


def remove_hidden(root: Any, hidden: set[str | None]) -> int:
    """Empty what a hidden style or a hidden section displays; return how many pieces of text that were."""
    count = 0
    for element in list(root.iter(f"{TEXT}span", f"{TEXT}section", f"{TEXT}p", f"{TEXT}h")):
        if element.get(f"{TEXT}style-name") in hidden or element.get(f"{TEXT}display") == "none":
            count += bool("".join(element.itertext()).strip())
            _empty(element)
    return count


def remove_hidden_cells(content: Any, hidden: set[str | None]) -> int:
    """Empty the sheets, rows and columns that an embedded object hides; return how many of them had text."""
    count = 0
    for table in list(content.iter(f"{TABLE}table")):
        if table.get(f"{TABLE}style-name") in hidden:
            count += has_text(table)
            _empty(table)
            continue
        columns, left_out = hidden_columns(table), set[str]()
        for number, row in enumerate(table.iter(f"{TABLE}table-row")):
            is_hidden_row, column = is_hidden(row), 0
            for cell in row.iterchildren(*CELLS):
                if is_hidden_row or column in columns:
                    if has_text(cell):
                        left_out.add(f"row {number}" if is_hidden_row else f"column {column}")
                    _empty(cell)
                column += int(cell.get(f"{TABLE}number-columns-repeated", "1"))
        count += len(left_out)
    return count


def hidden_columns(sheet: Any) -> set[int]:
    """Return the numbers of a sheet's hidden columns, from 0."""
    hidden: set[int] = set()
    column = 0
    for element in sheet.iter(f"{TABLE}table-column"):
        repeats = int(element.get(f"{TABLE}number-columns-repeated", "1"))
        if is_hidden(element):
            hidden.update(range(column, min(column + repeats, MAX_COLUMNS)))
        column += repeats
    return hidden


def is_hidden(line: Any) -> bool:
    """Return whether a row or column is hidden; one of a folded group isn't, which a button unfolds."""
    if line.get(f"{TABLE}visibility", "visible") == "visible":
        return False
    return not any(parent.get(f"{TABLE}display") == "false" for parent in line.iterancestors(*_GROUPS))


def has_text(element: Any) -> bool:
    """Return whether an element has a letter or a sign inside."""
    return any(not text.isspace() for text in element.itertext())


def _empty(element: Any) -> None:
    element.text = None
    for child in list(element):
        element.remove(child)
