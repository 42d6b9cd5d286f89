"""Index of chunks by meaning and by words; each chunk is scored together with its neighbours."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rag.documents import Chunk
from rag.search.bm25 import BM25Index, Postings
from rag.search.chroma_vectors import VectorIndex
from rag.search.memory_vectors import ExactVectors, chunk_keys
from rag.search.quantized_vectors import QuantizedVectors

# The share of the previous and the next chunk's score that is added to a chunk's own. Measured with
# benchmarks/search/retrieval.py: values from 0.25 to 0.5 find the same; without it, 3 points less of the answers
# are found.
NEIGHBOUR_WEIGHT = 0.4
# Vectors per document that estimate the distribution of all cosines; 50 were as accurate.
SAMPLE_SIZE = 100

# How many chunks each of the two searches finds.
HITS = 100


@dataclass(frozen=True, slots=True)
class ScoreSpread:
    """Mean and standard deviation of each search's scores over all `chunks` of an index, for one question."""

    chunks: int
    dense: tuple[float, float]
    lexical: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found: `dense` is a cosine, `lexical` a BM25 score, both with the neighbours' shares.

    `dense` is None if the dense search didn't return the chunk, `lexical` if no word of the question is near it.
    """

    chunk: Chunk
    dense: float | None
    lexical: float | None
    spread: ScoreSpread


@dataclass(frozen=True, slots=True)
class _IndexedDocument:
    """A document's chunks and a sample of its vectors, evenly spaced."""

    chunks: list[Chunk]
    sample: Any


