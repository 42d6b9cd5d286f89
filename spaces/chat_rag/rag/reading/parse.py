"""A visitor's file becomes a document, or an error that says what to do about it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

from rag.documents import Document, Limits, Page
from rag.errors import DocumentError
from rag.reading.csv_rows import read_csv
from rag.reading.decode import decode
from rag.reading.markup import read_docx, read_html
from rag.reading.pdf import read_pdf

_NAME_CHARACTERS = 120
_JOINERS = "\u200c\u200d"  # invisible, but part of Persian words and of emoji


Report = Callable[[float], None]
_Reader = Callable[[bytes, str, Limits, Report], tuple[str, tuple[Page, ...]]]


def _read_text(data: bytes, name: str, limits: Limits, report: Report) -> tuple[str, tuple[Page, ...]]:
    return decode(data, name), ()


def _at_once(reader: Callable[[bytes, str, Limits], tuple[str, tuple[Page, ...]]]) -> _Reader:
    """A reader of a format without pages, which has nothing to report on its way."""
    return lambda data, name, limits, report: reader(data, name, limits)


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_READERS: dict[str, tuple[str, _Reader]] = {
    ".pdf": ("application/pdf", read_pdf),
    ".md": ("text/markdown", _read_text),
    ".markdown": ("text/markdown", _read_text),
    ".txt": ("text/plain", _read_text),
    ".html": ("text/html", _at_once(read_html)),
    ".htm": ("text/html", _at_once(read_html)),
    ".docx": (_WORD, _at_once(read_docx)),
    ".csv": ("text/csv", _at_once(read_csv)),
}
SUFFIXES = tuple(_READERS)

_SIGNATURES = (
    (b"%PDF-", "a PDF", ".pdf"),
    (b"PK\x03\x04", "a ZIP archive or an Office document", ".docx"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Office file that is either encrypted with a password or of an old format",
        "",
    ),
    (b"\x89PNG\r\n", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"GIF8", "a GIF image", ""),
    (b"{\\rtf", "an RTF document", ""),
    (b"\x1f\x8b", "a gzip archive", ""),
    (b"7z\xbc\xaf", "a 7-Zip archive", ""),
    (b"Rar!", "a RAR archive", ""),
    (b"\x7fELF", "a program", ""),
    (b"MZ", "a Windows program", ""),
)


def read_document(
    path: Path, *, name: str | None = None, limits: Limits | None = None, report: Report | None = None
) -> Document:
    """The text of a file in one of the accepted formats; `name` is what the visitor called it.

    `report` is called with the share that is read, from 0 to 1, after each page of a PDF and at the end; what it
    raises ends the reading and passes through unchanged.
    """
    limits = limits or Limits()
    path = Path(path)
    shown = display_name(name or path.name)
    suffix = _suffix(shown, path)
    data = _read_bytes(path, shown, limits)
    _check_content(data, suffix, shown)
    media_type, reader = _READERS[suffix]
    text, pages = _guarded(reader, data, shown, limits, report)
    if not text.strip():
        raise DocumentError(f"“{shown}” holds no text.", "Upload a file with text; scanned pages need OCR first.")
    if len(text) > limits.characters:
        raise DocumentError(
            f"“{shown}” holds {len(text):,} characters; the limit is {limits.characters:,}.",
            "Split it into smaller files.",
        )
    if report and not pages:
        report(1.0)
    return Document(hashlib.sha256(data).hexdigest()[:16], shown, text, pages, media_type)


def display_name(name: str) -> str:
    """The last part of a path without control or direction characters, at most 120 long; markup stays as text."""
    last = re.split(r"[/\\]", name)[-1]
    # Cf holds the marks that turn the writing direction, by which "exe.pdf" can stand for "fdp.exe".
    kept = (
        character
        for character in last
        if character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    shown = "".join(kept).strip()
    if len(shown) > _NAME_CHARACTERS:
        suffix = Path(shown).suffix[:12]
        shown = shown[: _NAME_CHARACTERS - len(suffix) - 1] + "…" + suffix
    return shown if shown.strip(".") else "document"


def _suffix(shown: str, path: Path) -> str:
    for candidate in (Path(shown).suffix.lower(), path.suffix.lower()):
        if candidate in _READERS:
            return candidate
    raise DocumentError(f"“{shown}” is of a kind that is not read here.", f"Accepted are {', '.join(SUFFIXES)}.")


def _read_bytes(path: Path, shown: str, limits: Limits) -> bytes:
    """The file's bytes, its size checked before any is read."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DocumentError(f"“{shown}” is not a file.", "Choose a file.")
        if size <= limits.file_bytes:
            with path.open("rb") as file:
                data = file.read(limits.file_bytes + 1)  # it may have grown since
            size = len(data)
    except (OSError, ValueError) as error:
        raise DocumentError(f"“{shown}” cannot be opened: {type(error).__name__}.", "Upload it again.") from error
    if size > limits.file_bytes:
        raise DocumentError(
            f"“{shown}” is {size / 1e6:,.0f} MB; the limit is {limits.file_bytes / 1e6:,.0f} MB.",
            "Split it, or leave out its images.",
        )
    if not data.strip():
        raise DocumentError(f"“{shown}” is empty.", "Check that it was saved, and upload it again.")
    return data


def _check_content(data: bytes, suffix: str, shown: str) -> None:
    """Refuses a file whose first bytes belong to another format than its name says."""
    if suffix == ".pdf" and b"%PDF-" in data[:1024]:
        return
    for signature, kind, owner in _SIGNATURES:
        # Two letters can begin a text as well; a program has a NUL close by.
        if data.startswith(signature) and (len(signature) > 2 or b"\0" in data[:64]):
            if owner == suffix:
                return
            remedy = f"Rename it to {owner} if that is what it is." if owner else "Save it in an accepted format."
            raise DocumentError(f"“{shown}” is named {suffix}, but it holds {kind}.", remedy)
    if suffix in (".pdf", ".docx"):
        kind = "PDF" if suffix == ".pdf" else "Word document"
        raise DocumentError(f"“{shown}” is no {kind}, whatever its name says.", "Export it again, or correct its name.")


def _guarded(
    reader: _Reader, data: bytes, shown: str, limits: Limits, report: Report | None
) -> tuple[str, tuple[Page, ...]]:
    """Runs a reader; whatever its parser raises becomes ours, because nobody can list all that a bad file provokes."""
    reported: list[Exception] = []

    def tell(share: float) -> None:
        try:
            if report:
                report(share)
        except Exception as error:
            reported.append(error)
            raise

    try:
        return reader(data, shown, limits, tell)
    except Exception as error:
        if isinstance(error, DocumentError) or error in reported:
            raise
        if isinstance(error, RecursionError):
            raise DocumentError(
                f"“{shown}” is nested too deeply to be read.", "Simplify its structure, or save it as plain text."
            ) from error
        raise DocumentError(
            f"“{shown}” seems damaged: its content cannot be read ({type(error).__name__}).",
            "Open it in the program that wrote it, save it again, and upload that.",
        ) from error
