"""Reads ODT documents, and the XML that all OpenDocument files share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rag.documents import Content, Limits
from rag.reading.formats.office.archive import OPEN_DOCUMENT, OtherParts, checked_parts, parse_xml
from rag.reading.formats.office.open_hidden import hidden_styles, remove_hidden
from rag.reading.formats.office.open_numbers import BULLET, HEADER, ITEM, LIST, ListNumbers
from rag.reading.formats.office.open_objects import DESCRIPTIONS, write_objects
from rag.reading.markdown.cells import INNER, GridCell
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.markdown.superscripts import mark_superscript
from rag.reading.ocr.inner_pictures import InnerPictures

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
TABLE, TEXT, STYLE = f"{_OASIS}table:1.0}}", f"{_OASIS}text:1.0}}", f"{_OASIS}style:1.0}}"
OFFICE, DRAW = f"{_OASIS}office:1.0}}", f"{_OASIS}drawing:1.0}}"
LINK = "{http://www.w3.org/1999/xlink}href"
PARAGRAPHS = (f"{TEXT}p", f"{TEXT}h")
# What isn't part of the text where it stands: comments, deleted text, and the index's template.
_LEFT_OUT = (f"{OFFICE}annotation", f"{TEXT}tracked-changes", f"{TEXT}note-citation", f"{OFFICE}forms")


def read_open_document(data: bytes, name: str, limits: Limits) -> Content:
    """Return headings, paragraphs, lists and tables; page headers come first, footers and notes last."""
    parts = checked_parts(data, name, limits, OPEN_DOCUMENT)
    root = parse_xml(parts["content.xml"])
    writer = ContentWriter(name, limits)
    styles = parse_xml(parts["styles.xml"]) if parts.get("styles.xml") else None
    for text in _page_parts(styles, "header"):
        writer.add_block(text)
    hidden = hidden_styles(root) | (hidden_styles(styles) if styles is not None else set())
    left_out = remove_hidden(root, hidden)
    _mark_superscripts(root)
    left_out += write_objects(root, parts)
    body = root.find(f"{OFFICE}body/{OFFICE}text")
    notes, other_parts = list[str](), OtherParts(data)
    with InnerPictures(writer, name, limits) as pictures:
        numbers = ListNumbers(*([styles] if styles is not None else []), root)
        blocks = _Blocks(writer, notes, numbers, lambda part: pictures.add(other_parts.unpack(part)))
        blocks.add(body if body is not None else root)
    for text in [*notes, *_page_parts(styles, "footer")]:
        writer.add_block(text)
    writer.note_hidden(left_out)
    return writer.content()


def plain_text(element: Any) -> str:
    """Return the text of an element's paragraphs, one line each."""
    return "\n".join(_inline(paragraph) for paragraph in element.iter(*PARAGRAPHS) if not _is_left_out(paragraph))


def _is_left_out(paragraph: Any) -> bool:
    return any(ancestor.tag in _LEFT_OUT for ancestor in paragraph.iterancestors())


def _inline(paragraph: Any) -> str:
    """Return the text of a paragraph with its spaces, tabs and line breaks, without its notes and inner paragraphs."""
    parts = [paragraph.text or ""]
    for child in paragraph:
        if child.tag == f"{TEXT}s":
            parts.append(" " * min(int(child.get(f"{TEXT}c", "1")), 100))
        elif child.tag == f"{TEXT}tab":
            parts.append("\t")
        elif child.tag == f"{TEXT}line-break":
            parts.append("\n")
        elif child.tag == f"{TEXT}note":
            parts.append(f"[{child.findtext(f'{TEXT}note-citation', '')}]")
        elif child.tag in DESCRIPTIONS:
            parts.append(f"{child.text or ''} ")
        elif isinstance(child.tag, str) and child.tag not in (*_LEFT_OUT, *PARAGRAPHS):
            parts.append(_inline(child))
        parts.append(child.tail or "")
    return "".join(parts)


