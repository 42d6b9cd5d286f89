"""Recognizes a question in a language that none of the documents has."""

from __future__ import annotations

from collections.abc import Iterable

from rag.answering.evidence.units.per_document import PerDocument
from rag.documents import Document
from rag.search.languages import ENGLISH, detect_language, language_of_sentences

# A question of fewer words can be a name or a term that every language has.
_FEWEST_WORDS = 3
# The language of a short text is a guess: "Net sales" of a small table could be French.
_FEWEST_DOCUMENT_WORDS = 40
_language = PerDocument(lambda document: language_of_sentences(document.text))
_beginning_words = PerDocument(lambda document: sum(map(str.isalpha, document.text[:2_000].split())))


def are_english(documents: Iterable[Document]) -> bool:
    """Return whether all documents are in English, as far as their words tell; tables alone can be in any language."""
    return all(_language.of(document) in (ENGLISH, "") for document in documents)


def other_languages(question: str, documents: Iterable[Document]) -> tuple[str, ...]:
    """Return the languages of the documents, such as "English", if the question is in none of them."""
    documents = list(documents)
    if any(_beginning_words.of(document) < _FEWEST_DOCUMENT_WORDS for document in documents):
        return ()
    languages = sorted({_language.of(document) for document in documents})
    if "" in languages:
        return ()
    question_language = detect_language(question)
    if question_language in languages or (question.isascii() and len(question.split()) < _FEWEST_WORDS):
        return ()
    return tuple(language.capitalize() for language in languages)
