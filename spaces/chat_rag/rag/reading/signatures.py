"""Detects files whose content doesn't match their suffix."""

from __future__ import annotations

import re
from codecs import BOM_UTF8

from rag.errors import FileError, FileProblem
from rag.reading.formats.pictures import SUFFIXES as PICTURE_SUFFIXES

_ARCHIVES = (".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm", ".odt", ".ods", ".epub")
_COMPOUND = (".xls", ".msg")
_GROUPS = (_ARCHIVES, PICTURE_SUFFIXES, _COMPOUND)  # which one of a group it is, its reader finds out
# First bytes, the format's name in every language, and the suffix of the supported format ("" for none).
_SIGNATURES = (
    (b"%PDF-", "PDF", ".pdf"),
    (b"PK\x03\x04", "ZIP (Office)", ".docx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office 97–2003", ".xls"),
    (b"\x89PNG\r\n", "PNG", ".png"),
    (b"\xff\xd8\xff", "JPEG", ".jpg"),
    (b"II*\0", "TIFF", ".tif"),
    (b"MM\0*", "TIFF", ".tif"),
    (b"GIF8", "GIF", ""),
    (b"{\\rtf", "RTF", ".rtf"),
    (b"\x1f\x8b", "gzip", ""),
    (b"7z\xbc\xaf", "7-Zip", ""),
    (b"Rar!", "RAR", ""),
    (b"\x7fELF", "ELF", ""),
    (b"MZ", "EXE", ""),
)
# Many programs export such pages under the names of their own files.
_HTML = re.compile(rb"<(?:!doctype html|html|table|meta|head)\b", re.IGNORECASE)


def check_signature(data: bytes, suffix: str, name: str) -> None:
    """Raise `FileError` if the first bytes of a file belong to another format than its suffix."""
    if suffix == ".pdf" and b"%PDF-" in data[:1024]:
        return
    if suffix in PICTURE_SUFFIXES and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return
    for signature, kind, kind_suffix in _SIGNATURES:
        # A text can start with the same two letters; a program has a NUL nearby.
        if data.startswith(signature) and (len(signature) > 2 or b"\0" in data[:64]):
            if kind_suffix == suffix or any(kind_suffix in group and suffix in group for group in _GROUPS):
                return
            if kind_suffix == ".xls":
                raise FileError(FileProblem.OLD_OR_ENCRYPTED, name=name, suffix=suffix)
            problem = FileProblem.OTHER_TYPE if kind_suffix else FileProblem.UNREAD_TYPE
            raise FileError(problem, name=name, suffix=suffix, kind=kind, other=kind_suffix)
    if suffix in (".pdf", ".rtf", *_COMPOUND, *_ARCHIVES, *PICTURE_SUFFIXES):
        if _HTML.match(data[:1024].removeprefix(BOM_UTF8).lstrip()):
            raise FileError(FileProblem.OTHER_TYPE, name=name, suffix=suffix, kind="HTML", other=".html")
        kind = {".pdf": "PDF", ".docx": "Word"}.get(suffix, suffix)
        raise FileError(FileProblem.INVALID, name=name, kind=kind)
