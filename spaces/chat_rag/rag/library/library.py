"""One visitor's documents, searchable by meaning and by words; nobody else holds a reference to them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat_page.strings import ENGLISH
from rag.documents import Chunk, Document
from rag.errors import DocumentError
from rag.library.quota import Quota, Size, amount, page_count
from rag.library.store import MemoryStore, Store
from rag.reading.chunk import chunk_document
from rag.reading.parse import SUFFIXES, Limits, display_name, read_document
from rag.search.embedders import Embedder
from rag.search.index import Hit, Index, search_text

# Characters. Small chunks are found exactly, and `rag.answering.retrieve` joins neighbours; overlap would repeat text.
# Measured on 472 questions (benchmarks/retrieval.py): 400 to 500 find most.
CHUNK_SIZE, CHUNK_OVERLAP = 450, 0
# Raised when documents are cut otherwise at the same sizes: what is kept of them then is read anew.
CHUNKING_VERSION = 2
Report = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Added:
    """What was read of one file; `again` says that the same content was here already."""

    document: Document
    chunks: int
    again: bool = False

    @property
    def summary(self) -> str:
        """One line for the person who sent the file."""
        pages = f"{amount(len(self.document.pages), 'page')}, " if self.document.pages else ""
        again = " (was here already)" if self.again else ""
        characters = f"{len(self.document.text):,} characters"
        return f"{self.document.name}: {pages}{characters}, {amount(self.chunks, 'chunk')}{again}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that has been read and is not kept yet; `original` is empty where nothing keeps it."""

    document: Document
    size: Size
    original: bytes


