"""Turns HTML into Markdown, with the tables in their places as structure."""

from __future__ import annotations

import re
from typing import Any

from rag.reading.formats.html.tables import PLACE
from rag.reading.formats.html.tree import NormalizedPage, normalized_html
from rag.reading.markdown.content_writer import ContentWriter

# `strict` raises an error if the nesting is too deep. Escapes would add backslashes to names such as first_token.
OPTIONS: dict[str, Any] = {"strict": True, "escape_asterisks": False, "escape_underscores": False}
_BLANK_LINES = re.compile(r"\n{3,}")


def add_html(writer: ContentWriter, source: str) -> int:
    """Add a page's content; return how many hidden texts were left out."""
    pages: list[NormalizedPage] = []
    markdown = html_converter(pages).convert_string(source, **OPTIONS).markdown
    return add_markdown(writer, markdown, pages[0])


def html_converter(pages: list[NormalizedPage]) -> Any:
    """Return markitdown's converter, which gets every page with normalized HTML; `pages` receives that page."""
    from markitdown.converters import HtmlConverter

    class Converter(HtmlConverter):
        def convert_string(self, html_content: str, **options: Any) -> Any:
            page = normalized_html(html_content)
            pages.append(page)
            return super().convert_string(page.html, **options)

    return Converter()


def add_markdown(writer: ContentWriter, markdown: str, page: NormalizedPage) -> int:
    """Add the Markdown of a page with its tables in the places of their marks; return the number of hidden texts."""
    end = 0
    for place in PLACE.finditer(markdown):
        writer.add_block(_tidy(markdown[end : place.start()]))
        writer.add_table(*page.tables[int(place[1])])
        end = place.end()
    writer.add_block(_tidy(markdown[end:]))
    return page.hidden


def _tidy(markdown: str) -> str:
    lines = "\n".join(line.rstrip() for line in markdown.splitlines())
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")
