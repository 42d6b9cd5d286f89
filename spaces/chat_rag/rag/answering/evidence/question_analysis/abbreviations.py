"""Reads an abbreviation that no document has as the words of the documents that it stands for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from rag.answering.evidence.units.per_document import text_blocks
from rag.documents import Document
from rag.search.bm25 import STOP_WORDS

_ABBREVIATION = re.compile(r"(?<![\w.&’'-])[A-Z]{3,5}(?![\w&-])")
_BETWEEN = r"\s+(?:(?:and|of|the|for|in)\s+)?"
# Characters of the documents that are searched for the words: a larger library would take longer than it helps.
_MOST_CHARACTERS = 5_000_000
# Words in lower case can begin with these letters by chance, but hardly twice.
_OFTEN = 2


def spell_out(question: str, documents: Collection[Document]) -> str:
    """Return the question with "chief financial officer" for "CFO" if the documents have only the former."""
    if sum(len(document.text) for document in documents) > _MOST_CHARACTERS:
        return question

    def words_of(match: re.Match[str]) -> str:
        mentioned = re.compile(rf"\b{match[0]}s?\b")
        if any(mentioned.search(block) for document in documents for block in text_blocks(document.text)):
            return match[0]
        return _words_with_initials(match[0], documents) or match[0]

    return _ABBREVIATION.sub(words_of, question)


def _words_with_initials(letters: str, documents: Iterable[Document]) -> str:
    """Return the most frequent words of the documents with these initials; "" if only chance has put them together."""
    pattern = re.compile(r"\b" + _BETWEEN.join(rf"{letter}[^\W\d_]+" for letter in letters) + r"\b", re.IGNORECASE)
    counts: Counter[str] = Counter()
    for document in documents:
        for block in text_blocks(document.text):
            for found in pattern.findall(block):
                words = found.lower().split()
                if words[0] not in STOP_WORDS and words[-1] not in STOP_WORDS:
                    counts[" ".join(words)] += _OFTEN if _is_title(found) else 1
    phrase, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
    return phrase if count >= _OFTEN else ""


def _is_title(words: str) -> bool:
    """Return whether each word but the small ones has a capital letter."""
    return all(word[0].isupper() for word in words.split() if word.lower() not in STOP_WORDS)
