"""Reads an abbreviation that no document has as the words of the documents that it stands for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from rag.answering.evidence.units.per_document import PerDocument, text_blocks
from rag.answering.numbers import CODE
from rag.documents import Document
from rag.search.bm25 import STOP_WORDS

_ABBREVIATION = re.compile(r"(?<![\w.&’'-])[A-Z]{3,5}(?![\w&-])")
_CURRENCY = re.compile(CODE)
_BETWEEN = r"\s+(?:(?:and|of|the|for|in)\s+)?"
# Characters of the documents that are searched for the words: a larger library would take longer than it helps.
_MOST_CHARACTERS = 5_000_000
_MOST_ABBREVIATIONS = 3  # of a question: each is searched for in all documents
# Any words can begin with these letters by chance, such as "seen longest ago". A name has capital letters, and stands
# in a document more than once.
_OFTEN = 2
_MOST_KEPT = 100  # abbreviations of a document
_KNOWN = frozenset(
    (
        "annual general meeting", "annual percentage rate", "chief executive officer", "chief financial officer",
        "chief information officer", "chief marketing officer", "chief operating officer", "chief technology officer",
        "consumer price index", "cost of goods sold", "earnings per share", "free cash flow", "gross domestic product",
        "initial public offering", "key performance indicators", "net present value", "return on equity",
        "return on investment", "service level agreement", "value added tax",
    )
)  # fmt: skip


def spell_out(question: str, documents: Collection[Document]) -> str:
    """Return the question with "chief financial officer" for "CFO" if the documents have only the former."""
    if question.isupper() or sum(len(document.text) for document in documents) > _MOST_CHARACTERS:
        return question
    found = [letters for letters in dict.fromkeys(_ABBREVIATION.findall(question)) if not _CURRENCY.fullmatch(letters)]
    words = {letters: _spelled_out(letters, documents) for letters in found[:_MOST_ABBREVIATIONS]}
    return _ABBREVIATION.sub(lambda match: words.get(match[0], match[0]), question)


def _spelled_out(letters: str, documents: Iterable[Document]) -> str:
    """Return the words with these initials that it's known for, or the only name; otherwise the letters."""
    counts: Counter[str] = Counter()
    for document in documents:
        phrases = _phrases(document, letters)
        if phrases is None:
            return letters
        counts.update(phrases)
    names = {phrase.lower() for phrase in counts if _is_title(phrase)}
    spellings: Counter[str] = Counter()
    for phrase, count in counts.items():
        spellings[phrase.lower()] += count
    if known := _KNOWN & spellings.keys():
        return max(known, key=lambda phrase: (spellings[phrase], phrase))
    name = names.pop() if len(names) == 1 else ""
    return name if spellings[name] >= _OFTEN else letters


_known: PerDocument[dict[str, Counter[str] | None]] = PerDocument(lambda _: {})


def _phrases(document: Document, letters: str) -> Counter[str] | None:
    """Return how often a document has words with these initials; None if it has the letters. It's read once.

    "HOME" in a question is the word "home" of the document. Another thread can clear what is known at any time.
    """
    known = _known.of(document)
    try:
        return known[letters]
    except KeyError:
        blocks = [*text_blocks(document.text)]
    mentioned = re.compile(rf"\b{letters}s?\b", re.IGNORECASE)
    phrases = None if any(map(mentioned.search, blocks)) else _words_with_initials(letters, blocks)
    if len(known) >= _MOST_KEPT:
        known.clear()
    known[letters] = phrases
    return phrases


def _words_with_initials(letters: str, blocks: Iterable[str]) -> Counter[str]:
    pattern = re.compile(r"\b" + _BETWEEN.join(rf"{letter}[^\W\d_]+" for letter in letters) + r"\b", re.IGNORECASE)
    counts: Counter[str] = Counter()
    for phrase in (phrase for block in blocks for phrase in pattern.findall(block)):
        words = phrase.split()
        if words[0].lower() not in STOP_WORDS and words[-1].lower() not in STOP_WORDS:
            counts[" ".join(words)] += 1
    return counts


def _is_title(words: str) -> bool:
    """Return whether each word but the small ones has one capital letter: the first."""
    return all(word.istitle() for word in words.split() if word.lower() not in STOP_WORDS)
