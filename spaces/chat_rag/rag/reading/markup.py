"""HTML and Word files as Markdown: headings, lists and tables stay, what is not text goes."""

from __future__ import annotations

import io
import re

from rag.documents import Limits, Page
from rag.errors import DocumentError
from rag.reading.decode import declared_encoding, decode
from rag.reading.docx import check_and_strip

_NO_TEXT = ("script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "canvas", "audio", "video")
_STRIPPED_IMAGE = re.compile(r"!\[([^\]\n]*)\]\(data:[^)\s]*\)")
# `strict` raises on nesting that is too deep; escapes would put backslashes into names such as first_token.
_OPTIONS = {"strict": True, "escape_asterisks": False, "escape_underscores": False}


def read_html(data: bytes, name: str, limits: Limits) -> tuple[str, tuple[Page, ...]]:
    """The page as Markdown; nothing that it links to is fetched."""
    from markitdown.converters import HtmlConverter

    source = decode(data, name, declared=declared_encoding(data))
    if len(source) > limits.characters:
        raise DocumentError(
            f"“{name}” holds {len(source):,} characters; the limit is {limits.characters:,}.",
            "Split it into smaller files.",
        )
    return _tidy(HtmlConverter().convert_string(_text_only(source), **_OPTIONS).markdown), ()


def read_docx(data: bytes, name: str, limits: Limits) -> tuple[str, tuple[Page, ...]]:
    """The document as Markdown, each image by its alternative text."""
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter

    packed = io.BytesIO(check_and_strip(data, name, limits))
    markdown = DocxConverter().convert(packed, StreamInfo(extension=".docx"), **_OPTIONS).markdown
    return _tidy(_STRIPPED_IMAGE.sub(r"\1", markdown)), ()


def _text_only(source: str) -> str:
    """The same page without scripts, styles and comments, and with its open tags closed."""
    from lxml import etree, html

    # Python's own parser nests each unclosed <p> in the one before, which old pages do by the thousand.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    root = html.document_fromstring(source.encode(), parser=parser, ensure_head_body=True)
    etree.strip_elements(root, *_NO_TEXT, with_tail=False)
    for image in list(root.iter("img")):
        # An image address in the text could be loaded by whoever shows it, and tell its owner who reads.
        alternative = image.get("alt", "")
        image.attrib.clear()
        image.tag, image.text = "span", alternative
    return html.tostring(root, encoding="unicode")


def _tidy(markdown: str) -> str:
    lines = "\n".join(line.rstrip() for line in markdown.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
