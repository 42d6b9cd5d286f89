"""How much of an answer its passages support, by the checks of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag.answering.citations.cite import Citer
from rag.answering.verification.verifier import Verifier
from rag.documents import Document, Passage


def open_verifier(passages: Sequence[Passage], documents: Mapping[str, Document]) -> Verifier:
    """Return the verifier of passages; one whose document isn't among `documents`, by id, is a document of its own."""
    placed, known = [], dict[str, Document]()
    for passage in passages:
        document = documents.get(passage.document_id)
        if document is None or document.text[passage.start : passage.end] != passage.text:
            passage = replace(passage, document_id=f"passage {passage.number}", start=0, end=len(passage.text))
            document = Document(passage.document_id, passage.document, passage.text, (), "text/plain")
        placed.append(passage)
        known[document.id] = document
    return Verifier(placed, known)


def supported_share(answer: str, passages: Sequence[Passage], verifier: Verifier) -> float | None:
    """Return the share of an answer's sentences that the passages support; None if no sentence claims anything."""
    citer = Citer(passages, verifier)
    citer.feed(answer)
    citer.flush()
    checked = citer.sentences
    return sum(sentence.supported for sentence in checked) / len(checked) if checked else None
