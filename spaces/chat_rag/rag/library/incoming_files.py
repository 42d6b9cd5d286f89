"""Files on their way into a library: their fingerprint, and what was read from them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rag.documents import Document
from rag.library.progress import FileSummary
from rag.library.quota import Size


@dataclass(frozen=True, slots=True)
class AddedDocument:
    """A document and its number of chunks; `duplicate` means that the library already has this content."""

    document: Document
    chunks: int
    duplicate: bool = False

    @property
    def summary(self) -> FileSummary:
        """The facts about the document, without its text."""
        document = self.document
        return FileSummary(
            document.name, len(document.pages), len(document.text), self.chunks, self.duplicate, document.notes
        )


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file that has been read but not stored; `original` is empty if there is no store."""

    document: Document
    size: Size
    original: bytes


def fingerprint(path: Path, max_bytes: int) -> tuple[str, int]:
    """Return the file's document id and its length in bytes; `("", 0)` if it is too large or can't be read."""
    try:
        length = path.stat().st_size
        if length <= max_bytes:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()[:16], length
    except (OSError, ValueError):
        pass  # `read_document` reports the error
    return "", 0
