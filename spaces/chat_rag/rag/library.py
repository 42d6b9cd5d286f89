"""One visitor's documents, searchable by meaning and by words; nobody else holds a reference to them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.chunk import chunk_document
from rag.documents import Chunk, Document
from rag.embed import Embedder
from rag.errors import DocumentError
from rag.lexical import LexicalIndex
from rag.parse import SUFFIXES, Limits, read_document
from rag.vectors import VectorIndex

MAX_DOCUMENTS = 50
# Characters. Measured with the weights of rag.retrieve (benchmarks/retrieval.py): better than 1000, and a small
# model reads three of these in the time of two of those.
CHUNK_SIZE, CHUNK_OVERLAP = 700, 100
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
        pages = f"{_count(len(self.document.pages), 'page')}, " if self.document.pages else ""
        again = " (was here already)" if self.again else ""
        characters = f"{len(self.document.text):,} characters"
        return f"{self.document.name}: {pages}{characters}, {_count(self.chunks, 'chunk')}{again}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found; a score is None where that search did not find it."""

    chunk: Chunk
    dense: float | None
    lexical: float | None


class Library:
    """Documents and their two indexes, added to and removed from together; safe across threads."""

    def __init__(self, embedder: Embedder, *, chroma: Any | None = None, limits: Limits | None = None) -> None:
        self._embedder = embedder
        self._chroma = chroma
        self._limits = limits or Limits()
        self._changing = threading.RLock()
        self._documents: dict[str, Document] = {}
        self._chunks: dict[str, Chunk] = {}
        self._lexical = LexicalIndex()
        self._vectors: VectorIndex | None = None
        self._closed = False

    @property
    def documents(self) -> list[Document]:
        with self._changing:
            return list(self._documents.values())

    def document(self, document_id: str) -> Document | None:
        return self._documents.get(document_id)

    def add(self, path: Path, *, name: str | None = None, report: Report | None = None) -> Added:
        """Read, chunk, embed and index one file; it is searchable when this returns, or not at all.

        `report(step, share)` tells the progress. `DocumentError` says why a file cannot be used.
        """
        tell = report or (lambda step, share: None)
        tell("Reading", 0.0)
        document = read_document(path, name=name, limits=self._limits)
        if known := self._documents.get(document.id):
            return Added(known, self._count(known.id), again=True)
        if len(self._documents) >= MAX_DOCUMENTS:
            raise DocumentError(
                f"There are {MAX_DOCUMENTS} documents already.", f"Remove one before {document.name} is added."
            )
        chunks = chunk_document(document, size=CHUNK_SIZE, overlap=CHUNK_OVERLAP)
        texts = [searchable(chunk) for chunk in chunks]
        vectors = self._embedder.encode(texts, lambda share: tell("Embedding", share))
        self._keep(document, chunks, texts, vectors)
        return Added(document, len(chunks))

    def remove(self, document_id: str) -> None:
        """Forget a document everywhere."""
        with self._changing:
            if self._documents.pop(document_id, None) is None:
                return
            self._chunks = {key: chunk for key, chunk in self._chunks.items() if chunk.document_id != document_id}
            self._lexical.remove(document_id)
            if self._vectors:
                self._vectors.remove(document_id)

    def search(self, question: str, vector: list[float], limit: int = 100) -> list[Hit]:
        """Chunks that either search finds, in no order: `rag.retrieve` fuses the scores."""
        with self._changing:
            if not self._chunks or self._vectors is None:
                return []
            dense = dict(self._vectors.search(vector, min(limit, len(self._chunks))))
            lexical = dict(self._lexical.search(question, limit))
            found = [key for key in dense.keys() | lexical.keys() if key in self._chunks]
            return [Hit(self._chunks[key], dense.get(key), lexical.get(key)) for key in sorted(found)]

    def close(self) -> None:
        """Forget everything; a file that is being added is dropped when it gets there."""
        with self._changing:
            if self._closed:
                return
            self._closed = True
            self._documents.clear()
            self._chunks.clear()
            self._lexical.close()
            if self._vectors:
                self._vectors.close()

    def _keep(self, document: Document, chunks: list[Chunk], texts: list[str], vectors: list[list[float]]) -> None:
        keys = [f"{document.id}-{chunk.start}" for chunk in chunks]
        with self._changing:
            if self._closed:
                raise DocumentError(f"{document.name} was not added: the session has ended.", "Open the page again.")
            if self._vectors is None:
                self._vectors = VectorIndex(self._chroma)
            try:
                self._vectors.add(document.id, keys, vectors)
                self._lexical.add(document.id, zip(keys, texts, strict=True))
            except BaseException:
                # Half a document would answer questions as if it were whole.
                self._vectors.remove(document.id)
                self._lexical.remove(document.id)
                raise
            self._chunks.update(zip(keys, chunks, strict=True))
            self._documents[document.id] = document

    def _count(self, document_id: str) -> int:
        return sum(chunk.document_id == document_id for chunk in self._chunks.values())


class Samples(Library):
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


def searchable(chunk: Chunk) -> str:
    """What is indexed of a chunk: its text under its heading, which often names the subject."""
    return f"{chunk.heading}\n{chunk.text}" if chunk.heading and chunk.heading not in chunk.text else chunk.text


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