class Index:
    """The chunks of one library. Not thread-safe: the caller makes changes one at a time."""

    def __init__(self, chroma: Any | None = None) -> None:
        self._chroma = chroma
        self._documents: dict[str, _IndexedDocument] = {}
        self._lexical = BM25Index()
        self._vectors: VectorIndex | ExactVectors | None = None
        self._sample: Any = None  # sample vectors of all documents, and the share of all chunks that each represents

    def add(self, document_id: str, chunks: Sequence[Chunk], vectors: Any) -> None:
        """Add a document's chunks, in order, with one vector each; if that fails, nothing of it is in the index."""
        if not chunks:
            return
        if self._vectors is None:
            self._vectors = _vectors(self._chroma)
        vectors = contextual_vectors(vectors)
        try:
            self._vectors.add(document_id, vectors)
            self._lexical.add(document_id, [search_text(chunk) for chunk in chunks])
        except BaseException:
            self.remove(document_id)
            raise
        self._register(document_id, chunks, vectors)

    def add_built(self, document_id: str, chunks: Sequence[Chunk], vectors: QuantizedVectors, words: Postings) -> None:
        """Add a document of a built library: its vectors are mixed with their neighbours, its words are collected."""
        if not chunks:
            return
        if self._vectors is None:
            self._vectors = ExactVectors()
        self._vectors.add(document_id, vectors)
        self._lexical.put(document_id, words)
        self._register(document_id, chunks, vectors)

    def _register(self, document_id: str, chunks: Sequence[Chunk], vectors: Any) -> None:
        self._sample = None
        step = -(-len(chunks) // SAMPLE_SIZE)
        self._documents[document_id] = _IndexedDocument(list(chunks), vectors[::step].copy())

    def remove(self, document_id: str) -> None:
        """Remove every chunk of a document."""
        self._sample = None
        self._documents.pop(document_id, None)
        self._lexical.remove(document_id)
        if self._vectors:
            self._vectors.remove(document_id)

    def search(
        self, question: str, vector: Sequence[float], limit: int = HITS, *, left_out: Collection[str] = ()
    ) -> list[Hit]:
        """Return the chunks that either search finds, in no order; `rag.answering.retrieve` fuses the scores.

        The documents that are `left_out` count in the statistics of the scores, and take no places.
        """
        searched = self._documents.keys() - left_out
        if not searched or self._vectors is None:
            return []
        lexical = {
            document_id: mix_neighbours(scores) for document_id, scores in self._lexical.scores(question).items()
        }
        count = sum(len(self._documents[document_id].chunks) for document_id in searched)
        dense = dict(self._vectors.search(vector, min(limit, count), left_out))
        spread = self._spread(vector, lexical)
        hits = []
        lexical = {document_id: scores for document_id, scores in lexical.items() if document_id in searched}
        for key in sorted(dense.keys() | _best_keys(lexical, limit)):
            document_id, _, row = key.rpartition("/")
            # The vector index can still return chunks of a removed document.
            if document_id in searched:
                score = float(lexical[document_id][int(row)])
                chunk = self._documents[document_id].chunks[int(row)]
                hits.append(Hit(chunk, dense.get(key), score or None, spread))
        return hits

    def count(self, document_id: str) -> int:
        """Return the number of a document's chunks."""
        return len(self._documents[document_id].chunks) if document_id in self._documents else 0

    def close(self) -> None:
        """Delete everything."""
        self._documents.clear()
        self._lexical.close()
        if self._vectors:
            self._vectors.close()

    def _chunk_counts(self) -> list[int]:
        return [len(document.chunks) for document in self._documents.values()]

    def _spread(self, vector: Sequence[float], lexical: dict[str, Any]) -> ScoreSpread:
        import numpy as np

        if self._sample is None:
            samples, counts = [document.sample for document in self._documents.values()], self._chunk_counts()
            shares = [np.full(len(sample), count / len(sample)) for sample, count in zip(samples, counts, strict=True)]
            self._sample = np.concatenate(samples), np.concatenate(shares) / sum(counts)
        sample, weights = self._sample
        cosines = sample @ np.asarray(vector, np.float32)
        mean = float(weights @ cosines)
        deviation = float(weights @ (cosines - mean) ** 2) ** 0.5
        scores = np.concatenate([lexical[document_id] for document_id in self._documents])
        return ScoreSpread(len(scores), (mean, deviation), (float(scores.mean()), float(scores.std())))


def _vectors(chroma: Any | None) -> VectorIndex | ExactVectors:
    return VectorIndex(chroma) if chroma or os.environ.get("SPACEPORT_CHROMA_URL") else ExactVectors()


def search_text(chunk: Chunk) -> str:
    """Return the text that is indexed for a chunk: its own under its heading, which often names the subject."""
    return f"{chunk.heading}\n{chunk.text}" if chunk.heading and chunk.heading not in chunk.text else chunk.text


def mix_neighbours(values: Any, weight: float | None = None) -> Any:
    """Return each value plus a share of the previous and the next one, along the first axis."""
    weight = NEIGHBOUR_WEIGHT if weight is None else weight
    mixed = values.copy()
    mixed[1:] += weight * values[:-1]
    mixed[:-1] += weight * values[1:]
    return mixed


def contextual_vectors(vectors: Any) -> Any:
    """Return the vectors, mixed with their neighbours and scaled to length 1.

    A chunk then carries the meaning of its surroundings, and a search needs no neighbours for the cosine.
    """
    import numpy as np

    mixed = mix_neighbours(np.asarray(vectors, np.float32))
    return mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9)


def pooled_statistics(parts: Sequence[tuple[int, float, float]]) -> tuple[float, float]:
    """Return the mean and standard deviation of all parts together; a part is its count, mean and deviation."""
    total = sum(count for count, _, _ in parts)
    mean = sum(count * part_mean for count, part_mean, _ in parts) / total
    variance = sum(count * (deviation**2 + (part_mean - mean) ** 2) for count, part_mean, deviation in parts) / total
    return mean, variance**0.5


def _best_keys(scores: dict[str, Any], limit: int) -> set[str]:
    """Return the keys of the chunks with the best scores above 0."""
    import numpy as np

    all_scores = np.concatenate(list(scores.values()))
    best = np.argpartition(-all_scores, limit)[:limit] if len(all_scores) > limit else np.arange(len(all_scores))
    best = best[all_scores[best] > 0]
    return set(chunk_keys(best, {document_id: len(each) for document_id, each in scores.items()}))
