"""Reads HTML and Word files as Markdown with headings, lists and tables."""

from __future__ import annotations

import io
import re
from typing import Any

from rag.documents import Limits, Page
from rag.errors import DocumentError
from rag.reading.decode import declared_encoding, decode
from rag.reading.docx import check_and_strip

_NO_TEXT = ("script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "canvas", "audio", "video")
_STRIPPED_IMAGE = re.compile(r"!\[([^\]\n]*)\]\(data:[^)\s]*\)")
# `strict` raises an error if the nesting is too deep. Escapes would add backslashes to names such as first_token.
_OPTIONS: dict[str, Any] = {"strict": True, "escape_asterisks": False, "escape_underscores": False}


def read_html(data: bytes, name: str, limits: Limits) -> tuple[str, tuple[Page, ...]]:
    """Return the page as Markdown; links are not followed."""
    from markitdown.converters import HtmlConverter

    source = decode(data, name, declared=declared_encoding(data))
    if len(source) > limits.characters:
        raise DocumentError(
            f"“{name}” has {len(source):,} characters; the limit is {limits.characters:,}.",
            "Split it into smaller files.",
        )
    return _tidy(HtmlConverter().convert_string(_text_only(source), **_OPTIONS).markdown), ()


def read_docx(data: bytes, name: str, limits: Limits) -> tuple[str, tuple[Page, ...]]:
    """Return the document as Markdown, with the alternative text of each image."""
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter

    archive = io.BytesIO(check_and_strip(data, name, limits))
    converter = DocxConverter()  # type: ignore[no-untyped-call]  # its constructor has no annotations
    markdown = converter.convert(archive, StreamInfo(extension=".docx"), **_OPTIONS).markdown
    return _tidy(_STRIPPED_IMAGE.sub(r"\1", markdown)), ()


def _text_only(source: str) -> str:
    """Return the page without scripts, styles and comments, and with closed tags."""
    from lxml import etree, html

    # Python's own parser nests each unclosed <p> in the previous one; old pages have thousands of them.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    root = html.document_fromstring(source.encode(), parser=parser, ensure_head_body=True)
    etree.strip_elements(root, *_NO_TEXT, with_tail=False)
    for image in list(root.iter("img")):
        # A client that displays the text could load the image, and its server would learn who reads the document.
        alternative = image.get("alt", "")
        image.attrib.clear()
        image.tag, image.text = "span", alternative
    return str(html.tostring(root, encoding="unicode"))


def _tidy(markdown: str) -> str:
    lines = "\n".join(line.rstrip() for line in markdown.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
