"""The stems of many documents, each stored once: documents have most of their words in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


class Vocabulary:
    """Distinct stems with their numbers, in the order in which they were added."""

    def __init__(self) -> None:
        self.stems: list[str] = []
        self.numbers: dict[str, int] = {}
        # One object for each number: a million of them in the documents' dicts would take 32 bytes each.
        self.shared: list[int] = []

    def add(self, stems: Sequence[str]) -> list[str]:
        """Add the stems that aren't there, and return them."""
        new = [stem for stem in stems if stem not in self.numbers]
        added = range(len(self.stems), len(self.stems) + len(new))
        self.shared += added
        self.stems += new
        self.numbers.update(zip(new, self.shared[added.start :], strict=True))
        return new


class SharedStems:
    """The numbers of a document's stems as a dict has them, without the stems: `ids` are theirs in a vocabulary."""

    __slots__ = ("_numbers", "_vocabulary")

    def __init__(self, vocabulary: Vocabulary, ids: Sequence[int]) -> None:
        self._vocabulary = vocabulary
        self._numbers = dict(zip(map(vocabulary.shared.__getitem__, ids), vocabulary.shared, strict=False))

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return map(self._vocabulary.stems.__getitem__, self._numbers)

    def get(self, stem: str) -> int | None:
        """Return the number of a stem, or None if the document doesn't have it."""
        return self._numbers.get(self._vocabulary.numbers.get(stem, -1))
