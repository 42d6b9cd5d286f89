"""Recognizes a question in a language that none of the documents has."""

from __future__ import annotations

from collections.abc import Iterable

from rag.documents import Document
from rag.search.languages import detect_language

# A question of fewer words can be a name or a term that every language has.
_FEWEST_WORDS = 3
# The language of a short text is a guess: "Net sales" of a small table could be French.
_FEWEST_DOCUMENT_WORDS = 40


def other_languages(question: str, documents: Iterable[Document]) -> tuple[str, ...]:
    """Return the languages of the documents, such as "English", if the question is in none of them."""
    texts = [document.text for document in documents]
    if any(sum(map(str.isalpha, text[:2_000].split())) < _FEWEST_DOCUMENT_WORDS for text in texts):
        return ()
    languages = sorted(set(map(detect_language, texts)))
    asked = detect_language(question)
    if asked in languages or (question.isascii() and len(question.split()) < _FEWEST_WORDS):
        return ()
    return tuple(language.capitalize() for language in languages)
