"""Tells when a model goes round in circles, as small ones do at temperature 0, so that it can be stopped."""

from __future__ import annotations

import re
from collections import Counter

_END = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"\d[\d,.:]*")
MIN_WORDS = 6
# The same sentence, or the same but for its figures. Rows of a table told one by one look like the second.
SAME, ALIKE = 2, 5


class Repetition:
    """Watches the sentences of one answer."""

    def __init__(self) -> None:
        self._open = ""
        self._same: Counter[str] = Counter()
        self._alike: Counter[str] = Counter()

    def add(self, text: str) -> bool:
        """Take more of the answer; True once it repeats itself."""
        *ended, self._open = _END.split(self._open + text)
        return sum(map(self._repeats, ended)) > 0  # each is counted, so no any() that stops early

    def _repeats(self, sentence: str) -> bool:
        words = sentence.lower().split()
        if len(words) < MIN_WORDS:
            return False
        said = " ".join(words)
        shape = _NUMBER.sub("#", said)
        self._same[said] += 1
        self._alike[shape] += 1
        return self._same[said] >= SAME or self._alike[shape] >= ALIKE
