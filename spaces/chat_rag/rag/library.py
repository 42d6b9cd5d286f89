"""One visitor's documents, searchable by meaning and by words; nobody else holds a reference to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.chunk import chunk_document
from rag.documents import Chunk, Document
from rag.embed import Embedder
from rag.errors import DocumentError
from rag.index import Hit, Index, searchable
from rag.parse import SUFFIXES, Limits, read_document

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


class Library:
    """Documents and their two indexes, added to and removed from together; safe across threads."""

    def __init__(self, embedder: Embedder, *, chroma: Any | None = None, limits: Limits | None = None) -> None:
        self._embedder = embedder
        self._limits = limits or Limits()
        self._changing = threading.RLock()
        self._documents: dict[str, Document] = {}
        self._index = Index(chroma)
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
            return Added(known, self._index.count(known.id), again=True)
        if len(self._documents) >= MAX_DOCUMENTS:
            raise DocumentError(
                f"There are {MAX_DOCUMENTS} documents already.", f"Remove one before {document.name} is added."
            )
        chunks = chunk_document(document, size=CHUNK_SIZE, overlap=CHUNK_OVERLAP)
        vectors = self._embedder.encode([searchable(chunk) for chunk in chunks], lambda share: tell("Embedding", share))
        self._keep(document, chunks, vectors)
        return Added(document, len(chunks))

    def remove(self, document_id: str) -> None:
        """Forget a document everywhere."""
        with self._changing:
            if self._documents.pop(document_id, None) is not None:
                self._index.remove(document_id)

    def search(self, question: str, vector: Sequence[float]) -> list[Hit]:
        """Chunks that either search finds, in no order: `rag.retrieve` fuses the scores."""
        with self._changing:
            return self._index.search(question, vector) if self._documents else []

    def close(self) -> None:
        """Forget everything; a file that is being added is dropped when it gets there."""
        with self._changing:
            if self._closed:
                return
            self._closed = True
            self._documents.clear()
            self._index.close()

    def _keep(self, document: Document, chunks: list[Chunk], vectors: list[list[float]]) -> None:
        with self._changing:
            if self._closed:
                raise DocumentError(f"{document.name} was not added: the session has ended.", "Open the page again.")
            self._index.add(document.id, chunks, vectors)
            self._documents[document.id] = document


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


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
