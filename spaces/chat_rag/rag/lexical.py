"""Words to chunks: BM25 over stemmed words in SQLite's full-text index, updated in place."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable

_WORD = re.compile(r"\w+")
# Function words and question words: left in, they pull in chunks that only sound like a question.
STOP_WORDS = frozenset(
    """
    a about an and are as at be been by can could did do does for from had has have how i in into is it its me my of on
    or our should that the their them then there these they this those to was we were what when where which who whom
    whose why will with would you your
    """.split()  # noqa: SIM905  # a list of one word a line would be a page long
)


class LexicalIndex:
    """An index of one visitor's chunks; safe to call from several threads."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(
            "create virtual table chunks using fts5"
            "(id unindexed, document unindexed, text, tokenize='porter unicode61')"
        )

    def add(self, document_id: str, chunks: Iterable[tuple[str, str]]) -> None:
        """Add a document's chunks, each an identifier and its text."""
        with self._turn, self._db:
            self._db.executemany(
                "insert into chunks values (?, ?, ?)", [(chunk_id, document_id, text) for chunk_id, text in chunks]
            )

    def remove(self, document_id: str) -> None:
        """Remove every chunk of a document."""
        with self._turn, self._db:
            self._db.execute("delete from chunks where document = ?", (document_id,))

    def search(self, question: str, limit: int) -> list[tuple[str, float]]:
        """The best chunks for any of the question's words: identifier and BM25 score, higher is better."""
        query = " OR ".join(f'"{word}"' for word in key_words(question))
        if not query:
            return []
        with self._turn:
            rows = self._db.execute(
                "select id, -bm25(chunks) from chunks where chunks match ? order by rank limit ?", (query, limit)
            )
            return [(chunk_id, score) for chunk_id, score in rows]

    def close(self) -> None:
        with self._turn:
            self._db.close()


def key_words(text: str) -> list[str]:
    """The words that carry meaning, in lower case, each once; all words where nothing else is left."""
    words = list(dict.fromkeys(_WORD.findall(text.lower())))
    return [word for word in words if word not in STOP_WORDS] or words