class Library:
    """Documents and their index, added to and removed from together; safe across threads.

    With a `store`, what it holds is there at once, without being embedded again, and what is added is saved
    before it is found. Closing forgets the index, not the store.
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        chroma: Any | None = None,
        limits: Limits | None = None,
        store: Store | MemoryStore | None = None,
        quota: Quota | None = None,
    ) -> None:
        self._embedder = embedder
        self._limits = limits or Limits()
        self._store = store
        self._quota = quota or Quota()
        self._adding = threading.Lock()  # one at a time is saved; a search does not wait for the disk
        self._changing = threading.RLock()
        self._documents: dict[str, Document] = {}
        self._sizes: dict[str, Size] = {}
        self._index = Index(chroma)
        self._closed = False
        if store:
            self._load(store)

    @property
    def documents(self) -> list[Document]:
        with self._changing:
            return list(self._documents.values())

    @property
    def size(self) -> Size:
        """How many files, pages and bytes there are."""
        with self._changing:
            return sum(self._sizes.values(), Size())

    def document(self, document_id: str) -> Document | None:
        return self._documents.get(document_id)

    def original(self, document_id: str) -> bytes | None:
        """The file as it was sent, where there is a store that keeps it."""
        return self._store.original(document_id) if self._store and document_id in self._documents else None

    def add(self, path: Path, *, name: str | None = None, report: Report | None = None) -> Added:
        """Read, chunk, embed and keep one file; it is searchable when this returns, or not at all.

        `report(step, share)` tells the progress; what it raises ends the addition, and nothing is kept.
        `DocumentError` says why a file cannot be used.
        """
        read = self.read(path, name=name, report=report)
        return read if isinstance(read, Added) else self.keep(read, report=report)

    def read(self, path: Path, *, name: str | None = None, report: Report | None = None) -> Reading | Added:
        """The first half of `add`, for whoever reads one file while another is embedded."""
        tell = report or _nothing
        tell(ENGLISH.file_reads, 0.0)
        fingerprint, length = _fingerprint(path, self._limits.file_bytes)
        if added := self._again(fingerprint):
            return added
        self._check(display_name(name or path.name), Size(1, 0, length))
        document = read_document(
            path, name=name, limits=self._limits, report=lambda share: tell(ENGLISH.file_reads, share)
        )
        size = Size(1, page_count(document), length)
        self._check(document.name, size)
        original = path.read_bytes() if self._store else b""
        if document.id != fingerprint or (original and hashlib.sha256(original).hexdigest()[:16] != fingerprint):
            raise DocumentError(f"“{document.name}” was changed while it was read.", "Upload it again.")
        return Reading(document, size, original)

    def keep(self, reading: Reading, *, report: Report | None = None) -> Added:
        """The second half of `add`: chunk, embed, save, index."""
        tell, document = report or _nothing, reading.document
        if added := self._again(document.id):
            return added
        tell(ENGLISH.file_embeds, 0.0)
        chunks = chunk_document(document, size=CHUNK_SIZE, overlap=CHUNK_OVERLAP)
        vectors = self._embedder.encode(
            [search_text(chunk) for chunk in chunks], lambda share: tell(ENGLISH.file_embeds, share)
        )
        tell(ENGLISH.file_saves, 1.0)
        with self._adding:
            return self._again(document.id) or self._keep(reading, chunks, vectors)

    def remove(self, document_id: str) -> None:
        """Forget a document everywhere."""
        with self._changing:
            if self._documents.pop(document_id, None) is None:
                return
            del self._sizes[document_id]
            self._index.remove(document_id)
        if self._store:
            self._store.delete(document_id)

    def search(self, question: str, vector: Sequence[float]) -> list[Hit]:
        """Chunks that either search finds, in no order: `rag.answering.retrieve` fuses the scores."""
        with self._changing:
            return self._index.search(question, vector) if self._documents else []

    def close(self) -> None:
        """Forget everything; a file that is being added is dropped when it gets there."""
        with self._changing:
            if self._closed:
                return
            self._closed = True
            self._documents.clear()
            self._sizes.clear()
            self._index.close()

    def _load(self, store: Store | MemoryStore) -> None:
        try:
            for document, chunks, vectors in store.load(self._label):
                size = Size(1, page_count(document), store.size(document.id))
                self._show(document, size, chunks, vectors)
        except BaseException:
            self.close()
            raise

    def _keep(self, reading: Reading, chunks: list[Chunk], vectors: Any) -> Added:
        document = reading.document
        self._check(document.name, reading.size)
        if self._store:
            self._store.save(document, chunks, vectors, reading.original, label=self._label)
        try:
            self._show(document, reading.size, chunks, vectors)
        except BaseException:
            if self._store:
                self._store.delete(document.id)
            raise
        return Added(document, len(chunks))

    def _show(self, document: Document, size: Size, chunks: list[Chunk], vectors: Any) -> None:
        """From here on a document is found."""
        with self._changing:
            if self._closed:
                raise DocumentError(f"{document.name} was not added: the session has ended.", "Open the page again.")
            self._index.add(document.id, chunks, vectors)
            self._documents[document.id] = document
            self._sizes[document.id] = size

    def _again(self, document_id: str) -> Added | None:
        with self._changing:
            known = self._documents.get(document_id)
            return Added(known, self._index.count(known.id), again=True) if known else None

    def _check(self, name: str, more: Size) -> None:
        with self._changing:
            largest = max(self._sizes, key=lambda known: self._sizes[known].pages, default=None)
            shown = self._documents[largest].name if largest else ""
            self._quota.check(name, more, self.size, shown)

    @property
    def _label(self) -> str:
        """What vectors depend on: those of another model, or of other chunks, are of no use here."""
        return f"{self._embedder.name} {CHUNKING_VERSION} {CHUNK_SIZE} {CHUNK_OVERLAP}"


class SampleLibrary(Library):
    """The documents of a folder, the same for everybody, read when they are first searched."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        super().__init__(embedder)
        self._waiting = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)
        self._reading = threading.Lock()

    @property
    def documents(self) -> list[Document]:
        with self._reading:
            while self._waiting:
                self.add(self._waiting[0])
                self._waiting.pop(0)
        return super().documents


def _nothing(step: str, share: float) -> None:
    pass


def _fingerprint(path: Path, limit: int) -> tuple[str, int]:
    """The identifier that the file's document will have, and its bytes; nothing of one that cannot be read."""
    try:
        length = path.stat().st_size
        if length <= limit:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()[:16], length
    except (OSError, ValueError):
        pass  # reading it says what is wrong
    return "", 0
