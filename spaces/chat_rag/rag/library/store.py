"""What a visitor's documents and conversation are on disk: each is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.documents import Chunk, Document, Page
from rag.errors import DocumentError, SessionEnded
from rag.library import disk

logger = logging.getLogger(__name__)
Saved = tuple[Document, list[Chunk], Any]
FORMAT = 1
_ID = re.compile(r"[0-9a-f]{8,64}")
_DOCUMENT, _VECTORS, _ORIGINAL, _SUMS = "document.json", "vectors.npy", "original", "sums.json"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Store:
    """A folder of one visitor; safe across threads. Folders are for their owner alone (0700), files too (0600)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._documents = folder / "documents"
        self._conversation = folder / "conversation.json"
        self._changing = threading.Lock()
        self._destroyed = False

    def save(
        self, document: Document, chunks: Sequence[Chunk], vectors: Any, original: bytes, *, label: str = ""
    ) -> None:
        """Keep a document, its chunks, one vector (float32) a chunk, and the file as it was sent.

        `label` names what made the vectors. `DocumentError` if the disk is full or the visitor has left.
        """
        place = self._place(document.id)
        parts = {_DOCUMENT: _as_json(document, chunks, label), _VECTORS: _as_npy(vectors), _ORIGINAL: original}
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
        with self._changing, _telling(f"“{document.name}” could not be kept"):
            if self._destroyed:
                raise SessionEnded(document.name)
            if not place.exists():
                disk.make_folder(self._documents)
                disk.write_folder(place, parts | {_SUMS: json.dumps({"format": FORMAT, "sha256": sums}).encode()})

    def load(self, label: str = "") -> Iterator[Saved]:
        """Each document with its chunks and vectors; what is damaged or has another label is deleted on the way."""
        self.tidy()
        for place in sorted(self._documents.glob("[!.]*")):
            try:
                saved = _read_folder(place, label)
            except (OSError, ValueError, TypeError, KeyError) as error:
                logger.warning("A kept document is damaged or out of date (%s); it is deleted.", error)
                disk.remove(place)
                continue
            yield saved

    def original(self, document_id: str) -> bytes | None:
        """The file as it was sent."""
        with contextlib.suppress(DocumentError, FileNotFoundError):
            return (self._place(document_id) / _ORIGINAL).read_bytes()
        return None

    def size(self, document_id: str) -> int:
        """The bytes of the file as it was sent, 0 for one that is not here."""
        with contextlib.suppress(DocumentError, FileNotFoundError):
            return (self._place(document_id) / _ORIGINAL).stat().st_size
        return 0

    def delete(self, document_id: str) -> None:
        """Forget a document."""
        with self._changing, _telling("The document could not be deleted"):
            disk.remove(self._place(document_id))

    def write_conversation(self, value: Any) -> None:
        """Keep a JSON value in place of the last one; after `destroy` nothing is written.

        `DocumentError` if the disk is full: the last value is still there then.
        """
        data = json.dumps(value).encode()
        with self._changing, _telling("The conversation could not be kept"):
            if not self._destroyed:
                disk.make_folder(self.folder)
                disk.write_file(self._conversation, data)

    def read_conversation(self) -> Any:
        """Return the last conversation, or None if there is none; `ValueError` if the file is damaged."""
        try:
            data = self._conversation.read_bytes()
        except OSError:
            return None
        return json.loads(data)

    def touch(self, seen: float) -> None:
        """Note on the disk when the visitor was seen last, in seconds since 1970; nothing where nothing is kept."""
        with contextlib.suppress(OSError):
            os.utime(self.folder, (seen, seen))

    def tidy(self) -> None:
        """Delete what an end of the process in the middle of a write has left."""
        with self._changing:
            left = [path for folder in (self.folder, self._documents) for path in folder.glob(f"{disk.UNFINISHED}*")]
            seen = self.folder.stat().st_mtime if left else 0.0
            for path in left:
                disk.delete(path)
        if left:
            self.touch(seen)  # a deletion would count as a visit

    def destroy(self) -> None:
        """Delete everything, at once; what is being saved meanwhile is refused."""
        with self._changing, _telling("The documents could not be deleted"):
            self._destroyed = True
            disk.remove(self.folder)

    def _place(self, document_id: str) -> Path:
        if not _ID.fullmatch(document_id):
            raise DocumentError("There is no such document.", "Choose one from the list.")
        return self._documents / document_id


class MemoryStore:
    """The same without a disk: the originals and the conversation go with the process."""

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

    def load(self, label: str = "") -> Iterator[Saved]:
        return iter(())

    def original(self, document_id: str) -> bytes | None:
        return self._originals.get(document_id)

    def size(self, document_id: str) -> int:
        return len(self._originals.get(document_id, b""))

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


def _as_json(document: Document, chunks: Sequence[Chunk], label: str) -> bytes:
    """Chunks without their text, which is a part of the document's."""
    names = [name for name in Chunk.__dataclass_fields__ if name != "text"]
    value = {
        "label": label,
        "document": {name: getattr(document, name) for name in Document.__dataclass_fields__ if name != "pages"},
        "pages": [(page.number, page.start, page.end) for page in document.pages],
        "chunks": [{name: getattr(chunk, name) for name in names} for chunk in chunks],
    }
    return json.dumps(value).encode()


def _as_npy(vectors: Any) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.asarray(vectors, dtype=np.float32), allow_pickle=False)
    return stream.getvalue()


def _read_folder(place: Path, label: str) -> Saved:
    """The document that lies in a folder; `ValueError` and its like where it is not as it was written."""
    import numpy as np

    sums = json.loads((place / _SUMS).read_bytes())
    if sums["format"] != FORMAT:
        raise ValueError(f"it has format {sums['format']}")
    parts = {name: (place / name).read_bytes() for name in (_DOCUMENT, _VECTORS, _ORIGINAL)}
    for name, data in parts.items():
        if hashlib.sha256(data).hexdigest() != sums["sha256"][name]:
            raise ValueError(f"{name} was changed")
    value = json.loads(parts[_DOCUMENT])
    if value["label"] != label:
        raise ValueError(f"it was made by {value['label']}")
    document = Document(**value["document"], pages=tuple(Page(*page) for page in value["pages"]))
    chunks = [Chunk(**fields, text=document.text[fields["start"] : fields["end"]]) for fields in value["chunks"]]
    return document, chunks, np.load(io.BytesIO(parts[_VECTORS]), allow_pickle=False)


@contextlib.contextmanager
def _telling(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            remedy = "Remove documents that you no longer need, or try again later."
            raise DocumentError(f"{what}: the disk is full.", remedy) from error
        raise DocumentError(f"{what} ({type(error).__name__}).", "Try again.") from error
