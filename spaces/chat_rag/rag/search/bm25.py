"""BM25 search over stemmed words; documents are added and removed without rebuilding the index."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"[^\W_]+")
_DIACRITICS = re.compile(r"[\u0300-\u036f]")
# Function words and question words: with them, a search finds chunks that only sound like the question.
STOP_WORDS = frozenset(
    """
    a about an and are as at be been by can could did do does for from had has have how i in into is it its me my of on
    or our should that the their them then there these they this those to was we were what when where which who whom
    whose why will with would you your
    """.split()  # noqa: SIM905  # a list with one word per line would be a page long
)
# BM25's k1 and b with their usual values, as in SQLite and Lucene: saturation by repeated words, weight of the length.
K1, B = 1.2, 0.75
_thread = threading.local()  # a Stemmer isn't thread-safe


class BM25Index:
    """The words of one visitor's chunks; safe across threads."""

    def __init__(self) -> None:
        self._documents: dict[str, _Postings] = {}

    def add(self, document_id: str, texts: Sequence[str]) -> None:
        """Add the texts of a document's chunks, in order."""
        self._documents[document_id] = _Postings.of(texts)

    def remove(self, document_id: str) -> None:
        """Remove a document."""
        self._documents.pop(document_id, None)

    def scores(self, question: str) -> dict[str, Any]:
        """Return the BM25 scores of all chunks for the question's words: for each document an array in chunk order."""
        import numpy as np

        documents = dict(self._documents)  # a copy: another thread can add or remove a document
        if not documents:
            return {}
        postings = list(documents.values())
        counts = [len(document.lengths) for document in postings]
        ends = np.cumsum(counts)
        lengths = np.concatenate([document.lengths for document in postings])
        scores: Any = np.zeros(len(lengths))
        if matches := _matches(stems(keywords(question)), postings, len(lengths)):
            # One calculation for all words and documents: a loop over 50 documents takes six times as long.
            numbers, spans, weights = zip(*matches, strict=True)
            sizes = [span.stop - span.start for span in spans]
            rows = np.concatenate([postings[number].rows[span] for number, span in zip(numbers, spans, strict=True)])
            frequencies = np.concatenate(
                [postings[number].frequencies[span] for number, span in zip(numbers, spans, strict=True)]
            )
            positions = rows + np.repeat((ends - counts)[list(numbers)], sizes)
            damping = K1 * (1 - B + B * lengths[positions] / lengths.mean())
            values = np.repeat(weights, sizes) * (K1 + 1) * frequencies / (frequencies + damping)
            scores = np.bincount(positions, values, len(lengths))
        return dict(zip(documents, np.split(scores, ends[:-1]), strict=True))

    def close(self) -> None:
        """Remove all documents."""
        self._documents.clear()


@dataclass(frozen=True, slots=True)
class _Postings:
    """The words of a document's chunks.

    `spans[stem]` is the slice of `rows` and `frequencies` with the chunks that have the stem and how often;
    `lengths` has the number of words of each chunk.
    """

    spans: dict[str, slice]
    rows: Any
    frequencies: Any
    lengths: Any

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Postings:
        import numpy as np

        lengths, postings = [], dict[str, tuple[list[int], list[int]]]()
        for row, text in enumerate(texts):
            words = _stemmed_words(text)
            lengths.append(len(words))
            for stem, frequency in Counter(words).items():
                rows, frequencies = postings.setdefault(stem, ([], []))
                rows.append(row)
                frequencies.append(frequency)
        ends = np.cumsum([len(rows) for rows, _ in postings.values()], dtype=np.int64).tolist()
        return cls(
            {stem: slice(start, end) for stem, start, end in zip(postings, [0, *ends], ends, strict=False)},
            np.array([row for rows, _ in postings.values() for row in rows], np.uint32),
            np.array([frequency for _, frequencies in postings.values() for frequency in frequencies], np.float32),
            np.array(lengths, np.float32),
        )


def keywords(text: str) -> list[str]:
    """Return the words that carry meaning, in lower case, each once; all words if there are no others."""
    words = list(dict.fromkeys(_WORD.findall(text.lower())))
    return [word for word in words if word not in STOP_WORDS] or words


def stems(texts: Sequence[str]) -> list[str]:
    """Return the distinct stems of some words or texts, as they are indexed: without accents and English endings."""
    return list(dict.fromkeys(stem for text in texts for stem in _stemmed_words(text)))


def _stemmed_words(text: str) -> list[str]:
    """Return the stem of every word; a word is a run of letters and digits."""
    words = _TOKEN.findall(_without_diacritics(text.lower()))
    # Porter's stemmer shortens even "as" and "is"; short words stay as they are.
    return [stem if len(word) > 2 else word for word, stem in zip(words, _stemmer().stemWords(words), strict=True)]


def _stemmer() -> Any:
    """Return this thread's stemmer."""
    if not hasattr(_thread, "stemmer"):
        from Stemmer import Stemmer

        _thread.stemmer = Stemmer("porter")
    return _thread.stemmer


def _without_diacritics(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", unicodedata.normalize("NFD", text)))


def _matches(words: Iterable[str], documents: Sequence[_Postings], total: int) -> list[tuple[int, slice, float]]:
    """Return where each word occurs: the document's number, the slice of its rows, and the word's weight.

    The fewer of the `total` chunks have the word, the higher its weight; it is never negative, as in Lucene.
    """
    matches = []
    for word in words:
        places = [(number, span) for number, document in enumerate(documents) if (span := document.spans.get(word))]
        chunks = sum(span.stop - span.start for _, span in places)
        weight = log(1 + (total - chunks + 0.5) / (chunks + 0.5))
        matches += [(number, span, weight) for number, span in places]
    return matches
