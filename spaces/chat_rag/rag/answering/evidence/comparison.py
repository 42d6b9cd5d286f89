"""Recognizes a question that compares documents."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rag.answering.evidence.questions import Question
from rag.documents import Document

_COMPARISON = re.compile(
    r"\b(?:compar\w*|versus|vs\.?|differ(?:s|ed|ence|ences|ent)?\b.{0,200}\b(?:between|from|and)|contrast|"
    r"(?:each|every|both|all)(?: of)?(?: the(?:se)?)? (?:documents?|files?|reports?|filings?|compan(?:y|ies)))\b",
    re.IGNORECASE,
)
_BEGINNING = 3_000  # characters in which a document says whose it is
_MAX_DOCUMENTS = 4


def compared_documents(question: str, documents: Mapping[str, Document]) -> tuple[str, ...]:
    """Return the ids of the documents that a question compares: those that it names, or all if it names fewer than two.

    This is empty for any other question, and where there is only one document.
    """
    if len(documents) < 2 or not _COMPARISON.search(question):
        return ()
    names = {name.lower().removesuffix("’s").removesuffix("'s") for name in Question(question).names}
    named = [
        document_id
        for document_id, document in documents.items()
        if any(name in f"{document.name} {document.text[:_BEGINNING]}".lower() for name in names)
    ]
    return tuple(named if len(named) > 1 else documents)[:_MAX_DOCUMENTS]
