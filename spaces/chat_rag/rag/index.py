"""Chunks that can be found by meaning and by words; both indexes are changed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.documents import Chunk
from rag.lexical import LexicalIndex
from rag.vectors import VectorIndex


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found; a score is None where that search did not find it."""

    chunk: Chunk
    dense: float | None
    lexical: float | None


class Index:
    """The chunks of one library; whoever holds it sees to it that one thread changes it at a time."""

    def __init__(self, chroma: Any | None = None) -> None:
        self._chroma = chroma
        self._chunks: dict[str, Chunk] = {}
        self._lexical = LexicalIndex()
        self._vectors: VectorIndex | None = None

    def add(self, document_id: str, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]) -> None:
        """Add a document's chunks, or none of them: half a document would answer as if it were whole."""
        keys = [f"{document_id}-{chunk.start}" for chunk in chunks]
        if self._vectors is None:
            self._vectors = VectorIndex(self._chroma)
        try:
            self._vectors.add(document_id, keys, vectors)
            self._lexical.add(document_id, zip(keys, map(searchable, chunks), strict=True))
        except BaseException:
            self.remove(document_id)
            raise
        self._chunks.update(zip(keys, chunks, strict=True))

    def remove(self, document_id: str) -> None:
        """Remove every chunk of a document."""
        self._chunks = {key: chunk for key, chunk in self._chunks.items() if chunk.document_id != document_id}
        self._lexical.remove(document_id)
        if self._vectors:
            self._vectors.remove(document_id)

    def search(self, question: str, vector: Sequence[float], limit: int = 100) -> list[Hit]:
        """Chunks that either search finds, in no order: `rag.retrieve` fuses the scores."""
        if not self._chunks or self._vectors is None:
            return []
        dense = dict(self._vectors.search(vector, min(limit, len(self._chunks))))
        lexical = dict(self._lexical.search(question, limit))
        found = [key for key in dense.keys() | lexical.keys() if key in self._chunks]
        return [Hit(self._chunks[key], dense.get(key), lexical.get(key)) for key in sorted(found)]

    def count(self, document_id: str) -> int:
        """How many chunks a document has."""
        return sum(chunk.document_id == document_id for chunk in self._chunks.values())

    def close(self) -> None:
        """Delete everything."""
        self._chunks.clear()
        self._lexical.close()
        if self._vectors:
            self._vectors.close()


def searchable(chunk: Chunk) -> str:
    """What is indexed of a chunk: its text under its heading, which often names the subject."""
    return f"{chunk.heading}\n{chunk.text}" if chunk.heading and chunk.heading not in chunk.text else chunk.text
