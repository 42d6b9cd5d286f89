"""Storage of a visitor's documents and conversation on disk; each is stored completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.documents import Chunk, Document
from rag.errors import DocumentError, SessionEnded
from rag.library import disk
from rag.library.stored_files import ORIGINAL, StoredDocument, folder_files, read_folder

logger = logging.getLogger(__name__)
_ID = re.compile(r"[0-9a-f]{8,64}")
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Store:
    """The folder of one visitor; safe across threads. Only the owner has access: folders are 0700, files 0600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._documents = folder / "documents"
        self._conversation = folder / "conversation.json"
        self._lock = threading.Lock()
        self._destroyed = False

    def save(
        self, document: Document, chunks: Sequence[Chunk], vectors: Any, original: bytes, *, label: str = ""
    ) -> None:
        """Save a document, its chunks, one vector (float32) per chunk, and the uploaded file.

        `label` identifies the model and the chunker. Raises `DocumentError` if the disk is full or the session has
        ended.
        """
        place = self._place(document.id)
        files = folder_files(document, chunks, vectors, original, label)
        with self._lock, _disk_errors(f"Can't save “{document.name}”"):
            if self._destroyed:
                raise SessionEnded(document.name)
            if not place.exists():
                disk.make_folder(self._documents)
                disk.write_folder(place, files)

    def load(self, label: str = "") -> Iterator[StoredDocument]:
        """Yield each stored document; delete those that are damaged or have another label."""
        self.delete_unfinished()
        for place in sorted(self._documents.glob("[!.]*")):
            try:
                stored = read_folder(place, label)
            except (OSError, ValueError, TypeError, KeyError) as error:
                logger.warning("A stored document is damaged or out of date and is deleted: %s", error)
                disk.remove(place)
                continue
            yield stored

    def original(self, document_id: str) -> bytes | None:
        """Return the uploaded file, or None if it isn't stored."""
        with contextlib.suppress(DocumentError, FileNotFoundError):
            return (self._place(document_id) / ORIGINAL).read_bytes()
        return None

    def size(self, document_id: str) -> int:
        """Return the size of the uploaded file in bytes, 0 if it isn't stored."""
        with contextlib.suppress(DocumentError, FileNotFoundError):
            return (self._place(document_id) / ORIGINAL).stat().st_size
        return 0

    def total_bytes(self) -> int:
        """Return the size of everything that is stored."""
        total = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                total += path.stat().st_size
        return total

    def delete(self, document_id: str) -> None:
        """Delete a document."""
        with self._lock, _disk_errors("Can't delete the document"):
            disk.remove(self._place(document_id))

    def write_conversation(self, value: Any) -> None:
        """Replace the stored conversation with a JSON value; after `destroy`, do nothing.

        Raises `DocumentError` if the disk is full; the previous value is then unchanged.
        """
        data = json.dumps(value).encode()
        with self._lock, _disk_errors("Can't save the conversation"):
            if not self._destroyed:
                disk.make_folder(self.folder)
                disk.write_file(self._conversation, data)

    def read_conversation(self) -> Any:
        """Return the stored conversation, or None if there is none; `ValueError` if the file is damaged."""
        try:
            data = self._conversation.read_bytes()
        except OSError:
            return None
        return json.loads(data)

    def touch(self, last_seen: float) -> None:
        """Record on disk when the visitor was last seen, as a Unix time; do nothing if nothing is stored."""
        with contextlib.suppress(OSError):
            os.utime(self.folder, (last_seen, last_seen))

    def delete_unfinished(self) -> None:
        """Delete the files that a process left half written when it ended."""
        with self._lock:
            paths = [path for folder in (self.folder, self._documents) for path in folder.glob(f"{disk.UNFINISHED}*")]
            last_seen = self.folder.stat().st_mtime if paths else 0.0
            for path in paths:
                disk.delete(path)
        if paths:
            self.touch(last_seen)  # otherwise the deletion would count as a visit

    def destroy(self) -> None:
        """Delete everything at once and accept no more documents."""
        with self._lock, _disk_errors("Can't delete the documents"):
            self._destroyed = True
            disk.remove(self.folder)

    def _place(self, document_id: str) -> Path:
        if not _ID.fullmatch(document_id):
            raise DocumentError("There is no such document.", "Choose one from the list.")
        return self._documents / document_id


class MemoryStore:
    """A store without a disk: uploaded files and the conversation end with the process."""

    def __init__(self) -> None:
        self._originals: dict[str, bytes] = {}
        self._conversation: str | None = None
        self._destroyed = False

    def save(
        self, document: Document, chunks: Sequence[Chunk], vectors: Any, original: bytes, *, label: str = ""
    ) -> None:
        if self._destroyed:
            raise SessionEnded(document.name)
        self._originals[document.id] = original

    def load(self, label: str = "") -> Iterator[StoredDocument]:
        return iter(())

    def original(self, document_id: str) -> bytes | None:
        return self._originals.get(document_id)

    def size(self, document_id: str) -> int:
        return len(self._originals.get(document_id, b""))

    def total_bytes(self) -> int:
        return sum(map(len, list(self._originals.values()))) + len(self._conversation or "")

    def delete(self, document_id: str) -> None:
        self._originals.pop(document_id, None)

    def write_conversation(self, value: Any) -> None:
        self._conversation = None if self._destroyed else json.dumps(value)

    def read_conversation(self) -> Any:
        return None if self._conversation is None else json.loads(self._conversation)

    def destroy(self) -> None:
        self._destroyed = True
        self._originals.clear()
        self._conversation = None


@contextlib.contextmanager
def _disk_errors(problem: str) -> Iterator[None]:
    """Turn an `OSError` into a `DocumentError` with the message `problem`."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            remedy = "Remove documents that you no longer need, or try again later."
            raise DocumentError(f"{problem}: the disk is full.", remedy) from error
        raise DocumentError(f"{problem} ({type(error).__name__}).", "Try again.") from error
