"""Chunks that can be found by meaning and by words, each read with its neighbours; both indexes change together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.documents import Chunk
from rag.search.bm25 import BM25Index
from rag.search.vectors import VectorIndex

# What the chunks before and after add to a chunk's own score, each. Measured with benchmarks/retrieval.py: from 0.25
# to 0.5 all the same, without it 3 points less of the answers are found.
NEIGHBOUR_WEIGHT = 0.4
# Vectors of a document that are kept here to tell how all of them lie to a question; 50 told it as well.
SAMPLED = 100


@dataclass(frozen=True, slots=True)
class ScoreSpread:
    """How the scores of all `chunks` of an index lie for one question: mean and standard deviation of each search."""

    chunks: int
    dense: tuple[float, float]
    lexical: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found, `dense` a cosine, `lexical` a BM25 score, both with its neighbours'.

    `dense` is None where that search did not find it, `lexical` where none of the words is near.
    """

    chunk: Chunk
    dense: float | None
    lexical: float | None
    spread: ScoreSpread


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A document's chunks, and some of its vectors, evenly spaced."""

    chunks: list[Chunk]
    sample: Any


class Index:
    """The chunks of one library; whoever holds it sees to it that one thread changes it at a time."""

    def __init__(self, chroma: Any | None = None) -> None:
        self._chroma = chroma
        self._documents: dict[str, _Indexed] = {}
        self._lexical = BM25Index()
        self._vectors: VectorIndex | None = None
        self._sample: Any = None  # some vectors of all documents, and for how large a part of all each stands

    def add(self, document_id: str, chunks: Sequence[Chunk], vectors: Any) -> None:
        """Add a document's chunks, in order, with a vector each, or none: half a document would answer as if whole."""
        if not chunks:
            return
        keys = [f"{document_id}/{row}" for row in range(len(chunks))]
        if self._vectors is None:
            self._vectors = VectorIndex(self._chroma)
        mixed = contextual_vectors(vectors)
        try:
            self._vectors.add(document_id, keys, mixed)
            self._lexical.add(document_id, zip(keys, map(search_text, chunks), strict=True))
        except BaseException:
            self.remove(document_id)
            raise
        self._sample = None
        self._documents[document_id] = _Indexed(list(chunks), mixed[:: -(-len(chunks) // SAMPLED)].copy())

    def remove(self, document_id: str) -> None:
        """Remove every chunk of a document."""
        self._sample = None
        self._documents.pop(document_id, None)
        self._lexical.remove(document_id)
        if self._vectors:
            self._vectors.remove(document_id)

    def search(self, question: str, vector: Sequence[float], limit: int = 100) -> list[Hit]:
        """Chunks that either search finds, in no order: `rag.answering.retrieve` fuses the scores."""
        if not self._documents or self._vectors is None:
            return []
        lexical = {
            document_id: mix_neighbours(scores) for document_id, scores in self._lexical.scores(question).items()
        }
        dense = dict(self._vectors.search(vector, min(limit, sum(self._counts()))))
        spread = self._spread(vector, lexical)
        hits = []
        for key in sorted(dense.keys() | _best(lexical, limit)):
            document_id, _, row = key.rpartition("/")
            # What the other index still holds of a removed document is no hit.
            if document_id in self._documents:
                words = float(lexical[document_id][int(row)])
                chunk = self._documents[document_id].chunks[int(row)]
                hits.append(Hit(chunk, dense.get(key), words or None, spread))
        return hits

    def count(self, document_id: str) -> int:
        """How many chunks a document has."""
        return len(self._documents[document_id].chunks) if document_id in self._documents else 0

    def close(self) -> None:
        """Delete everything."""
        self._documents.clear()
        self._lexical.close()
        if self._vectors:
            self._vectors.close()

    def _counts(self) -> list[int]:
        return [len(each.chunks) for each in self._documents.values()]

    def _spread(self, vector: Sequence[float], lexical: dict[str, Any]) -> ScoreSpread:
        import numpy as np

        if self._sample is None:
            vectors, counts = [each.sample for each in self._documents.values()], self._counts()
            shares = [np.full(len(part), count / len(part)) for part, count in zip(vectors, counts, strict=True)]
            self._sample = np.concatenate(vectors), np.concatenate(shares) / sum(counts)
        sample, weights = self._sample
        cosines = sample @ np.asarray(vector, np.float32)
        mean = float(weights @ cosines)
        deviation = float(weights @ (cosines - mean) ** 2) ** 0.5
        words = np.concatenate([lexical[document_id] for document_id in self._documents])
        return ScoreSpread(len(words), (mean, deviation), (float(words.mean()), float(words.std())))


def search_text(chunk: Chunk) -> str:
    """What is indexed of a chunk: its text under its heading, which often names the subject."""
    return f"{chunk.heading}\n{chunk.text}" if chunk.heading and chunk.heading not in chunk.text else chunk.text


def mix_neighbours(values: Any, weight: float | None = None) -> Any:
    """Each value and a part of the one before and the one after it, along the first axis."""
    weight = NEIGHBOUR_WEIGHT if weight is None else weight
    mixed = values.copy()
    mixed[1:] += weight * values[:-1]
    mixed[:-1] += weight * values[1:]
    return mixed


def contextual_vectors(vectors: Any) -> Any:
    """The vectors, of length 1, each turned towards its neighbours': a chunk then means what its surroundings do.

    So the cosine needs no neighbours when a question is searched.
    """
    import numpy as np

    mixed = mix_neighbours(np.asarray(vectors, np.float32))
    return mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9)


def pooled_statistics(parts: Sequence[tuple[int, float, float]]) -> tuple[float, float]:
    """Mean and standard deviation of parts together, each of which tells its number of values, mean and deviation."""
    number = sum(count for count, _, _ in parts)
    mean = sum(count * mean for count, mean, _ in parts) / number
    variance = sum(count * (deviation**2 + (part - mean) ** 2) for count, part, deviation in parts) / number
    return mean, variance**0.5


def _best(scores: dict[str, Any], limit: int) -> set[str]:
    """The keys of the chunks with the best scores, none of which is 0."""
    import numpy as np

    together = np.concatenate(list(scores.values()))
    starts = np.cumsum([0, *(len(each) for each in scores.values())])
    best = np.argpartition(-together, limit)[:limit] if len(together) > limit else np.arange(len(together))
    best = best[together[best] > 0]
    names = list(scores)
    owners = np.searchsorted(starts, best, side="right") - 1
    return {f"{names[owner]}/{at - starts[owner]}" for owner, at in zip(owners, best, strict=True)}
