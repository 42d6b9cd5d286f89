"""Reads HTML and Word files as Markdown with headings, lists and tables."""

from __future__ import annotations

import re
from typing import Any

from rag.documents import Content, Limits, Note, NoteKind
from rag.errors import DocumentError
from rag.reading.decode import declared_encoding, decode
from rag.reading.html_tables import PLACE
from rag.reading.html_tree import NormalizedPage, normalized_html
from rag.reading.html_visible import saved_page
from rag.reading.office.archive import WORD, checked_parts, packed
from rag.reading.office.word import prepare
from rag.reading.tables import ContentWriter

_BLANK_LINES = re.compile(r"\n{3,}")
# `strict` raises an error if the nesting is too deep. Escapes would add backslashes to names such as first_token.
_OPTIONS: dict[str, Any] = {"strict": True, "escape_asterisks": False, "escape_underscores": False}


def read_html(data: bytes, name: str, limits: Limits) -> Content:
    """Return the page as Markdown; links are not followed."""
    data = saved_page(data)
    source = decode(data, name, declared=declared_encoding(data))
    if len(source) > limits.characters:
        raise DocumentError(
            f"“{name}” has {len(source):,} characters; the limit is {limits.characters:,}.",
            "Split it into smaller files.",
        )
    pages: list[NormalizedPage] = []
    markdown = _html_converter(pages).convert_string(source, **_OPTIONS).markdown
    return _content(markdown, pages, name, limits)


def read_docx(data: bytes, name: str, limits: Limits) -> Content:
    """Return the document as Markdown, with the alternative text of each image."""
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter

    parts, hidden = prepare(checked_parts(data, name, limits, WORD))
    archive = packed(parts)
    converter = DocxConverter()  # type: ignore[no-untyped-call]  # its constructor has no annotations
    pages: list[NormalizedPage] = []
    converter._html_converter = _html_converter(pages)
    markdown = converter.convert(archive, StreamInfo(extension=".docx"), **_OPTIONS).markdown
    return _content(markdown, pages, name, limits, hidden)


def _content(markdown: str, pages: list[NormalizedPage], name: str, limits: Limits, hidden: int = 0) -> Content:
    """Return the Markdown with the page's tables in the places of their marks."""
    writer = ContentWriter(name, limits)
    end = 0
    for place in PLACE.finditer(markdown):
        writer.add_block(_tidy(markdown[end : place.start()]))
        writer.add_table(*pages[0].tables[int(place[1])])
        end = place.end()
    writer.add_block(_tidy(markdown[end:]))
    if hidden := hidden + sum(page.hidden for page in pages):
        writer.notes.append(Note(NoteKind.HIDDEN_TEXT, hidden))
    return writer.content()


def _html_converter(pages: list[NormalizedPage]) -> Any:
    """Return markitdown's converter, which gets every page with normalized HTML; `pages` receives that page."""
    from markitdown.converters import HtmlConverter

    class Converter(HtmlConverter):
        def convert_string(self, html_content: str, **options: Any) -> Any:
            page = normalized_html(html_content)
            pages.append(page)
            return super().convert_string(page.html, **options)

    return Converter()


def _tidy(markdown: str) -> str:
    lines = "\n".join(line.rstrip() for line in markdown.splitlines())
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")