class _Blocks:
    """Writes the blocks of a text; its notes and comments are collected."""

    def __init__(
        self, writer: ContentWriter, notes: list[str], numbers: ListNumbers, add_picture: Callable[[str], None]
    ) -> None:
        self._writer, self._notes, self._numbers, self._add_picture = writer, notes, numbers, add_picture

    def add(self, parent: Any, bullet: str = "") -> None:
        for element in parent:
            if element.tag in _LEFT_OUT or not isinstance(element.tag, str):
                continue
            if element.tag == f"{TABLE}table":
                self._writer.add_table(list(_table_cells(element)))
                self._add_pictures(element)
            elif element.tag in PARAGRAPHS:
                self._add_paragraph(element, bullet)
                bullet = bullet if bullet == BULLET else ""  # a number is only before the first one
            elif element.tag == LIST:
                self._add_list(element)
            elif element.tag == f"{DRAW}image":
                self._add_picture(element.get(LINK, ""))
            else:
                self.add(element, bullet)

    def _add_list(self, element: Any) -> None:
        self._numbers.begin(element)
        for item in element.iterchildren(ITEM, HEADER):
            self.add(item, self._numbers.label(item))
        self._numbers.end()

    def _add_paragraph(self, paragraph: Any, bullet: str) -> None:
        is_heading = paragraph.tag == PARAGRAPHS[1]
        level = min(int(paragraph.get(f"{TEXT}outline-level", "1")), 6) if is_heading else 0
        text = _inline(paragraph)
        if level:
            number = bullet if bullet not in ("", BULLET) else self._numbers.heading(paragraph, level)
            text, bullet = f"{'#' * level} {number}{' '.join(text.split())}", ""
        self._writer.add_block(f"{bullet}{text}")
        for note in paragraph.iter(f"{TEXT}note"):
            self._notes.append(f"[{note.findtext(f'{TEXT}note-citation', '')}] {plain_text(note)}")
        for comment in paragraph.iter(f"{OFFICE}annotation"):
            text = " ".join("".join(part.itertext()) for part in comment.iter(*PARAGRAPHS))
            self._notes.append(f"Comment: {text}" if text.strip() else "")
        # Text boxes and shapes with text stand in the paragraph that they are anchored to.
        added: list[Any] = []
        for box in paragraph.iter(f"{DRAW}*"):
            has_text = next(box.iterchildren(*PARAGRAPHS, LIST, f"{TABLE}table"), None) is not None
            is_inside = added and any(parent is added[-1] for parent in box.iterancestors())
            if has_text and not is_inside and next(box.iterancestors(*PARAGRAPHS)) is paragraph:
                added.append(box)
                self.add(box)
        self._add_pictures(paragraph)

    def _add_pictures(self, element: Any) -> None:
        for image in element.iter(f"{DRAW}image"):
            self._add_picture(image.get(LINK, ""))


def _table_cells(table: Any) -> Iterator[GridCell]:
    rows = (row for row in table.iter(f"{TABLE}table-row") if next(row.iterancestors(f"{TABLE}table")) is table)
    for number, row in enumerate(rows):
        is_header, column = row.getparent().tag == f"{TABLE}table-header-rows", 0
        for cell in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            repeats = min(int(cell.get(f"{TABLE}number-columns-repeated", "1")), 100)
            if cell.tag == f"{TABLE}table-cell":
                height, width = (int(cell.get(f"{TABLE}number-{kind}-spanned", "1")) for kind in ("rows", "columns"))
                text, inner = _cell_content(cell)
                for repeat in range(repeats):
                    yield GridCell(number, column + repeat, text, min(height, 1000), min(width, 100), is_header, inner)
            column += repeats


def _cell_content(cell: Any) -> tuple[str, tuple[list[GridCell], ...]]:
    """Return the text of a cell, with a mark for each table inside of it, and those tables."""
    texts: list[str] = []
    inner: list[list[GridCell]] = []
    for element in cell.iter(*PARAGRAPHS, f"{TABLE}table"):
        if next(element.iterancestors(f"{TABLE}table-cell")) is not cell or _is_left_out(element):
            continue
        if element.tag == f"{TABLE}table":
            inner.append(list(_table_cells(element)))
        texts.append(INNER if element.tag == f"{TABLE}table" else _inline(element).replace(INNER, ""))
    return "\n".join(texts), tuple(inner)


def _mark_superscripts(root: Any) -> None:
    raised = {
        style.get(f"{STYLE}name")
        for style in root.iter(f"{STYLE}style")
        if any(properties.get(f"{STYLE}text-position", "").startswith("super") for properties in style)
    }
    for span in root.iter(f"{TEXT}span"):
        if span.get(f"{TEXT}style-name") in raised:
            span.text = mark_superscript(span.text or "")


def _page_parts(styles: Any, kind: str) -> list[str]:
    """Return the different texts of page headers or footers."""
    if styles is None:
        return []
    texts = (plain_text(part) for part in styles.iter(f"{STYLE}{kind}", f"{STYLE}{kind}-first", f"{STYLE}{kind}-left"))
    return list(dict.fromkeys(filter(str.strip, texts)))
