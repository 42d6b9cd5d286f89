"""What belongs to a sheet of an XLSX workbook beside its cells: comments, text boxes, titles of charts, pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from rag.reading.formats.office.archive import parse_xml
from rag.reading.formats.office.diagrams import diagram_text, drawn_text
from rag.reading.formats.office.relations import relations
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.markdown.superscripts import mark_superscript

# Excel writes this before a comment that belongs to a thread, for older programs.
_THREAD, _COMMENT = "[Threaded comment]", "Comment:"
_PRINTED = re.compile(rb"<(?:odd|even|first)(?:Header|Footer)>([^<]*+)<")
# Fonts, sizes, colors, sides, and what is filled in, such as the page's number.
_CODES = re.compile(r'&(?:"[^"]*"|\d+|K[0-9A-F]{6}|K\d\d[+-]\d{3}|[A-Z])')
_SIDES, _NUMBERS = re.compile("&[LCR]"), re.compile(r"&[PN](?:[+-]\d+)?")
NUMBER, _AMPERSAND = "\ue005", "\ue006"  # in the place of a page's number, and of a sign that begins no code
_PAGE_NUMBER = re.compile(
    r"(?:(?<![\w.])(?:page|pages|pg|p\.|seite|s\.|página|pagina|pág|sida|side|strona|стр|第|共)[.:]? ?)?"
    rf"{NUMBER}(?: ?(?:页|頁|ページ)?[,，/|–-]? ?(?:of|von|de|di|du|sur|van|af|av|z|из|共)? ?{NUMBER})*"
    r"(?: ?(?:(?:pages|seiten)(?!\w)|页|頁|ページ))?",
    re.IGNORECASE,
)
_EDGES = " -–—|/·,:"


def add_comments(writer: ContentWriter, parts: dict[str, bytes], sheet: str) -> None:
    """Add the comments on a sheet's cells; `sheet` is the name of its part."""
    for kind, part in relations(parts, sheet).values():
        content = parts.get(part) if kind == "comments" else None
        for comment in parse_xml(content).iter("{*}comment") if content else ():
            text = drawn_text(comment)
            if text.startswith(_THREAD):
                text = text.partition(_COMMENT)[2].strip()
            if text:
                writer.add_block(f"Comment on {comment.get('ref', '')}: {text}")


def add_drawn_texts(writer: ContentWriter, parts: dict[str, bytes], sheet: str) -> None:
    """Add the texts of a sheet's boxes and the titles of its charts; the figures of a chart are cells of a sheet."""
    for drawing in _drawings(parts, sheet):
        for box in parse_xml(parts[drawing]).iter("{*}txBody") if parts.get(drawing) else ():
            writer.add_block("\n".join(filter(None, map(drawn_text, box.iter("{*}p")))))
        for kind, part in relations(parts, drawing).values():
            if kind == "diagramData" and parts.get(part):
                writer.add_block(diagram_text(parse_xml(parts[part])))
            for title in parse_xml(parts[part]).iter("{*}title") if kind == "chart" and parts.get(part) else ():
                writer.add_block(f"Chart: {text}" if (text := drawn_text(title)) else "")


def add_printed_lines(writer: ContentWriter, parts: dict[str, bytes], sheet: str) -> None:
    """Add the texts that are printed above and below a sheet."""
    for line in dict.fromkeys(_PRINTED.findall(parts.get(sheet, b""))):
        writer.add_block(printed_text(unescape(line.decode("utf-8", "replace"))))


def printed_text(line: str) -> str:
    """Return the words of a line that is printed above or below a sheet, without what is filled in; "" without one."""
    parts = _SIDES.split(line.replace("&&", _AMPERSAND))
    plain = (_CODES.sub(" ", _NUMBERS.sub(NUMBER, part)).replace(_AMPERSAND, "&") for part in parts)
    text = " ".join(filter(None, map(without_page_numbers, plain)))
    return text if any(map(str.isalpha, text)) else ""


def without_page_numbers(text: str) -> str:
    """Return a text without each `NUMBER` and the words that belong to it: "Page 1 of 9" is the page's number alone."""
    return " ".join(_PAGE_NUMBER.sub(" ", " ".join(text.split())).strip(_EDGES).split())


def chart_sheets(parts: dict[str, bytes]) -> list[str]:
    """Return the parts of the sheets that are nothing but a chart."""
    return sorted(part for part in parts if re.fullmatch(r"xl/chartsheets/[^/]+\.xml", part))


def mark_raised(strings: list[str], source: bytes) -> None:
    """Keep raised numbers apart in the texts of a workbook's cells: "4,210" with note 3 isn't 42,103."""
    if b'"superscript"' not in source:
        return
    for index, item in enumerate(parse_xml(source).iter("{*}si")):
        runs = item.findall("{*}r")
        if index < len(strings) and any(map(_is_raised, runs)):
            texts = ("".join(text.text or "" for text in run.iterfind("{*}t")) for run in runs)
            strings[index] = "".join(
                mark_superscript(text) if _is_raised(run) else text for run, text in zip(runs, texts, strict=True)
            )


def _is_raised(run: Any) -> bool:
    place = run.find("{*}rPr/{*}vertAlign")
    return place is not None and place.get("val") == "superscript"


def _drawings(parts: dict[str, bytes], sheet: str) -> list[str]:
    return [part for kind, part in relations(parts, sheet).values() if kind == "drawing"]


def picture_parts(parts: dict[str, bytes], sheet: str) -> Iterator[str]:
    """Yield the parts with a sheet's pictures."""
    for drawing in _drawings(parts, sheet):
        yield from (part for kind, part in relations(parts, drawing).values() if kind == "image")
