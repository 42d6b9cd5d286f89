"""Retrieves the numbered passages for a question."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from rag.documents import Passage
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from rag.search.fuse import DENSE_WEIGHT, MULTILINGUAL_WEIGHT, fuse, unit_score
from rag.search.index import Hit
from rag.search.rerank import configured_reranker

# The maximum length, in characters, of a passage joined from neighbouring chunks: the model gets a whole thought.
PASSAGE_SIZE = 1000


def retrieve_passages(
    libraries: Sequence[Library],
    question: str,
    embedder: Embedder,
    *,
    limit: int,
    documents: Collection[str] | None = None,
) -> list[Passage]:
    """Return the best `limit` passages of all libraries, or of `documents` by id, best first, numbered from 1.

    Good chunks that follow each other on a page are joined into one passage of at most `PASSAGE_SIZE` characters.
    """
    passages: list[Passage] = []
    for candidate in rank_passages(libraries, question, embedder):
        if documents is not None and candidate.document_id not in documents:
            continue
        for index, passage in enumerate(passages):
            if joined := _join(passage, candidate, libraries):
                passages[index] = joined
                break
        else:
            if len(passages) == limit:
                break
            passages.append(candidate)
    return number_passages(passages)


def retrieve_characters(
    libraries: Sequence[Library], question: str, embedder: Embedder, *, limit_chars: int
) -> list[Passage]:
    """Return as many of the best passages as fit into `limit_chars`; the last one is cut to fit.

    Text that a better passage already has is neither counted nor returned twice.
    """
    passages: list[Passage] = []
    left = limit_chars
    for candidate in rank_passages(libraries, question, embedder):
        for start, end in _uncovered_spans(candidate, passages):
            end = min(end, start + left)
            if end > start:
                text = candidate.text[start - candidate.start : end - candidate.start]
                passages.append(replace(candidate, start=start, end=end, text=text))
                left -= end - start
        if left <= 0:
            break
    return number_passages(passages)


def rank_passages(libraries: Sequence[Library], question: str, embedder: Embedder) -> list[Passage]:
    """Return each chunk that a search finds as a passage with number 0, best first.

    A cross-encoder reorders the first of them if SPACEPORT_RERANKER names one.
    """
    libraries = [library for library in libraries if library.documents]
    if not libraries:
        return []
    vector = embedder.encode_question(question).tolist()
    hits = [hit for library in libraries for hit in library.search(question, vector)]
    weight = MULTILINGUAL_WEIGHT if embedder.multilingual else DENSE_WEIGHT
    ranking = sorted(zip(fuse(hits, weight), hits, strict=True), key=lambda pair: -pair[0])
    passages = _drop_duplicates([_passage(hit, unit_score(score), embedder) for score, hit in ranking])
    reranker = configured_reranker()
    return reranker.order(question, passages) if reranker else passages


def number_passages(passages: Sequence[Passage]) -> list[Passage]:
    """Number the passages from 1."""
    return [replace(passage, number=number) for number, passage in enumerate(passages, start=1)]


def _drop_duplicates(passages: Sequence[Passage]) -> list[Passage]:
    """Keep one of the chunks with the same text in a document: the first in the text, at the best one's rank."""
    unique: dict[tuple[str, str], Passage] = {}
    for passage in passages:
        key = passage.document_id, passage.text
        if key not in unique:
            unique[key] = passage
        elif passage.start < unique[key].start:
            unique[key] = replace(passage, score=unique[key].score)
    return list(unique.values())


def _join(passage: Passage, other: Passage, libraries: Sequence[Library]) -> Passage | None:
    """Return both as one passage, or None if they aren't neighbours on a page or are too long together."""
    start, end = min(passage.start, other.start), max(passage.end, other.end)
    if (passage.document_id, passage.page) != (other.document_id, other.page) or end - start > PASSAGE_SIZE:
        return None
    documents = (library.document(passage.document_id) for library in libraries)
    document = next((document for document in documents if document), None)
    first, second = sorted([passage, other], key=lambda each: each.start)
    if document is None or document.text[first.end : second.start].strip():
        return None
    if document.media_type == "text/plain" and first.heading != second.heading:
        return None  # the versions of a changelog: only one could be its heading
    return replace(passage, start=start, end=end, text=document.text[start:end], heading=first.heading)


def _uncovered_spans(passage: Passage, others: Sequence[Passage]) -> list[tuple[int, int]]:
    """Return the spans of `passage` that none of `others` covers."""
    spans = [(passage.start, passage.end)]
    for other in others:
        if other.document_id == passage.document_id:
            spans = [
                piece
                for start, end in spans
                for piece in ((start, min(end, other.start)), (max(start, other.end), end))
                if piece[1] > piece[0]
            ]
    return spans


def _passage(hit: Hit, score: float, embedder: Embedder) -> Passage:
    chunk = hit.chunk
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
        dense=None if hit.dense is None else embedder.similarity(hit.dense),
        lexical=hit.lexical,
    )
