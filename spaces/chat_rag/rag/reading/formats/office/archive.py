"""Checks an office file before a parser opens it: it is a ZIP archive of XML, and both can be bombs."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

from rag.documents import Limits
from rag.errors import DocumentError, FileError, FileProblem

_MAX_PARTS = 10_000
_MAX_RATIO = 200  # real documents stay below 50
_RATIO_FROM_BYTES = 10_000_000  # a small part can compress very well
_XML_SHARE = 4  # XML can use a quarter of the limit: its tree takes about 20 times its size
_SAVE_AGAIN = "Open it in the program that created it, save it again, and upload that file."
_TYPES = "[Content_Types].xml"
_MANIFEST = "META-INF/manifest.xml"  # of an OpenDocument file, whose parts can be encrypted one by one
_MIME_TYPE = "mimetype"  # the part of EPUB and OpenDocument files that says what they are
_XML = (".xml", ".rels")
# Office's strict format is the usual one with other names.
_STRICT, _STRICT_NAME = b"http://purl.oclc.org/ooxml/", re.compile(rb"http://purl\.oclc\.org/ooxml/([A-Za-z]+)/")
_PAGES = (".htm", ".html", ".xhtml", ".mht", ".mhtml", ".txt", ".rtf")  # no XML parser reads these


@dataclass(frozen=True, slots=True)
class ArchiveKind:
    """What an archive must have: one of `marks` in the part `proof`.

    Parts that end with one of `markup` are read, if their XML doesn't have the `forbidden` declaration. `share` is how
    many times less than the limit all markup may take.
    """

    name: str
    marks: tuple[bytes, ...]
    proof: str = _TYPES
    markup: tuple[str, ...] = _XML
    share: int = _XML_SHARE
    # Office programs write no document type, and a file with one can define entities that grow to gigabytes.
    forbidden: bytes = b"<!DOCTYPE"
    remedy: str = _SAVE_AGAIN


# A Word document can have other documents inside.
WORD = ArchiveKind("Word document", (b"wordprocessingml", b"vnd.ms-word"), markup=(*_XML, *_PAGES, ".docx", ".docm"))
# Sheets are parsed as a stream, without a tree.
WORKBOOK = ArchiveKind("spreadsheet", (b"spreadsheetml", b"vnd.ms-excel"), share=1)
PRESENTATION = ArchiveKind("presentation", (b"presentationml", b"vnd.ms-powerpoint"))
BOOK = ArchiveKind(
    "EPUB book",
    (b"urn:oasis:names:tc:opendocument:xmlns:container",),
    "META-INF/container.xml",
    (*_XML, *_PAGES, ".opf", ".ncx"),
    forbidden=b"<!ENTITY",  # books have document types
    remedy="Download it again, or export it again as EPUB.",
)
# Formulas, macros and lists of parts by OpenOffice have document types.
OPEN_DOCUMENT = ArchiveKind(
    "OpenDocument file", (b"office:document-content",), "content.xml", (".xml",), forbidden=b"<!ENTITY"
)


def checked_parts(data: bytes, name: str, limits: Limits, kind: ArchiveKind) -> dict[str, bytes]:
    """Return the parts with markup by name; the others are empty and were never unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive, data, name, limits, kind)
            parts = {entry.filename: _read(archive, entry, name, kind) for entry in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, zipfile.LargeZipFile) as error:
        raise FileError(FileProblem.PARTS_DAMAGED, name=name) from error
    if b"encryption-data" in parts.get(_MANIFEST, b"") and kind.proof == "content.xml":
        raise FileError(FileProblem.ENCRYPTED, name=name)
    article = "an" if kind.name[0] in "EO" else "a"
    if kind.proof not in parts and _MIME_TYPE in parts:
        raise DocumentError(f"“{name}” isn't a complete {kind.name}: its part {kind.proof} is missing.", kind.remedy)
    if not any(mark in parts.get(kind.proof, b"") for mark in kind.marks):
        raise DocumentError(f"“{name}” is a ZIP archive, but not {article} {kind.name}.", kind.remedy)
    return parts


class OtherParts:
    """The parts without markup of an archive that was checked, unpacked when they are needed."""

    def __init__(self, data: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))  # opened once: that reads the names of all parts

    def unpack(self, part: str) -> bytes:
        """Return a part, or b"" if it isn't there."""
        try:
            entry = self._archive.getinfo(part)
            is_plain = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and not entry.flag_bits & 1
            return self._archive.read(entry) if is_plain else b""
        except (KeyError, zipfile.BadZipFile, EOFError, zlib.error):
            return b""


def parse_xml(content: bytes) -> Any:
    """Return the root of an XML part without its comments. Raises `RecursionError` if it is nested too deeply."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        if "depth" in str(error):
            raise RecursionError(str(error)) from error
        raise


def packed(parts: dict[str, bytes]) -> io.BytesIO:
    """Return an archive of the parts, not compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    stream.seek(0)
    return stream


def _check_sizes(archive: zipfile.ZipFile, data: bytes, name: str, limits: Limits, kind: ArchiveKind) -> None:
    """Raise `DocumentError` if the parts are too large; Python never unpacks more of a part than its declared size."""
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    xml = sum(entry.file_size for entry in entries if _is_markup(entry, kind))
    ratio = unpacked / max(len(data), 1)
    if (
        len(entries) > _MAX_PARTS
        or unpacked > limits.unpacked_bytes
        or xml > limits.unpacked_bytes / kind.share
        or (ratio > _MAX_RATIO and unpacked > _RATIO_FROM_BYTES)
    ):
        raise DocumentError(
            f"“{name}” is too large: it would unpack to {unpacked / 1e6:,.0f} MB in {len(entries):,} parts, "
            f"{ratio:,.0f} times its size.",
            f"Remove its images or split it; the limit is {limits.unpacked_bytes / 1e6:,.0f} MB, "
            f"with at most {limits.unpacked_bytes / kind.share / 1e6:,.0f} MB of text and markup.",
        )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, kind: ArchiveKind) -> bytes:
    if not _is_markup(entry, kind):
        return b""
    if entry.flag_bits & 1:
        raise FileError(FileProblem.ENCRYPTED, name=name)
    # Office programs never write other methods, and Python doesn't limit how much they unpack at a time.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DocumentError(f"“{name}” uses a compression method that office programs don't use.", _SAVE_AGAIN)
    content = archive.read(entry)
    is_xml = not entry.filename.lower().endswith(_PAGES)
    if is_xml and kind.forbidden in content.replace(b"\0", b""):  # UTF-16 has NULs
        raise DocumentError(f"“{name}” has an XML document type or entities, which such files never have.", _SAVE_AGAIN)
    return _STRICT_NAME.sub(rb"http://schemas.openxmlformats.org/\1/2006/", content) if _STRICT in content else content


def _is_markup(entry: zipfile.ZipInfo, kind: ArchiveKind) -> bool:
    return entry.filename.lower().endswith(kind.markup)
