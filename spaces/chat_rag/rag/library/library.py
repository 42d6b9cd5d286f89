"""The searchable documents of one visitor."""

from __future__ import annotations

import copy
import hashlib
import logging
import threading
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.documents import Chunk, Document, Limits
from rag.errors import DocumentError, SessionEnded
from rag.library.document_chunks import embed_document, vectors_label
from rag.library.incoming_files import AddedDocument, ParsedFile, fingerprint
from rag.library.progress import Report, Step
from rag.library.quota import Quota, Size, page_count
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store
from rag.reading.file_names import display_name
from rag.reading.parse import read_document
from rag.reading.processes.pool import ReaderPool, file_readers
from rag.search.embedding.embedders import Embedder
from rag.search.index import Hit, Index

logger = logging.getLogger(__name__)


class Library:
    """Documents and their index, which change together; safe across threads.

    With a `store`, the stored documents are searchable at once, without new embeddings, and a new document is saved
    before it is searchable. Closing the library clears the index, not the store.
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        chroma: Any | None = None,
        limits: Limits | None = None,
        store: Store | MemoryStore | None = None,
        quota: Quota | None = None,
        readers: ReaderPool | None = None,
    ) -> None:
        self._embedder = embedder
        self._limits = limits or Limits()
        self.readers = readers or file_readers()
        self._store = store
        self.quota = quota or Quota()
        self._save_lock = threading.Lock()  # one document is saved at a time; a search doesn't wait for the disk
        self._lock = threading.RLock()
        self._documents: dict[str, Document] = {}
        self._sizes: dict[str, Size] = {}
        self._index = Index(chroma)
        self._left_out: frozenset[str] = frozenset()
        self._unusable: set[str] = set()  # documents of the store that can't be read
        self._closed = False
        if store:
            self._load(store)

    @property
    def documents(self) -> list[Document]:
        """The documents in the order in which they were added."""
        with self._lock:
            return [document for document in self._documents.values() if document.id not in self._left_out]

    @property
    def size(self) -> Size:
        """The number of files, pages and bytes."""
        with self._lock:
            return sum(self._sizes.values(), Size())

    def without(self, documents: Collection[str]) -> Library:
        """Return the same library for questions that leave out some documents, by id."""
        view = copy.copy(self)
        view._left_out = frozenset(documents)
        return view

    def chunk_count(self, document_id: str) -> int:
        """Return the number of pieces of a document that the search finds."""
        with self._lock:
            return self._index.count(document_id)

    def document(self, document_id: str) -> Document | None:
        """Return a document, or None if it isn't in the library."""
        return self._documents.get(document_id)

    def original(self, document_id: str) -> bytes | None:
        """Return the uploaded file, or None without a store."""
        return self._store.original(document_id) if self._store and document_id in self._documents else None

    def add(
        self, path: Path, *, name: str | None = None, folder: str = "", report: Report | None = None
    ) -> AddedDocument:
        """Read, chunk, embed, save and index one file: `read`, then `store`.

        `folder` is where it was, such as "archive.zip/reports"; it comes before the document's name. `report` receives
        the progress; an error that it raises cancels the addition. Raises `DocumentError` if the file can't be used;
        then nothing of it is stored.
        """
        parsed = self.read(path, name=name, folder=folder, report=report)
        return parsed if isinstance(parsed, AddedDocument) else self.store(parsed, report=report)

    def read(
        self, path: Path, *, name: str | None = None, folder: str = "", report: Report | None = None
    ) -> ParsedFile | AddedDocument:
        """Read one file in a process of its own; return the document if the library already has this content."""
        notify = report or _ignore
        notify(Step.READING, 0.0)
        document_id, length = fingerprint(path, self._limits.file_bytes)
        if duplicate := self._duplicate(document_id):
            return duplicate
        self._check_quota(display_name(name or path.name), Size(1, 0, length))
        document = self.readers.run(
            read_document,
            display_name(name or path.name),
            path=path.absolute(),
            name=name,
            limits=self._limits,
            report=lambda share: notify(Step.READING, share),
        )
        if folder:
            document = replace(document, name=f"{folder}/{document.name}")
        size = Size(1, page_count(document), length)
        self._check_quota(document.name, size)
        original = path.read_bytes() if self._store else b""
        if document.id != document_id or (original and hashlib.sha256(original).hexdigest()[:16] != document_id):
            raise DocumentError(f"“{document.name}” changed while it was being read.", "Upload it again.")
        return ParsedFile(document, size, original)

    def store(self, parsed: ParsedFile, *, report: Report | None = None) -> AddedDocument:
        """Chunk, embed, save and index a file that `read` returned; it is searchable after that."""
        notify, document = report or _ignore, parsed.document
        if duplicate := self._duplicate(document.id):
            return duplicate
        notify(Step.EMBEDDING, 0.0)
        chunks, vectors = embed_document(document, self._embedder, lambda share: notify(Step.EMBEDDING, share))
        notify(Step.SAVING, 1.0)
        with self._save_lock, self._store.exclusive() if self._store else nullcontext():
            self._take_over()  # what another process has added counts for the quota
            return self._duplicate(document.id) or self._save(parsed, chunks, vectors)

    def remove(self, document_id: str) -> None:
        """Delete a document from the library, the index and the store."""
        with self._save_lock:
            if self._drop(document_id) and self._store:
                self._store.delete(document_id)

    def refresh(self) -> None:
        """Take over what another process with the same store has added or removed, if the store can be read now."""
        try:
            if self._differs_from_store():
                with self._save_lock:
                    self._take_over()
        except DocumentError as error:
            logger.warning("The documents stay as they were: %s", error)

    def search(self, question: str, vector: Sequence[float]) -> list[Hit]:
        """Return the chunks that either search finds, in no order; `rag.answering.retrieve` fuses the scores."""
        with self._lock:
            if not self._documents:
                return []
            return self._index.search(question, vector, left_out=self._left_out)

    def close(self) -> None:
        """Clear the library and its index; a file that is being added at the same time is dropped."""
        with self._lock:
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
                self._add_to_index(document, size, chunks, vectors)
        except BaseException:
            self.close()
            raise

    def _differs_from_store(self) -> bool:
        if not self._store:
            return False
        stored = self._store.document_ids() - self._unusable
        with self._lock:
            return not self._closed and stored != set(self._documents)

    def _take_over(self) -> None:
        """Make the documents those of the store; a document of another version of the index is left out."""
        if not self._store or not self._differs_from_store():
            return
        stored = self._store.document_ids()
        self._unusable &= stored
        for document_id in set(self._documents) - stored:
            self._drop(document_id)
        for document_id in stored - set(self._documents) - self._unusable:
            self._take_over_document(self._store, document_id)

    def _take_over_document(self, store: Store | MemoryStore, document_id: str) -> None:
        try:
            stored, length = store.read(document_id, self._label), store.size(document_id)
        except (DocumentError, OSError) as error:
            logger.warning("A stored document can't be read now (%s).", error)
            return
        if stored is None:
            self._unusable.add(document_id)
            return
        size = Size(1, page_count(stored.document), length)
        self._add_to_index(stored.document, size, stored.chunks, stored.vectors)

    def _drop(self, document_id: str) -> bool:
        """Take a document out of the memory; return whether it was there."""
        with self._lock:
            if self._documents.pop(document_id, None) is None:
                return False
            del self._sizes[document_id]
            self._index.remove(document_id)
            return True

    def _save(self, parsed: ParsedFile, chunks: list[Chunk], vectors: Any) -> AddedDocument:
        document = parsed.document
        self._check_quota(document.name, parsed.size)
        if self._store:
            self._store.save(document, chunks, vectors, parsed.original, label=self._label)
        try:
            self._add_to_index(document, parsed.size, chunks, vectors)
        except BaseException:
            if self._store:
                self._store.delete(document.id)
            raise
        return AddedDocument(document, len(chunks))

    def _add_to_index(self, document: Document, size: Size, chunks: list[Chunk], vectors: Any) -> None:
        with self._lock:
            if self._closed:
                raise SessionEnded(document.name)
            self._index.add(document.id, chunks, vectors)
            self._documents[document.id] = document
            self._sizes[document.id] = size

    def _duplicate(self, document_id: str) -> AddedDocument | None:
        with self._lock:
            document = self._documents.get(document_id)
            return AddedDocument(document, self._index.count(document_id), duplicate=True) if document else None

    def _check_quota(self, name: str, addition: Size) -> None:
        with self._lock:
            largest = max(self._sizes, key=lambda document_id: self._sizes[document_id].pages, default=None)
            largest_name = self._documents[largest].name if largest else ""
            self.quota.check(name, addition, self.size, largest_name)

    @property
    def _label(self) -> str:
        return vectors_label(self._embedder.full_name)


def _ignore(step: Step, share: float) -> None:
    pass
