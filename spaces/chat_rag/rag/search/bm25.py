"""Words to chunks: BM25 over stemmed words, kept a document at a time, so that nothing is ever rebuilt."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from math import log
from operator import itemgetter
from typing import Any

_turn = threading.Lock()
_WORD = re.compile(r"\w+")
# Function words and question words: left in, they pull in chunks that only sound like a question.
STOP_WORDS = frozenset(
    """
    a about an and are as at be been by can could did do does for from had has have how i in into is it its me my of on
    or our should that the their them then there these they this those to was we were what when where which who whom
    whose why will with would you your
    """.split()  # noqa: SIM905  # a list of one word a line would be a page long
)
# The usual constants of BM25, as in SQLite and Lucene: how fast a word's repetition and a chunk's length tell less.
SATURATION, LENGTH_WEIGHT = 1.2, 0.75


class BM25Index:
    """The words of one visitor's chunks; safe to call from several threads."""

    def __init__(self) -> None:
        self._documents: dict[str, _Words] = {}

    def add(self, document_id: str, chunks: Iterable[tuple[str, str]]) -> None:
        """Add a document's chunks in their order, each an identifier and its text."""
        pairs = list(chunks)
        self._documents[document_id] = _Words.of([chunk_id for chunk_id, _ in pairs], [text for _, text in pairs])

    def remove(self, document_id: str) -> None:
        """Remove every chunk of a document."""
        self._documents.pop(document_id, None)

    def scores(self, question: str) -> dict[str, Any]:
        """The BM25 score of every chunk for any of the question's words: an array a document, in its chunks' order."""
        import numpy as np

        found = dict(self._documents)  # another thread may add or remove one meanwhile
        if not found:
            return {}
        documents = list(found.values())
        ends = np.cumsum([len(words.ids) for words in documents])
        lengths = np.concatenate([words.lengths for words in documents])
        scores = np.zeros(len(lengths))
        if parts := _parts(stems(keywords(question)), documents, len(lengths)):
            # All words of all documents at once: one after the other takes six times as long in 50 documents.
            numbers, spans, weights = zip(*parts, strict=True)
            sizes = [span.stop - span.start for span in spans]
            rows = np.concatenate([documents[number].rows[span] for number, span in zip(numbers, spans, strict=True)])
            counts = np.concatenate(
                [documents[number].counts[span] for number, span in zip(numbers, spans, strict=True)]
            )
            at = rows + np.repeat((ends - [len(words.ids) for words in documents])[list(numbers)], sizes)
            damping = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * lengths[at] / lengths.mean())
            told = np.repeat(weights, sizes) * (SATURATION + 1) * counts / (counts + damping)
            scores = np.bincount(at, told, len(lengths))
        return dict(zip(found, np.split(scores, ends[:-1]), strict=True))

    def search(self, question: str, limit: int) -> list[tuple[str, float]]:
        """The best chunks for any of the question's words: identifier and BM25 score, higher is better."""
        found = [
            (self._documents[document_id].ids[row], float(scores[row]))
            for document_id, scores in self.scores(question).items()
            for row in scores.nonzero()[0]
        ]
        return sorted(found, key=itemgetter(1), reverse=True)[:limit]

    def close(self) -> None:
        """Forget everything."""
        self._documents.clear()


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a document: `spans[stem]` is the slice of `rows` and `counts` that tells its chunks, and how often.

    `lengths` are the words of each chunk.
    """

    ids: list[str]
    spans: dict[str, slice]
    rows: Any
    counts: Any
    lengths: Any

    @classmethod
    def of(cls, ids: list[str], texts: Sequence[str]) -> _Words:
        import numpy as np

        with closing(_open()) as db:  # of its own: a question does not wait for a document
            stems, occurrences, at = _split(db, texts)
        # One number an occurrence of a stem in a chunk; they come in order, so equal ones are neighbours.
        cells, counts = np.unique(np.repeat(np.arange(len(stems)), occurrences) * len(ids) + at, return_counts=True)
        rows = (cells % len(ids)).astype(np.uint32)
        ends = np.searchsorted(cells, np.arange(1, len(stems) + 1) * len(ids)).tolist()
        spans = {stem: slice(start, end) for stem, start, end in zip(stems, [0, *ends], ends, strict=False)}
        lengths = np.bincount(rows, counts, len(ids)).astype(np.float32)
        return cls(ids, spans, rows, counts.astype(np.float32), lengths)


def keywords(text: str) -> list[str]:
    """The words that carry meaning, in lower case, each once; all words where nothing else is left."""
    words = list(dict.fromkeys(_WORD.findall(text.lower())))
    return [word for word in words if word not in STOP_WORDS] or words


def stems(words: Sequence[str]) -> list[str]:
    """What the words are indexed as, each once: without accents and English endings, and cut where no letter is."""
    with _turn:
        return _split(_scratch(), [" ".join(words)])[0]


@lru_cache(maxsize=1)
def _scratch() -> sqlite3.Connection:
    """Where questions are split: to open it takes three times as long."""
    return _open()


def _open() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.execute("create virtual table texts using fts5(text, content='', tokenize='porter unicode61')")
    db.execute("create virtual table stems using fts5vocab(texts, 'row')")
    db.execute("create virtual table occurrences using fts5vocab(texts, 'instance')")
    return db


def _split(db: sqlite3.Connection, texts: Sequence[str]) -> tuple[list[str], list[int], Any]:
    """The stems of all texts; how often each occurs; and, stem after stem, the number of the text of each occurrence.

    SQLite's full-text index splits and stems in C; its ranking is not used, as it takes 30 ms over 20,000 chunks.
    """
    import numpy as np

    with db:
        db.executemany("insert into texts(rowid, text) values (?, ?)", enumerate(texts))
        stems = db.execute("select term, cnt from stems").fetchall()
        at = np.fromiter((row for (row,) in db.execute("select doc from occurrences")), np.int64)
        db.execute("insert into texts(texts) values ('delete-all')")
    return [stem for stem, _ in stems], [count for _, count in stems], at


def _parts(words: Iterable[str], documents: Sequence[_Words], total: int) -> list[tuple[int, slice, float]]:
    """Where each word is: the document's number, the slice of its rows, and what the word weighs.

    The fewer of the `total` chunks have a word, the more it weighs; never less than nothing, as Lucene takes it.
    """
    parts = []
    for word in words:
        places = [(number, span) for number, each in enumerate(documents) if (span := each.spans.get(word))]
        chunks = sum(span.stop - span.start for _, span in places)
        weight = log(1 + (total - chunks + 0.5) / (chunks + 0.5))
        parts += [(number, span, weight) for number, span in places]
    return parts
