"""Exact search of vectors in this process's memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any


class ExactVectors:
    """The vectors of one library, all of length 1. Not safe across threads.

    A visitor's 2,000 pages are 20,000 vectors, which a search compares in 4 ms. Embedded Chroma finds neighbours that
    are only nearly the nearest, and keeps 3 kB for each vector of a deleted collection until the process ends.
    """

    def __init__(self) -> None:
        self._documents: dict[str, Any] = {}

    def add(self, document_id: str, vectors: Any) -> None:
        """Add a document's vectors, one for each chunk, in order."""
        self._documents[document_id] = vectors

    def remove(self, document_id: str) -> None:
        """Remove a document's vectors."""
        self._documents.pop(document_id, None)

    def search(self, vector: Sequence[float], limit: int, left_out: Collection[str] = ()) -> list[tuple[str, float]]:
        """Return the nearest chunks of the documents that aren't left out, each with its key and cosine similarity."""
        import numpy as np

        documents = {name: vectors for name, vectors in self._documents.items() if name not in left_out}
        if not documents:
            return []
        question = np.asarray(vector, np.float32)
        cosines = np.concatenate([vectors @ question for vectors in documents.values()])
        best = np.argpartition(-cosines, limit)[:limit] if len(cosines) > limit else np.arange(len(cosines))
        keys = chunk_keys(best, {name: len(vectors) for name, vectors in documents.items()})
        return list(zip(keys, cosines[best].tolist(), strict=True))

    def close(self) -> None:
        """Delete everything."""
        self._documents.clear()


def chunk_key(document_id: str, row: int) -> str:
    """Return what a chunk is called in an index: its document and its position there."""
    return f"{document_id}/{row}"


def chunk_keys(positions: Any, counts: Mapping[str, int]) -> list[str]:
    """Return the keys of the chunks at some positions, of documents with these numbers of chunks, one after another."""
    import numpy as np

    names, ends = list(counts), np.cumsum(list(counts.values()))
    owners = np.searchsorted(ends, positions, side="right")
    starts = np.concatenate([[0], ends])
    rows = positions - starts[owners]
    return [chunk_key(names[owner], row) for owner, row in zip(owners.tolist(), rows.tolist(), strict=True)]
