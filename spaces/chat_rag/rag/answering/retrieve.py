"""From a question to the numbered passages that the model is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.documents import Chunk, Passage
from rag.library.library import Library
from rag.search.embedders import Embedder
from rag.search.fuse import fuse, unit_score
from rag.search.index import Hit
from rag.search.rerank import configured_reranker

# Characters of a passage that neighbouring chunks make: the model gets a whole thought, not one end of it.
PASSAGE_SIZE = 1000


def retrieve(libraries: Sequence[Library], question: str, embedder: Embedder, *, limit: int) -> list[Passage]:
    """The best `limit` passages of all libraries, best first, numbered from 1.

    Good chunks that follow each other on a page are one passage of at most `PASSAGE_SIZE` characters.
    """
    kept: list[Passage] = []
    for passage in ranked(libraries, question, embedder):
        for index, other in enumerate(kept):
            if joined := _joined(other, passage, libraries):
                kept[index] = joined
                break
        else:
            if len(kept) == limit:
                break
            kept.append(passage)
    return number(kept)


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
    """Every chunk that a search found as a passage, best first; the number is still 0.

    SPACEPORT_RERANKER names a cross-encoder that looks at the first of them again.
    """
    filled = [library for library in libraries if library.documents]
    if not filled:
        return []
    vector = embedder.encode([question])[0]
    hits = [hit for library in filled for hit in library.search(question, vector)]
    scored = sorted(zip(fuse(hits), hits, strict=True), key=lambda pair: -pair[0])
    passages = _once([_passage(hit.chunk, unit_score(score), hit) for score, hit in scored])
    reranker = configured_reranker()
    return reranker.order(question, passages) if reranker else passages


def _once(passages: Sequence[Passage]) -> list[Passage]:
    """Of chunks of a document with the very same text only one: its first, at the place of its best."""
    first: dict[tuple[str, str], Passage] = {}
    for passage in passages:
        known = first.get((passage.document_id, passage.text))
        if known is None:
            first[passage.document_id, passage.text] = passage
        elif passage.start < known.start:
            first[passage.document_id, passage.text] = replace(passage, score=known.score)
    return list(first.values())


def number(passages: Sequence[Passage]) -> list[Passage]:
    return [replace(passage, number=index) for index, passage in enumerate(passages, start=1)]


def _joined(kept: Passage, other: Passage, libraries: Sequence[Library]) -> Passage | None:
    """Both as one passage if they follow each other on a page and are not too long."""
    start, end = min(kept.start, other.start), max(kept.end, other.end)
    if (kept.document_id, kept.page) != (other.document_id, other.page) or end - start > PASSAGE_SIZE:
        return None
    documents = (library.document(kept.document_id) for library in libraries)
    document = next((document for document in documents if document), None)
    first, second = sorted([kept, other], key=lambda passage: passage.start)
    if document is None or document.text[first.end : second.start].strip():
        return None
    return replace(kept, start=start, end=end, text=document.text[start:end], heading=first.heading)


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
