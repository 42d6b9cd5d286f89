"""Recognizes a question that compares documents, and what it asks of each."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rag.answering.abstention.abstain import is_about_whole_documents
from rag.answering.evidence.question_analysis.questions import Question
from rag.documents import Document

_DOCUMENTS = r"(?:documents?|files?|reports?|filings?|compan(?:y|ies))"
_EACH = rf"(?:each|every|both|all)(?: of)?(?: the(?:se)?)? {_DOCUMENTS}"
_COMPARISON = re.compile(
    r"\b(?:compar\w*|versus|vs\.?|differ(?:s|ed|ence|ences|ent)?\b.{0,200}\b(?:between|from|and)|contrast|"
    rf"{_EACH})\b",
    re.IGNORECASE,
)
# What compares all documents. "The difference between a lock and a latch" compares what stands in them.
_ALL_DOCUMENTS = re.compile(
    rf"\b(?:{_EACH}|(?:the|these|two|three|four|my|our|across|between)(?: \w+){{0,2}}"
    r" (?:documents|files|reports|filings|companies))\b",
    re.IGNORECASE,
)
# What is left of a comparison without its names: "the … of and in".
_LEFT_OVER = re.compile(
    r"(?<=\s)(?:what|which|how|is|are|was|were|do|does|did|the|and|of|for|to|with|between|from|in|by|on|about|each|both|all"
    r"|differ\w*|differences?|two|three|four|say|says)(?=[\s,.?])",
    re.IGNORECASE,
)
_NAME_END = re.compile(r"(?:['’]s?)?[,.?!]?$")
_BEGINNING = 3_000  # characters in which a document says whose it is
_MAX_DOCUMENTS = 4


def compared_documents(question: str, documents: Mapping[str, Document]) -> tuple[str, ...]:
    """Return the ids of the documents that a question compares: those that it names, or all if it says so.

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
    if len(named) < 2:
        named = list(documents) if _ALL_DOCUMENTS.search(question) else []
    return tuple(named)[:_MAX_DOCUMENTS]


def question_to_each(question: str) -> str:
    """Return what a comparison asks of each document: "Compare Alba's and Brio's net income" asks for net income."""
    names = set(Question(question).names)
    words = [word for word in _COMPARISON.sub(_joining_word, question).split() if _NAME_END.sub("", word) not in names]
    rest = " ".join(_LEFT_OVER.sub(" ", f" {' '.join(words)} ").split()).strip(" ,.?")
    return question if is_about_whole_documents(rest) else f"What was the {rest}?"


def _joining_word(match: re.Match[str]) -> str:
    """Return the words between "differ" and "between", which say what differs."""
    return match[0].partition(" ")[2] if match[0].lower().startswith("differ") else " "
