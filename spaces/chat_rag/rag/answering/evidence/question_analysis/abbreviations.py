"""Reads an abbreviation that no document has as the words of the documents that it stands for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from rag.answering.evidence.units.per_document import PerDocument, text_blocks
from rag.documents import Document
from rag.search.bm25 import STOP_WORDS

_ABBREVIATION = re.compile(r"(?<![\w.&’'-])[A-Z]{3,5}(?![\w&-])")
_BETWEEN = r"\s+(?:(?:and|of|the|for|in)\s+)?"
# Characters of the documents that are searched for the words: a larger library would take longer than it helps.
_MOST_CHARACTERS = 5_000_000
# Words in lower case can begin with these letters by chance, but hardly twice.
_OFTEN = 2
_MOST_KEPT = 100  # abbreviations of a document


def spell_out(question: str, documents: Collection[Document]) -> str:
    """Return the question with "chief financial officer" for "CFO" if the documents have only the former."""
    if sum(len(document.text) for document in documents) > _MOST_CHARACTERS:
        return question
    return _ABBREVIATION.sub(lambda match: _spelled_out(match[0], documents), question)


def _spelled_out(letters: str, documents: Iterable[Document]) -> str:
    """Return the most frequent words with these initials; the letters if a document has them, or only chance words."""
    counts: Counter[str] = Counter()
    for document in documents:
        phrases = _phrases(document, letters)
        if phrases is None:
            return letters
        counts.update(phrases)
    phrase, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
    return phrase if count >= _OFTEN else letters


_known: PerDocument[dict[str, Counter[str] | None]] = PerDocument(lambda _: {})


def _phrases(document: Document, letters: str) -> Counter[str] | None:
    """Return how often a document has words with these initials; None if it has the letters. It's read once."""
    known = _known.of(document)
    if letters not in known:
        if len(known) >= _MOST_KEPT:
            known.clear()
        blocks = [*text_blocks(document.text)]
        mentioned = re.compile(rf"\b{letters}s?\b")
        known[letters] = None if any(map(mentioned.search, blocks)) else _words_with_initials(letters, blocks)
    return known[letters]


def _words_with_initials(letters: str, blocks: Iterable[str]) -> Counter[str]:
    pattern = re.compile(r"\b" + _BETWEEN.join(rf"{letter}[^\W\d_]+" for letter in letters) + r"\b", re.IGNORECASE)
    counts: Counter[str] = Counter()
    for phrase in (phrase for block in blocks for phrase in pattern.findall(block)):
        words = phrase.lower().split()
        if words[0] not in STOP_WORDS and words[-1] not in STOP_WORDS:
            counts[" ".join(words)] += _OFTEN if _is_title(phrase) else 1
    return counts


def _is_title(words: str) -> bool:
    """Return whether each word but the small ones has a capital letter."""
    return all(word[0].isupper() for word in words.split() if word.lower() not in STOP_WORDS)
