"""BM25 search over stemmed words; documents are added and removed without rebuilding the index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from rag.search.languages import STOP_WORDS, detect_language
from rag.search.vocabulary import SharedStems
from rag.search.words import keywords, split_tokens, stem_tokens, stems

__all__ = ["STOP_WORDS", "BM25Index", "Postings", "keywords", "stems"]
# BM25's k1 and b with their usual values, as in SQLite and Lucene: saturation by repeated words, weight of the length.
K1, B = 1.2, 0.75
# Chunks that tell a document's language, evenly spaced.
_LANGUAGE_SAMPLE = 20


class BM25Index:
    """The words of one visitor's chunks; safe across threads."""

    def __init__(self) -> None:
        self._documents: dict[str, Postings] = {}

    def add(self, document_id: str, texts: Sequence[str]) -> None:
        """Add the texts of a document's chunks, in order."""
        self.put(document_id, Postings.of(texts))

    def put(self, document_id: str, postings: Postings) -> None:
        """Add a document whose words were collected before."""
        self._documents[document_id] = postings

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
        if matches := _matches(split_tokens(keywords(question)), postings, len(lengths)):
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
class Postings:
    """The words of a document's chunks.

    `span(stem)` is the slice of `rows` and `frequencies` with the chunks that have the stem and how often: the slice of
    the stem with the number n ends at `ends[n]`, where the next one begins. `lengths` has the number of words of each
    chunk; all words are stemmed as words of `language`.
    """

    language: str
    numbers: dict[str, int] | SharedStems
    ends: Any
    rows: Any
    frequencies: Any
    lengths: Any

    @classmethod
    def of(cls, texts: Sequence[str]) -> Postings:
        import numpy as np

        language = detect_language("\n".join(texts[:: -(-len(texts) // _LANGUAGE_SAMPLE)]))
        lengths, postings = [], dict[str, tuple[list[int], list[int]]]()
        for row, text in enumerate(texts):
            words = stem_tokens(split_tokens([text]), language)
            lengths.append(len(words))
            for stem, frequency in Counter(words).items():
                rows, frequencies = postings.setdefault(stem, ([], []))
                rows.append(row)
                frequencies.append(frequency)
        return cls(
            language,
            {stem: number for number, stem in enumerate(postings)},
            np.cumsum([len(rows) for rows, _ in postings.values()], dtype=np.int64),
            np.array([row for rows, _ in postings.values() for row in rows], np.uint32),
            np.array([frequency for _, frequencies in postings.values() for frequency in frequencies], np.float32),
            np.array(lengths, np.float32),
        )

    @property
    def counts(self) -> Any:
        """The number of chunks that have each stem, in the order of their slices."""
        import numpy as np

        return np.diff(self.ends, prepend=0)

    def span(self, stem: str) -> slice | None:
        """Return the slice of a stem, or None if no chunk has it."""
        number = self.numbers.get(stem)
        if number is None:
            return None
        return slice(int(self.ends[number - 1]) if number else 0, int(self.ends[number]))


def _matches(tokens: Sequence[str], documents: Sequence[Postings], total: int) -> list[tuple[int, slice, float]]:
    """Return where each token occurs: the document's number, the slice of its rows, and the token's weight.

    A document has the stems of its own language. The fewer of the `total` chunks have the token, the higher its weight;
    it is never negative, as in Lucene.
    """
    stems = {language: _distinct(stem_tokens(tokens, language)) for language in {each.language for each in documents}}
    matches = []
    for position in range(len(tokens)):
        places = [
            (number, span)
            for number, document in enumerate(documents)
            if (span := document.span(stems[document.language][position]))
        ]
        chunks = sum(span.stop - span.start for _, span in places)
        weight = log(1 + (total - chunks + 0.5) / (chunks + 0.5))
        matches += [(number, span, weight) for number, span in places]
    return matches


def _distinct(stems: Sequence[str]) -> list[str]:
    """Return the stems with an empty one, which no chunk has, for each that was there before."""
    first = {stem: position for position, stem in reversed(list(enumerate(stems)))}
    return [stem if first[stem] == position else "" for position, stem in enumerate(stems)]
