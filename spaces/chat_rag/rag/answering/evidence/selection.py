"""Selects the quotes that answer a question, or says why the documents don't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answering.abstain import Abstention, missing_evidence
from rag.answering.quotes import Quote
from rag.answering.support import sentence_spans
from rag.documents import Document, Passage
from rag.search.embedders import Embedder

MAX_QUOTES = 3


@dataclass(frozen=True, slots=True)
class QuoteSelection:
    """The quotes that answer a question, best first.

    With an `abstention`, `quotes` is empty and `nearest` has the quotes that come closest.
    """

    quotes: tuple[Quote, ...] = ()
    nearest: tuple[Quote, ...] = ()
    abstention: Abstention | None = None


def find_quotes(
    question: str, passages: Sequence[Passage], documents: Mapping[str, Document], embedder: Embedder
) -> QuoteSelection:
    """Return the best quotes for `question` from `passages`, best first; `documents` has their documents by id."""
    quotes = _rank(question, passages, documents, embedder)[:MAX_QUOTES]
    if abstention := missing_evidence(question, passages):
        return QuoteSelection(nearest=tuple(quotes), abstention=abstention)
    return QuoteSelection(tuple(quotes))


def _rank(
    question: str, passages: Sequence[Passage], documents: Mapping[str, Document], embedder: Embedder
) -> list[Quote]:
    """Return a quote for each sentence of the passages, by the cosine of "heading. sentence" and the question."""
    units = {
        (passage.document_id, passage.start + start, passage.start + end): passage
        for passage in passages
        if passage.document_id in documents
        for start, end in sentence_spans(passage.text)
    }
    if not units:
        return []
    texts = [
        f"{passage.heading}. {documents[document_id].text[start:end]}"
        for (document_id, start, end), passage in units.items()
    ]
    vectors = embedder.encode([question, *texts])
    cosines = (vectors[1:] @ vectors[0]).tolist()
    ranking = sorted(zip(cosines, units.items(), strict=True), key=lambda pair: -pair[0])
    return [
        Quote(
            document_id=document_id,
            document=passage.document,
            page=documents[document_id].page_of(start),
            heading=passage.heading,
            start=start,
            end=end,
            text=documents[document_id].text[start:end],
            answer_start=start,
            answer_end=end,
            probability=min(max(cosine, 0.0), 1.0),
        )
        for cosine, ((document_id, start, end), passage) in ranking
    ]
