"""Reads HTML and Word files as Markdown with headings, lists and tables."""

from __future__ import annotations

import io
import re
from typing import Any

from rag.documents import Content, Limits
from rag.errors import DocumentError
from rag.reading.decode import declared_encoding, decode
from rag.reading.docx import check_and_strip
from rag.reading.html_tree import normalized_html

_BLANK_LINES = re.compile(r"\n{3,}")
# `strict` raises an error if the nesting is too deep. Escapes would add backslashes to names such as first_token.
_OPTIONS: dict[str, Any] = {"strict": True, "escape_asterisks": False, "escape_underscores": False}


def read_html(data: bytes, name: str, limits: Limits) -> Content:
    """Return the page as Markdown; links are not followed."""
    source = decode(data, name, declared=declared_encoding(data))
    if len(source) > limits.characters:
        raise DocumentError(
            f"“{name}” has {len(source):,} characters; the limit is {limits.characters:,}.",
            "Split it into smaller files.",
        )
    return Content(_tidy(_html_converter().convert_string(source, **_OPTIONS).markdown))


def read_docx(data: bytes, name: str, limits: Limits) -> Content:
    """Return the document as Markdown, with the alternative text of each image."""
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter

    archive = io.BytesIO(check_and_strip(data, name, limits))
    converter = DocxConverter()  # type: ignore[no-untyped-call]  # its constructor has no annotations
    converter._html_converter = _html_converter()
    return Content(_tidy(converter.convert(archive, StreamInfo(extension=".docx"), **_OPTIONS).markdown))


def _html_converter() -> Any:
    """Return markitdown's converter, which gets every page with normalized HTML."""
    from markitdown.converters import HtmlConverter

    class Converter(HtmlConverter):
        def convert_string(self, html_content: str, **options: Any) -> Any:
            return super().convert_string(normalized_html(html_content), **options)

    return Converter()


def _tidy(markdown: str) -> str:
    lines = "\n".join(line.rstrip() for line in markdown.splitlines())
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")
