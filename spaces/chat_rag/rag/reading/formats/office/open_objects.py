"""Objects inside of OpenDocument files: formulas become text, charts and sheets tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.reading.formats.office.archive import parse_xml
from rag.reading.formats.office.open_hidden import (
    CELLS,
    TABLE,
    TEXT,
    has_text,
    hidden_styles,
    remove_hidden,
    remove_hidden_cells,
)
from rag.reading.formats.office.relations import part_name

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
_DRAW, _LINK = f"{_OASIS}drawing:1.0}}", "{http://www.w3.org/1999/xlink}href"
DESCRIPTIONS = tuple(f"{_OASIS}svg-compatible:1.0}}{name}" for name in ("title", "desc"))  # of a picture or shape
_TOKENS = tuple(f"{{*}}{name}" for name in ("mi", "mo", "mn", "mtext", "ms"))
_OWN_CONTENT = "content.xml"  # the document's, and no object


def embedded_objects(root: Any, parts: dict[str, bytes]) -> Iterator[tuple[Any, Any]]:
    """Yield each object of a text or sheet, with its content; a part has one place.

    A damaged one is left out: its picture stays.
    """
    seen = {_OWN_CONTENT}
    for element in list(root.iter(f"{_DRAW}object")):
        link = element.get(_LINK, "")
        part = part_name("", f"{link}/content.xml")
        content = None if part in seen else _parsed(parts.get(part))
        seen.add(part)
        if not link:  # its content is written inside of it
            content = next(element.iterchildren("{*}math", "{*}document"), None)
        if content is not None:
            yield element, content


def write_objects(root: Any, parts: dict[str, bytes]) -> int:
    """Put the formulas of a text, and the title and figures of its charts and sheets, into their places.

    Returns how many pieces of hidden text were left out.
    """
    left_out = 0
    for element, content in embedded_objects(root, parts):
        frame = element.getparent()
        if frame is None:  # of two objects in one frame, the second is another form of the first
            continue
        hidden = hidden_styles(content)
        left_out += remove_hidden(content, hidden) + remove_hidden_cells(content, hidden)
        formula = formula_text(content)
        blocks = [_paragraph(formula)] if formula else _chart_or_sheets(content)
        if not blocks:
            continue
        for child in list(frame):  # the object's picture too
            if formula or child.tag not in DESCRIPTIONS:
                frame.remove(child)
        if formula and next(frame.iterancestors(f"{TEXT}p", f"{TEXT}h"), None) is not None:
            frame.text = formula
        else:
            box = frame.makeelement(f"{_DRAW}text-box")
            box.extend(blocks)
            frame.append(box)
    return left_out


def _parsed(content: bytes | None) -> Any:
    """Return the root of a part, or None for one that is missing or damaged."""
    from lxml import etree

    try:
        return parse_xml(content) if content else None
    except etree.XMLSyntaxError:
        return None


def _chart_or_sheets(content: Any) -> list[Any]:
    """Return the title of a chart, if it has one, and the tables with text."""
    title, tables = chart_title(content), list(filter(has_text, content.iter(f"{TABLE}table")))
    for table in tables:
        _trim(table)
    return [*([_paragraph(title)] if title else []), *tables]


def _trim(table: Any) -> None:
    """Remove the empty cells at the ends of a table's rows, and its empty rows: a sheet has a million of them."""
    for row in list(table.iter(f"{TABLE}table-row")):
        has_covered = row.find(CELLS[1]) is not None  # a cell above reaches into the row
        for cell in reversed(list(row.iterchildren(*CELLS))):
            if has_text(cell):
                break
            row.remove(cell)
        if not len(row) and not has_covered:
            row.getparent().remove(row)


def formula_text(content: Any) -> str:
    """Return the formula of an object as its author typed it, or its letters; "" for another object."""
    if not content.tag.endswith("}math"):
        return ""
    annotation = content.findtext(".//{*}annotation") or " ".join(content.itertext(*_TOKENS))
    return " ".join(annotation.split())


def chart_title(content: Any) -> str:
    """Return the title and the subtitle of a chart."""
    titles = content.iter("{*}title", "{*}subtitle")
    words = (" ".join("".join(title.itertext()).split()) for title in titles if "chart" in title.tag)
    return ": ".join(filter(None, words))


def _paragraph(text: str) -> Any:
    from lxml import etree

    paragraph = etree.Element(f"{TEXT}p")
    paragraph.text = text
    return paragraph
