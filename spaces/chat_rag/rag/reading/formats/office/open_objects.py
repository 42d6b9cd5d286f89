"""Objects inside of OpenDocument files: formulas become text, charts and sheets tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.reading.formats.office.archive import parse_xml
from rag.reading.formats.office.relations import part_name

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
_DRAW, _TABLE, _TEXT = f"{_OASIS}drawing:1.0}}", f"{_OASIS}table:1.0}}", f"{_OASIS}text:1.0}}"
_LINK = "{http://www.w3.org/1999/xlink}href"


def embedded_objects(root: Any, parts: dict[str, bytes]) -> Iterator[tuple[Any, Any]]:
    """Yield each object of a text or sheet, with the content of its part; a part has one place.

    A damaged one is left out: its picture stays.
    """
    from lxml import etree

    seen: set[str] = set()
    for element in list(root.iter(f"{_DRAW}object")):
        part = part_name("", f"{element.get(_LINK, '')}/content.xml")
        if not parts.get(part) or part in seen:
            continue
        seen.add(part)
        try:
            content = parse_xml(parts[part])
        except etree.XMLSyntaxError:
            continue
        yield element, content


def write_objects(root: Any, parts: dict[str, bytes]) -> None:
    """Put the formulas of a text, and the title and figures of its charts and sheets, into their places."""
    for element, content in embedded_objects(root, parts):
        if formula := formula_text(content):
            blocks = [_paragraph(formula)]
        else:
            title = chart_title(content)
            blocks = [*([_paragraph(title)] if title else []), *content.iter(f"{_TABLE}table")]
        if not blocks:
            continue
        frame = element.getparent()
        for child in list(frame):  # the object's picture too
            frame.remove(child)
        if formula and next(frame.iterancestors(f"{_TEXT}p", f"{_TEXT}h"), None) is not None:
            frame.text = formula
        else:
            box = frame.makeelement(f"{_DRAW}text-box")
            box.extend(blocks)
            frame.append(box)


def formula_text(content: Any) -> str:
    """Return the formula of an object as its author typed it, or its letters; "" for another object."""
    if not content.tag.endswith("}math"):
        return ""
    annotation = content.findtext(".//{*}annotation") or " ".join(content.itertext("{*}mi", "{*}mo", "{*}mn"))
    return " ".join(annotation.split())


def chart_title(content: Any) -> str:
    """Return the title and the subtitle of a chart."""
    titles = content.iter("{*}title", "{*}subtitle")
    words = (" ".join("".join(title.itertext()).split()) for title in titles if "chart" in title.tag)
    return ": ".join(filter(None, words))


def _paragraph(text: str) -> Any:
    from lxml import etree

    paragraph = etree.Element(f"{_TEXT}p")
    paragraph.text = text
    return paragraph
