"""Detects files whose content doesn't match their suffix."""

from __future__ import annotations

from rag.errors import DocumentError
from rag.reading.pictures import SUFFIXES as PICTURE_SUFFIXES

_ARCHIVES = (".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm", ".odt", ".ods", ".epub")
_COMPOUND = (".xls", ".msg")
_GROUPS = (_ARCHIVES, PICTURE_SUFFIXES, _COMPOUND)  # which one of a group it is, its reader finds out
# First bytes, what they are, and the suffix of the supported format ("" for none).
_SIGNATURES = (
    (b"%PDF-", "a PDF", ".pdf"),
    (b"PK\x03\x04", "a ZIP archive or an Office document", ".docx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an encrypted Office file or one in an old format", ".xls"),
    (b"\x89PNG\r\n", "a PNG image", ".png"),
    (b"\xff\xd8\xff", "a JPEG image", ".jpg"),
    (b"II*\0", "a TIFF image", ".tif"),
    (b"MM\0*", "a TIFF image", ".tif"),
    (b"GIF8", "a GIF image", ""),
    (b"{\\rtf", "an RTF document", ".rtf"),
    (b"\x1f\x8b", "a gzip archive", ""),
    (b"7z\xbc\xaf", "a 7-Zip archive", ""),
    (b"Rar!", "a RAR archive", ""),
    (b"\x7fELF", "a program", ""),
    (b"MZ", "a Windows program", ""),
)


def check_signature(data: bytes, suffix: str, name: str) -> None:
    """Raise `DocumentError` if the first bytes of a file belong to another format than its suffix."""
    if suffix == ".pdf" and b"%PDF-" in data[:1024]:
        return
    if suffix in PICTURE_SUFFIXES and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return
    for signature, kind, kind_suffix in _SIGNATURES:
        # A text can start with the same two letters; a program has a NUL nearby.
        if data.startswith(signature) and (len(signature) > 2 or b"\0" in data[:64]):
            if kind_suffix == suffix or any(kind_suffix in group and suffix in group for group in _GROUPS):
                return
            can_rename = kind_suffix and kind_suffix != ".xls"
            remedy = f"Rename it to {kind_suffix} if that's what it is." if can_rename else "Save it in another format."
            raise DocumentError(f"“{name}” is named {suffix}, but it is {kind}.", remedy)
    if suffix in (".pdf", ".rtf", *_COMPOUND, *_ARCHIVES, *PICTURE_SUFFIXES):
        kind = {".pdf": "PDF", ".docx": "Word document"}.get(suffix, f"{suffix} file")
        raise DocumentError(f"“{name}” isn't a valid {kind}.", "Export it again, or fix its name.")
