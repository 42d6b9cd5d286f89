"""Reads the table of contents of a ZIP archive."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from rag.documents import ShareReport
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.archives.limits import ArchiveLimits
from rag.reading.file_names import display_name
from rag.reading.parse import is_supported

ARCHIVE_SUFFIX = ".zip"
_LOCKED = 0x1  # the flag of an entry with a password
_UTF8 = 0x800
# What operating systems put into archives.
_SYSTEM_NAMES = ("__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive.

    `name` is its path in the archive, only to be shown. Its data are `compressed_bytes` after the header at `offset`.
    `problem` is why it isn't read, "" if it is.
    """

    name: str
    offset: int
    compressed_bytes: int
    bytes: int
    checksum: int
    deflated: bool
    problem: str = ""


def list_archive(path: Path, *, name: str, limits: ArchiveLimits, report: ShareReport | None = None) -> list[Entry]:
    """Return the files of an archive in their order, without folders and files of the operating system.

    There is no progress to report. This is for a reader process: a table of contents can have a million entries.
    Raises `DocumentError`.
    """
    try:
        with ZipFile(path) as archive:
            entries = list(_entries(archive.infolist()[: limits.entries + 1], limits))
            count = len(archive.infolist())
    except (OSError, ValueError, BadZipFile, NotImplementedError) as error:
        raise FileError(FileProblem.INVALID_ARCHIVE, name=name, reason=type(error).__name__) from error
    if count > limits.entries:
        raise DocumentError(
            f"“{name}” has {count:,} entries; the limit is {limits.entries:,}.", "Pack only the documents."
        )
    return entries


def is_archive(name: str) -> bool:
    """Return whether a file is a ZIP archive by its name."""
    return PurePosixPath(name).suffix.lower() == ARCHIVE_SUFFIX


def _entries(infos: list[ZipInfo], limits: ArchiveLimits) -> Iterator[Entry]:
    for info in infos:
        parts = _parts(info)
        if info.is_dir() or not parts or any(part in _SYSTEM_NAMES or part.startswith(".") for part in parts):
            continue
        yield Entry(
            "/".join(map(display_name, parts)),
            info.header_offset,
            info.compress_size,
            info.file_size,
            info.CRC,
            info.compress_type == ZIP_DEFLATED,
            _problem(info, parts, limits),
        )


def _parts(info: ZipInfo) -> list[str]:
    """Return the folders and the name of a file; nothing is ever written to this path."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8:  # most programs of today write UTF-8 without the flag
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return [part for part in name.replace("\\", "/").split("/") if part.strip(". ") and not part.endswith(":")]


def _problem(info: ZipInfo, parts: list[str], limits: ArchiveLimits) -> str:
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link"
    if info.flag_bits & _LOCKED:
        return "locked with a password"
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "packed in an unsupported way"
    if len(parts) > limits.folders + 1:
        return "in too many folders"
    if not is_supported(parts[-1]) and not is_archive(parts[-1]):
        return "unsupported file type"
    return ""
