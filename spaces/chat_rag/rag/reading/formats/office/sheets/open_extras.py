"""What belongs to the sheets of an ODS file beside their cells: comments, text boxes, titles of charts, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.reading.formats.office.archive import OtherParts
from rag.reading.formats.office.open_document import DRAW, LINK, OFFICE, PARAGRAPHS, STYLE, TABLE, TEXT, plain_text
from rag.reading.formats.office.open_objects import chart_title, embedded_objects, formula_text
from rag.reading.formats.office.sheets.extras import NUMBER, without_page_numbers
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.ocr.inner_pictures import InnerPictures

_PAGE = tuple(f"{TEXT}{name}" for name in ("page-number", "page-count"))
_FIELDS = tuple(f"{TEXT}{name}" for name in ("date", "time", "sheet-name", "title", "file-name"))
_PRINTED = tuple(f"{STYLE}{edge}{pages}" for edge in ("header", "footer") for pages in ("", "-first", "-left"))


def add_extras(
    writer: ContentWriter, sheet: Any, parts: dict[str, bytes], other_parts: OtherParts, pictures: InnerPictures
) -> None:
    """Add a sheet's comments, text boxes, titles of charts, formulas and pictures; a chart's figures are cells."""
    for comment in sheet.iter(f"{OFFICE}annotation"):
        text = " ".join(" ".join("".join(part.itertext()) for part in comment.iter(*PARAGRAPHS)).split())
        writer.add_block(f"Comment: {text}" if text else "")
    for shapes in sheet.iterchildren(f"{TABLE}shapes"):
        writer.add_block(plain_text(shapes))
    drawn = set()
    for element, content in embedded_objects(sheet, parts):
        drawn.add(element.getparent())
        title = chart_title(content)
        writer.add_block(formula_text(content) or (f"Chart: {title}" if title else ""))
    for image in sheet.iter(f"{DRAW}image"):
        if image.getparent() not in drawn:
            pictures.add(other_parts.unpack(image.get(LINK, "")))


def printed_lines(styles: Any) -> list[str]:
    """Return the different texts that are printed above and below sheets, but not the page's number or the date."""
    return list(dict.fromkeys(filter(_has_letter, _lines(styles)))) if styles is not None else []


def _lines(styles: Any) -> Iterator[str]:
    for edge in styles.iter(*_PRINTED):
        for paragraph in edge.iter(*PARAGRAPHS) if edge.get(f"{STYLE}display") != "false" else ():
            for field in paragraph.iter(*_FIELDS, *_PAGE):
                field.text = NUMBER if field.tag in _PAGE else ""
            yield without_page_numbers("".join(paragraph.itertext()))


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))
