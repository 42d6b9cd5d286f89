"""Reads EPUB books: their chapters in order, each a page of XHTML."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from rag.documents import Content, Limits
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.formats.html.markdown import add_html
from rag.reading.formats.html.page import html_source
from rag.reading.formats.office.archive import BOOK, OtherParts, checked_parts, parse_xml
from rag.reading.formats.office.relations import part_name
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.markdown.headings import find_headings
from rag.reading.ocr.inner_pictures import InnerPictures

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_MAC_FOLDER = "__MACOSX/"  # of an archive that macOS made: its parts repeat the others' names without being XML
_PICTURE = re.compile(r"""<(?:img|image)\b[^<>]*?\s(?:src|href|xlink:href)\s*=\s*["']([^"'<>]{1,1000})["']""", re.I)
_PAGE_TYPES = ("application/xhtml+xml", "text/html")


def read_book(data: bytes, name: str, limits: Limits) -> Content:
    """Return the title and the chapters; one without headings begins with its title in the table of contents."""
    parts = checked_parts(data, name, limits, BOOK)
    package = next((element.get("full-path", "") for element in parse_xml(parts[_CONTAINER]).iter("{*}rootfile")), "")
    root = parse_xml(parts.get(package) or b"<package/>")
    chapters = list(dict.fromkeys(_chapters(root, posixpath.dirname(package))))
    if not any(map(parts.get, chapters)):
        raise DocumentError(f"“{name}” isn't a valid book: its chapters are missing.", "Download it again.")
    if set(chapters) & set(_encrypted(parts)):
        raise FileError(FileProblem.PROTECTED, name=name)
    writer = ContentWriter(name, limits)
    for kind in ("title", "creator"):
        names = ((element.text or "").strip() for element in root.iter(f"{{*}}{kind}"))
        writer.add_block(", ".join(filter(None, names)))
    titles, other_parts = _titles(parts), OtherParts(data)
    with InnerPictures(writer, name, limits) as pictures:
        for chapter in filter(parts.get, chapters):
            source = html_source(parts[chapter], name, limits)
            _add_chapter(writer, source, titles.get(chapter, ""), limits)
            for link in _PICTURE.findall(source):
                part = part_name(posixpath.dirname(chapter), unescape(link))
                if part in parts:
                    pictures.add(other_parts.unpack(part))
    return writer.content()


def _add_chapter(writer: ContentWriter, source: str, title: str, limits: Limits) -> None:
    chapter = ContentWriter(title, limits)
    chapter.note_hidden(add_html(chapter, source))
    content = chapter.content()
    if title and content.text and not find_headings(content.text):
        writer.add_block(f"# {title}")
    writer.add_content(content)


def _chapters(root: Any, folder: str) -> Iterator[str]:
    """Yield the parts with the chapters, in the order of the book."""
    items = {item.get("id"): item for item in root.iter("{*}item")}
    for reference in root.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if (
            item is not None
            and item.get("media-type", "") in _PAGE_TYPES
            and "nav" not in item.get("properties", "").split()
        ):
            yield part_name(folder, item.get("href", ""))


def _titles(parts: dict[str, bytes]) -> dict[str, str]:
    """Return the titles of chapters in the tables of contents of EPUB 2 (`.ncx`) and 3 (`nav`), by part."""
    titles: dict[str, str] = {}
    for name, content in parts.items():
        if name.startswith(_MAC_FOLDER):
            continue
        if name.lower().endswith(".ncx"):
            links = [
                (point.find("{*}content"), point.find("{*}navLabel"))
                for point in parse_xml(content).iter("{*}navPoint")
            ]
            found = [(link.get("src", ""), label) for link, label in links if link is not None and label is not None]
        elif b"toc" in content and b"<nav" in content:
            found = [(link.get("href", ""), link) for link in _navigation_links(content)]
        else:
            continue
        for link, label in found:
            titles.setdefault(part_name(posixpath.dirname(name), link), " ".join("".join(label.itertext()).split()))
    return titles


def _navigation_links(content: bytes) -> Iterator[Any]:
    from lxml import html

    for navigation in html.document_fromstring(content, parser=html.HTMLParser(encoding="utf-8")).iter("nav"):
        yield from navigation.iter("a")


def _encrypted(parts: dict[str, bytes]) -> Iterator[str]:
    """Yield the parts that are encrypted; in books without protection these are fonts."""
    if parts.get(_ENCRYPTION):
        for reference in parse_xml(parts[_ENCRYPTION]).iter("{*}CipherReference"):
            yield part_name("", reference.get("URI", ""))
