"""Reads Word files as their readers see them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from rag.documents import Content, Limits, Note, NoteKind
from rag.reading.formats.html.markdown import OPTIONS, add_markdown, html_converter
from rag.reading.formats.html.page import read_html
from rag.reading.formats.html.tree import NormalizedPage
from rag.reading.formats.names_note import names_note
from rag.reading.formats.office.archive import WORD, OtherParts, checked_parts, packed, parse_xml
from rag.reading.formats.office.charts import add_chart
from rag.reading.formats.office.diagrams import diagram_text
from rag.reading.formats.office.relations import RELATIONSHIPS, Relation, embedded_names, relations
from rag.reading.formats.office.word.document_xml import (
    W,
    accept_changes,
    add_other_parts,
    insert_text,
    mark_headings,
    remove_hidden,
    unfold_boxes,
)
from rag.reading.formats.office.word.formulas import write_formulas
from rag.reading.formats.office.word.mammoth_gaps import repair_styles, rewrite_dropped
from rag.reading.formats.office.word.numbers import number_paragraphs
from rag.reading.formats.office.word.parts import main_part, related_part, replace_missing_pictures
from rag.reading.formats.office.word.placeholders import remove_placeholders
from rag.reading.formats.rich_text.reader import read_rich_text
from rag.reading.formats.text.plain import read_text
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.ocr.inner_pictures import InnerPictures

# Characters for private use mark the place of a file inside this one.
_PLACE = re.compile("\ue002(\\d{1,4})\ue003")
_STYLE_MAP = "u => u"  # underlined text
_MAX_DEPTH = 1
_MOST_PARTS = 9_000  # a place has four digits


def read_word(data: bytes, name: str, limits: Limits, depth: int = 0) -> Content:
    """Return the document as Markdown, with the alternative text of each image.

    Insertions and moved text stand at their new place, deletions are gone, numbers of clauses are text, headers come
    first, footers and comments last, and the text of boxes follows its paragraph.
    """
    import mammoth  # type: ignore[import-untyped]

    parts = checked_parts(data, name, limits, WORD)
    embedded = embedded_names(parts, main_part(parts))
    hidden, empty, inside = _prepare(parts)
    # markitdown's converter parses all of the text again for its formulas, which are LaTeX by now: a third of the time.
    html = mammoth.convert_to_html(packed(parts), style_map=_STYLE_MAP).value
    pages: list[NormalizedPage] = []
    markdown = html_converter(pages).convert_string(html, **OPTIONS).markdown
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
    if embedded:
        writer.notes.append(names_note(NoteKind.UNREAD_ATTACHMENTS, embedded))
    if empty:
        writer.notes.append(Note(NoteKind.EMPTY_FIELDS, empty))
    writer.note_hidden(hidden + sum(page.hidden for page in pages))
    return writer.content()


def _prepare(parts: dict[str, bytes]) -> tuple[int, int, list[Relation]]:
    """Change the main text to what its reader sees; return how much was hidden or not filled in, and the parts."""
    from lxml import etree

    document = main_part(parts)
    root = parse_xml(parts[document]) if parts.get(document) else None
    body = root.find(f"{W}body") if root is not None else None
    if body is None:
        return 0, 0, []
    styles_part = related_part(parts, document, "styles")
    styles = parse_xml(parts[styles_part]) if parts.get(styles_part) else None
    if styles is not None:
        repair_styles(styles)
        parts[styles_part] = etree.tostring(styles, xml_declaration=True, encoding="UTF-8")
    add_other_parts(body, parts)
    left_out = [_prepare_text(root, document, styles, parts)]
    number_paragraphs(root, parts, related_part(parts, document, "numbering"), styles)
    mark_headings(root, styles)
    inside = _mark_parts(root, body, document, parts)
    parts[document] = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    for notes_part in {related_part(parts, document, kind) for kind in ("footnotes", "endnotes")}:
        if parts.get(notes_part):
            notes = parse_xml(parts[notes_part])
            left_out.append(_prepare_text(notes, notes_part, styles, parts))
            parts[notes_part] = etree.tostring(notes, xml_declaration=True, encoding="UTF-8")
    return sum(hidden for hidden, _ in left_out), sum(empty for _, empty in left_out), inside


def _prepare_text(root: Any, part: str, styles: Any, parts: dict[str, bytes]) -> tuple[int, int]:
    """Change the main text, or notes, to what their reader sees; return how much was hidden or not filled in."""
    accept_changes(root)
    hidden = remove_hidden(root, styles)
    empty = remove_placeholders(root, styles, parts)
    unfold_boxes(root)
    rewrite_dropped(root)
    write_formulas(root)
    replace_missing_pictures(root, part, parts)
    return hidden, empty


def _mark_parts(root: Any, body: Any, document: str, parts: dict[str, bytes]) -> list[Relation]:
    """Mark the place of each inner file (`altChunk`), picture, chart and diagram with its number; return them."""
    related = relations(parts, document)
    inside: dict[Relation, None] = {}  # in order, each once
    last: dict[Any, Any] = {}  # by block: the place that was added after it
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
