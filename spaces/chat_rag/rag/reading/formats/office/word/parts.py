"""The parts of a Word file, whose names a program may choose, and a stand-in for pictures that aren't in it."""

from __future__ import annotations

from typing import Any

from rag.reading.formats.office.archive import parse_xml
from rag.reading.formats.office.relations import RELATIONSHIPS, relations, relations_part

_DOCUMENT = "word/document.xml"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_IMAGE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
_STAND_IN, _STAND_IN_PART = "missing-picture", "word/missing-picture.png"
_LINKS = tuple(f"{RELATIONSHIPS}{name}" for name in ("embed", "link", "id"))


def main_part(parts: dict[str, bytes]) -> str:
    """Return the name of the part with the main text; Word on the web writes "word/document2.xml"."""
    return _first(relations(parts, ""), "officeDocument", parts) or _DOCUMENT


def related_part(parts: dict[str, bytes], document: str, kind: str) -> str:
    """Return the name of the main text's styles, numbering, footnotes or endnotes."""
    return _first(relations(parts, document), kind, parts) or f"word/{kind}.xml"


def _first(related: dict[str, Any], kind: str, parts: dict[str, bytes]) -> str:
    found = (relation.part for relation in related.values() if relation.kind == kind and relation.part in parts)
    return next(found, "")


def replace_missing_pictures(root: Any, part: str, parts: dict[str, bytes]) -> None:
    """Point pictures of a part that aren't in the file to an empty one; the converter fails without them."""
    related = relations(parts, part)
    is_replaced = False
    for picture in root.iter("{*}blip", "{*}imagedata"):
        links = [name for name in _LINKS if name in picture.attrib]
        relation = related.get(picture.get(links[0])) if links else None
        if links and (links[0].endswith("}link") or relation is None or relation.part not in parts):
            for link in links:
                del picture.attrib[link]
            is_id = picture.tag.endswith("}imagedata")
            picture.set(f"{RELATIONSHIPS}{'id' if is_id else 'embed'}", _STAND_IN)
            is_replaced = True
    if is_replaced:
        _add_stand_in(part, parts)


def _add_stand_in(part: str, parts: dict[str, bytes]) -> None:
    from lxml import etree

    content = parts.get(relations_part(part))
    root = parse_xml(content) if content else etree.Element(f"{{{_PACKAGE}}}Relationships")
    relation = etree.SubElement(root, f"{{{_PACKAGE}}}Relationship")
    for name, value in (("Id", _STAND_IN), ("Type", _IMAGE), ("Target", f"/{_STAND_IN_PART}")):
        relation.set(name, value)
    parts[relations_part(part)] = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    parts[_STAND_IN_PART] = b""
