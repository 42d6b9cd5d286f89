"""Reads HTML files, and pages that a browser saved with their pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email import message_from_bytes, policy
from html import escape
from types import MappingProxyType

from rag.documents import Content, Limits
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.formats.html.markdown import add_html
from rag.reading.formats.html.visible import MAX_FRAMES
from rag.reading.formats.text.decode import declared_encoding, decode, known_encoding
from rag.reading.markdown.content_writer import ContentWriter

_MIME = re.compile(rb"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?content-type:\s*(multipart/|text/html)", re.I)
_FRAME = re.compile(r"<i?frame\s", re.I)
_SAVED_FRAME = re.compile(r"""\bsrc=["']cid:([^"'<>\s]{1,200})["']""", re.I)


def read_html(data: bytes, name: str, limits: Limits) -> Content:
    """Return the page as Markdown; links are not followed."""
    writer = ContentWriter(name, limits)
    page, charset, frames = saved_page(data)
    source = html_source(page, name, limits, charset, frames)
    writer.note_hidden(add_html(writer, source))
    content = writer.content()
    if not content.text and _FRAME.search(source):
        raise DocumentError(
            f"“{name}” has no text of its own: it shows other pages in frames.", "Save those pages, and upload them."
        )
    return content


def html_source(
    data: bytes, name: str, limits: Limits, charset: str = "", frames: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the characters of a page with its frames, in the encoding of its transport or the one that it declares."""
    source = decode(data, name, declared=known_encoding(charset) or declared_encoding(data))
    source = _with_frames(source, dict(frames), MAX_FRAMES)
    if len(source) > limits.characters:
        raise FileError(FileProblem.TOO_LONG, name=name, characters=len(source), limit=limits.characters)
    return source


def saved_page(data: bytes) -> tuple[bytes, str, dict[str, str]]:
    """Return the HTML of a page that a browser saved with its pictures (MHTML), and its character set or "".

    The third value is the HTML of its frames by their Content-ID. Other bytes are a page by themselves.
    """
    if not _MIME.match(data[:10_000].replace(b"\r\n", b"\n")):
        return data, "", {}
    pages = [
        (content, part.get_content_charset(""), str(part["Content-ID"] or "").strip("<> "))
        for part in message_from_bytes(data, policy=policy.default).walk()
        if part.get_content_type() in ("text/html", "application/xhtml+xml")
        if isinstance(content := part.get_payload(decode=True), bytes)
    ]
    if not pages:
        return data, "", {}
    (page, charset, _), *others = pages
    frames = {
        name: decode(content, name, declared=known_encoding(declared) or declared_encoding(content))
        for content, declared, name in others
        if name
    }
    return page, charset, frames


def _with_frames(source: str, frames: dict[str, str], nesting: int) -> str:
    """Return a page with the frames that were saved beside it inside their elements; each one is there once."""

    def show(match: re.Match[str]) -> str:
        inside = frames.pop(match[1], None)
        return match[0] if inside is None else f'srcdoc="{escape(_with_frames(inside, frames, nesting - 1))}"'

    return _SAVED_FRAME.sub(show, source) if nesting and frames else source
