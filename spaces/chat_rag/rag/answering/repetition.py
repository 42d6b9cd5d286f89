"""Detects an answer that repeats itself, as small models do at temperature 0, so that the stream can stop."""

from __future__ import annotations

import re
from collections import Counter

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"\d[\d,.:]*")
MIN_WORDS = 6
# The number of identical sentences, and of sentences that differ only in their figures, that counts as repetition.
# An answer that lists the rows of a table has a few of the second kind.
IDENTICAL_LIMIT, SIMILAR_LIMIT = 2, 5


class RepetitionDetector:
    """Counts the sentences of one answer."""

    def __init__(self) -> None:
        self._open_sentence = ""
        self._identical: Counter[str] = Counter()
        self._similar: Counter[str] = Counter()

    def add(self, text: str) -> bool:
        """Add the next text of the answer and return True if the answer repeats itself."""
        open_sentence, start, sentences = self._open_sentence + text, 0, []
        for end in _SENTENCE_END.finditer(open_sentence, len(self._open_sentence)):  # the rest was searched before
            sentences.append(open_sentence[start : end.start()])
            start = end.end()
        self._open_sentence = open_sentence[start:]
        return sum(map(self._repeats, sentences)) > 0  # not any(), which would stop counting at the first one

    def _repeats(self, sentence: str) -> bool:
        words = sentence.lower().split()
        if sum(map(_is_word, words)) < MIN_WORDS:
            return False
        normalized = " ".join(words)
        pattern = _NUMBER.sub("#", normalized)
        self._identical[normalized] += 1
        self._similar[pattern] += 1
        return self._identical[normalized] >= IDENTICAL_LIMIT or self._similar[pattern] >= SIMILAR_LIMIT


def _is_word(word: str) -> bool:
    """Return whether this is a word. The line below a table's head has none, and is the same in every table."""
    return any(map(str.isalnum, word))
