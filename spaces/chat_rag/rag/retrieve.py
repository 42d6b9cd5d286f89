"""From a question to the numbered passages that the model is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.documents import Chunk
from rag.embed import Embedder
from rag.index import Hit
from rag.library import Library

# Measured on 472 questions with exact answer spans (benchmarks/retrieval.py): a weighted sum of scaled
# scores covers more of the answers than either search alone, and more than reciprocal rank fusion.
DENSE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered piece of a document: `start` and `end` are character offsets into its extracted text.

    `score` is the fused one, from 0 to 1; `dense` is a cosine, `lexical` a BM25 score.
    """

    number: int
    document_id: str
    document: str
    page: int | None
    heading: str
    start: int
    end: int
    text: str
    score: float
    dense: float | None
    lexical: float | None


def retrieve(libraries: Sequence[Library], question: str, embedder: Embedder, *, limit: int) -> list[Passage]:
    """The best `limit` passages of all libraries, best first, numbered from 1."""
    return number(ranked(libraries, question, embedder)[:limit])


def retrieve_characters(
    libraries: Sequence[Library], question: str, embedder: Embedder, *, limit_chars: int
) -> list[Passage]:
    """As many of the best passages as fit into `limit_chars`; the last one is cut to fit.

    Text that a better passage holds already is not counted or given twice.
    """
    kept: list[Passage] = []
    left = limit_chars
    for passage in ranked(libraries, question, embedder):
        for start, end in _new_parts(passage, kept):
            end = min(end, start + left)
            if end > start:
                text = passage.text[start - passage.start : end - passage.start]
                kept.append(replace(passage, start=start, end=end, text=text))
                left -= end - start
        if left <= 0:
            break
    return number(kept)


def ranked(libraries: Sequence[Library], question: str, embedder: Embedder) -> list[Passage]:
    """Every passage that a search found, best first; the number is still 0."""
    filled = [library for library in libraries if library.documents]
    if not filled:
        return []
    vector = embedder.encode([question])[0]
    hits = [hit for library in filled for hit in library.search(question, vector)]
    scored = sorted(zip(fuse(hits), hits, strict=True), key=lambda pair: -pair[0])
    return [_passage(hit.chunk, score, hit) for score, hit in scored]


def fuse(hits: Sequence[Hit], weight: float = DENSE_WEIGHT) -> list[float]:
    """One score a hit: both scores scaled to 0…1 over the hits, then weighted; a missing score is 0."""
    dense = _scaled([hit.dense for hit in hits])
    lexical = _scaled([hit.lexical for hit in hits])
    return [weight * d + (1 - weight) * w for d, w in zip(dense, lexical, strict=True)]


def number(passages: Sequence[Passage]) -> list[Passage]:
    return [replace(passage, number=index) for index, passage in enumerate(passages, start=1)]


def _scaled(scores: Sequence[float | None]) -> list[float]:
    known = [score for score in scores if score is not None]
    if not known:
        return [0.0] * len(scores)
    low, high = min(known), max(known)
    span = high - low
    return [0.0 if score is None else (score - low) / span if span else 1.0 for score in scores]


def _new_parts(passage: Passage, kept: Sequence[Passage]) -> list[tuple[int, int]]:
    """The spans of `passage` that none of `kept` covers."""
    parts = [(passage.start, passage.end)]
    for other in kept:
        if other.document_id == passage.document_id:
            parts = [
                piece
                for start, end in parts
                for piece in ((start, min(end, other.start)), (max(start, other.end), end))
                if piece[1] > piece[0]
            ]
    return parts


def _passage(chunk: Chunk, score: float, hit: Hit) -> Passage:
    return Passage(
        number=0,
        document_id=chunk.document_id,
        document=chunk.document,
        page=chunk.page,
        heading=chunk.heading,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        score=round(score, 4),
        dense=hit.dense,
        lexical=hit.lexical,
    )
