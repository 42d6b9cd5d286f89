"""Reads HTML files, and pages that a browser saved with their pictures."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

from rag.documents import Content, Limits
from rag.errors import DocumentError
from rag.reading.decode import declared_encoding, decode, known_encoding
from rag.reading.html.markdown import add_html
from rag.reading.tables import ContentWriter

_MIME = re.compile(rb"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?content-type:\s*(multipart/|text/html)", re.I)


def read_html(data: bytes, name: str, limits: Limits) -> Content:
    """Return the page as Markdown; links are not followed."""
    writer = ContentWriter(name, limits)
    page, charset = saved_page(data)
    writer.note_hidden(add_html(writer, html_source(page, name, limits, charset)))
    return writer.content()


def html_source(data: bytes, name: str, limits: Limits, charset: str = "") -> str:
    """Return the characters of a page, in the encoding of its transport or the one that it declares."""
    source = decode(data, name, declared=known_encoding(charset) or declared_encoding(data))
    if len(source) > limits.characters:
        raise DocumentError(
            f"“{name}” has {len(source):,} characters; the limit is {limits.characters:,}.",
            "Split it into smaller files.",
        )
    return source


def saved_page(data: bytes) -> tuple[bytes, str]:
    """Return the HTML of a page that a browser saved with its pictures (MHTML), and its character set or ""."""
    if _MIME.match(data[:10_000].replace(b"\r\n", b"\n")):
        for part in message_from_bytes(data, policy=policy.default).walk():
            content = part.get_payload(decode=True)
            if part.get_content_type() in ("text/html", "application/xhtml+xml") and isinstance(content, bytes):
                return content, part.get_content_charset("")
    return data, ""
