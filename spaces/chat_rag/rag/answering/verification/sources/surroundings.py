"""What stands around the figures of a passage: names and periods in it, in its title and above it in its document."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from rag.answering.verification.sentences.clauses import role_words
from rag.answering.verification.sentences.figures import find_periods
from rag.answering.verification.sentences.names import Name, normalize
from rag.answering.verification.sources.statements import Statements
from rag.documents import Passage

# How far above a passage its document can say which time it is about.
_CHARACTERS_ABOVE = 3_000
Times = frozenset[tuple[str, int]]


class Surroundings:
    """Reads each passage once for all sentences of an answer: a table's passage has hundreds of figures."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.role_words = cache(role_words)
        self._words = cache(self._read_words)
        self.nearby_periods = cache(self._read_nearby_periods)
        self.periods_above = cache(self._read_periods_above)

    def have_names(self, names: Sequence[Name], passage: Passage) -> bool:
        """Return whether each name of a sentence stands in the passage or in the title of its document."""
        return all(self._have_name(name, passage) for name in names)

    def _have_name(self, name: Name, passage: Passage) -> bool:
        text, words = self._words(passage)
        if _contains(text, name.word) or not self.role_words(name.word) - words:
            return True
        # A sentence may begin with any word, but not with one that the whole document doesn't have.
        return name.begins and self._statements.has_word(passage.document_id, self.role_words(name.word))

    def _read_words(self, passage: Passage) -> tuple[str, frozenset[str]]:
        text = f"{passage.text}\n{passage.heading}\n{self._statements.title(passage.document_id)}"
        return normalize(text), self.role_words(text)

    def _read_nearby_periods(self, passage: Passage) -> Times:
        """Return the periods in the passage and in the title of its document."""
        return _times(f"{passage.text} {self._statements.title(passage.document_id)}")

    def _read_periods_above(self, passage: Passage) -> Times:
        """Return the periods of the document above the passage and in it."""
        text = self._statements.document_text(passage.document_id)
        return _times(text[max(0, passage.start - _CHARACTERS_ABOVE) : passage.end])


def _times(text: str) -> Times:
    return frozenset((period.kind, period.value) for period in find_periods(text))


def _contains(text: str, name: str) -> bool:
    """Return whether a name stands in a text as whole words."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not _is_word(text[at - 1 : at]) and not _is_word(text[end : end + 1]):
            return True
        at = text.find(name, at + 1)
    return False


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
