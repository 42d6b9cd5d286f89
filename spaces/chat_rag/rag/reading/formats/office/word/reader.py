"""Reads Word files as their readers see them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from rag.documents import Content, Limits, Note, NoteKind
from rag.reading.html.markdown import OPTIONS, add_markdown, html_converter
from rag.reading.html.page import read_html
from rag.reading.html.tree import NormalizedPage
from rag.reading.ocr.inner_pictures import InnerPictures
from rag.reading.office.archive import WORD, OtherParts, checked_parts, packed, parse_xml
from rag.reading.office.charts import add_chart
from rag.reading.office.diagrams import diagram_text
from rag.reading.office.relations import RELATIONSHIPS, Relation, relations
from rag.reading.office.word.document_xml import (
    STYLES,
    W,
    accept_changes,
    add_other_parts,
    insert_text,
    mark_headings,
    remove_hidden,
    unfold_boxes,
)
from rag.reading.office.word.dropped import rewrite_dropped
from rag.reading.office.word.formulas import MATH, write_formulas
from rag.reading.office.word.numbers import number_paragraphs
from rag.reading.office.word.placeholders import remove_placeholders
from rag.reading.rich_text.reader import read_rich_text
from rag.reading.tables import ContentWriter
from rag.reading.text.plain import read_text

_DOCUMENT = "word/document.xml"
_STRICT = b"http://purl.oclc.org/ooxml/"
_TRANSITIONAL = {
    b"wordprocessingml/main": b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    b"officeDocument/math": MATH.encode(),
    b"officeDocument/relationships": b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}
# Characters for private use mark the place of a file inside this one.
_PLACE = re.compile("\ue002(\\d{1,4})\ue003")
_MAX_DEPTH = 1
_MOST_PARTS = 9_000  # a place has four digits


def read_word(data: bytes, name: str, limits: Limits, depth: int = 0) -> Content:
    """Return the document as Markdown, with the alternative text of each image.

    Insertions and moved text stand at their new place, deletions are gone, numbers of clauses are text, headers come
    first, footers and comments last, and the text of boxes follows its paragraph.
    """
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter

    parts = checked_parts(data, name, limits, WORD)
    hidden, empty, inside = _prepare(parts)
    converter = DocxConverter()  # type: ignore[no-untyped-call]  # its constructor has no annotations
    pages: list[NormalizedPage] = []
    converter._html_converter = html_converter(pages)
    markdown = converter.convert(packed(parts), StreamInfo(extension=".docx"), **OPTIONS).markdown
    writer, other_parts = ContentWriter(name, limits), OtherParts(data)
    with InnerPictures(writer, name, limits) as pictures:
        for index, piece in enumerate(_PLACE.split(markdown)):
            if index % 2 == 0:
                add_markdown(writer, piece, pages[0])
                continue
            kind, part = inside[int(piece)] if int(piece) < len(inside) else ("", "")
            if kind == "image":
                pictures.add(other_parts.unpack(part))
            elif kind == "chart" and parts.get(part):
                add_chart(writer, parse_xml(parts[part]))
            elif kind == "diagramData" and parts.get(part):
                writer.add_block(diagram_text(parse_xml(parts[part])))
            elif kind and depth < _MAX_DEPTH:
                writer.add_content(_read_inner(part, parts, name, limits, depth + 1))
    if empty:
        writer.notes.append(Note(NoteKind.EMPTY_FIELDS, empty))
    writer.note_hidden(hidden + sum(page.hidden for page in pages))
    return writer.content()


def _prepare(parts: dict[str, bytes]) -> tuple[int, int, list[Relation]]:
    """Change the main text to what its reader sees; return how much was hidden or not filled in, and the parts."""
    from lxml import etree

    for part, content in parts.items():
        for strict, transitional in _TRANSITIONAL.items() if _STRICT in content else ():
            parts[part] = parts[part].replace(_STRICT + strict, transitional)
    root = parse_xml(parts[_DOCUMENT]) if _DOCUMENT in parts else None
    body = root.find(f"{W}body") if root is not None else None
    if body is None:
        return 0, 0, []
    styles = parse_xml(parts[STYLES]) if parts.get(STYLES) else None
    add_other_parts(body, parts)
    accept_changes(root)
    hidden = remove_hidden(root, styles)
    empty = remove_placeholders(root, styles, parts)
    number_paragraphs(root, parts, styles)
    mark_headings(root, styles)
    unfold_boxes(root)
    rewrite_dropped(root)
    write_formulas(root)
    inside = _mark_parts(root, body, parts)
    parts[_DOCUMENT] = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return hidden, empty, inside


def _mark_parts(root: Any, body: Any, parts: dict[str, bytes]) -> list[Relation]:
    """Mark the place of each inner file (`altChunk`), picture, chart and diagram with its number; return them."""
    related = relations(parts, _DOCUMENT)
    inside: dict[Relation, None] = {}  # in order, each once
    last: dict[Any, Any] = {}  # by block: the place that was added behind it
    for element in list(root.iter(f"{W}altChunk", "{*}blip", "{*}imagedata", "{*}chart", "{*}relIds")):
        names = (element.get(f"{RELATIONSHIPS}{name}") for name in ("id", "embed", "dm"))
        relation = next((related[name] for name in names if name in related), None)
        if relation is None or relation in inside or len(inside) > _MOST_PARTS:
            continue
        place = element
        if element.tag == f"{W}altChunk":
            element.tag = f"{W}p"
            for child in list(element):
                element.remove(child)
        else:
            block = next((block for block in element.iterancestors() if block.getparent() is body), None)
            if block is None:
                continue
            place = block.makeelement(f"{W}p")
            last.get(block, block).addnext(place)
            last[block] = place
        insert_text(place, f"\ue002{len(inside)}\ue003")
        inside[relation] = None
    return list(inside)


def _read_inner(file: str, parts: dict[str, bytes], name: str, limits: Limits, depth: int) -> Content:
    """Read a file inside the document; one of another kind has no content."""
    data, suffix = parts.get(file, b""), PurePosixPath(file).suffix.lower()
    if not data:
        return Content("")
    if suffix in (".docx", ".docm", ".dotx"):
        return read_word(data, name, limits, depth)
    if suffix == ".rtf":
        return read_rich_text(data, name, limits)
    return read_text(data, name, limits) if suffix == ".txt" else read_html(data, name, limits)
