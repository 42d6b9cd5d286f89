"""Checks a Word file before a parser opens it: a .docx is a ZIP archive of XML, and both can be bombs."""

from __future__ import annotations

import io
import zipfile

from rag.documents import Limits
from rag.errors import DocumentError

_MAX_PARTS = 10_000
_MAX_RATIO = 200  # real documents stay below 50
_RATIO_FROM_BYTES = 10_000_000  # a small part can compress very well
_XML_SHARE = 4  # XML can use a quarter of the limit: its tree takes about 20 times its size
_TYPES = "[Content_Types].xml"
_SAVE_AGAIN = "Open it in Word or LibreOffice, save it again as .docx, and upload that file."


def check_and_strip(data: bytes, name: str, limits: Limits) -> bytes:
    """Return the archive with its XML parts only; media are emptied without being unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive, data, name, limits)
            parts = {entry.filename: _read(archive, entry, name) for entry in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, zipfile.LargeZipFile) as error:
        raise DocumentError(f"“{name}” seems damaged: its parts can't be unpacked.", _SAVE_AGAIN) from error
    if b"wordprocessingml" not in parts.get(_TYPES, b""):
        raise DocumentError(f"“{name}” is a ZIP archive, but not a Word document.", _SAVE_AGAIN)
    stripped = io.BytesIO()
    with zipfile.ZipFile(stripped, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return stripped.getvalue()


def _check_sizes(archive: zipfile.ZipFile, data: bytes, name: str, limits: Limits) -> None:
    """Raise `DocumentError` if the parts are too large; Python never unpacks more of a part than its declared size."""
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    xml = sum(entry.file_size for entry in entries if _is_xml(entry))
    ratio = unpacked / max(len(data), 1)
    if (
        len(entries) > _MAX_PARTS
        or unpacked > limits.unpacked_bytes
        or xml > limits.unpacked_bytes / _XML_SHARE
        or (ratio > _MAX_RATIO and unpacked > _RATIO_FROM_BYTES)
    ):
        raise DocumentError(
            f"“{name}” is too large: it would unpack to {unpacked / 1e6:,.0f} MB in {len(entries):,} parts, "
            f"{ratio:,.0f} times its size.",
            f"Remove its images or split it; the limit is {limits.unpacked_bytes / 1e6:,.0f} MB, "
            f"with at most {limits.unpacked_bytes / _XML_SHARE / 1e6:,.0f} MB of text and markup.",
        )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    if not _is_xml(entry):
        return b""
    if entry.flag_bits & 1:
        raise DocumentError(f"“{name}” is encrypted and needs a password.", _SAVE_AGAIN)
    # Word never writes other methods, and Python doesn't limit how much they unpack at a time.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DocumentError(f"“{name}” uses a compression method that Word doesn't use.", _SAVE_AGAIN)
    content = archive.read(entry)
    # Word writes no document type, and a file with one can define entities that grow to gigabytes. UTF-16 has NULs.
    if b"<!DOCTYPE" in content.replace(b"\0", b""):
        raise DocumentError(f"“{name}” has an XML document type, which Word documents never have.", _SAVE_AGAIN)
    return content


def _is_xml(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.lower().endswith((".xml", ".rels"))
