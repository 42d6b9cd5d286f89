"""Values that are derived from a document, or from one of its passages, once, and freed with it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from rag.documents import Document, Passage

T = TypeVar("T")
# A pattern holds the interpreter's lock until it has found something: 10 ms and less in so many characters.
_BLOCK_CHARACTERS = 100_000
# Of all passages: those of the last dozens of questions. Each takes some kilobytes, and a passage without any counts.
_KEPT_VALUES = 4_000
# What is left of them when the oldest ones are dropped: not at each passage.
_LEFT_VALUES = 3_500


class PerDocument(Generic[T]):
    """Computes a value when it is first needed for a document, and keeps it as long as the document is in memory.

    The value must not refer to the document, which would then never be freed. The keys are the objects themselves: to
    compare or hash documents takes as long as to read them.
    """

    def __init__(self, compute: Callable[[Document], T]) -> None:
        self._compute = compute
        self._values: dict[int, T] = {}

    def of(self, document: Document) -> T:
        """Return the value; two threads that need it first at the same time compute it twice."""
        key = id(document)
        if key not in self._values:
            value = self._compute(document)
            if self._values.setdefault(key, value) is value:
                weakref.finalize(document, self._values.pop, key, None).atexit = False
        return self._values[key]


class PerPassage(Generic[T]):
    """Computes values when they are first needed for a passage, and keeps them for the next questions.

    The values must not refer to the document, with which they are freed, and not depend on how well the passage fits a
    question. Those of the passages that were asked for last are kept.
    """

    def __init__(self, compute: Callable[[Document, Passage], tuple[T, ...]]) -> None:
        self._compute = compute
        self._values: dict[tuple[int, Passage], tuple[T, ...]] = {}  # the latest ones last
        self._documents: set[int] = set()
        self._kept = 0  # at least as many values as are kept, but for those that two threads add at the same time

    def of(self, document: Document, passage: Passage) -> tuple[T, ...]:
        """Return the values. Each step on the dictionary is atomic: two threads can compute the same at a time."""
        key = id(document), replace(passage, number=0, score=0.0, dense=None, lexical=None)
        values = self._values.pop(key, None)
        if values is None:
            values = self._compute(document, key[1])
            self._kept += 1 + len(values)
        if key[0] not in self._documents:
            self._documents.add(key[0])
            weakref.finalize(document, self._free, key[0]).atexit = False
        self._values[key] = values
        if self._kept > _KEPT_VALUES:
            self._drop_oldest()
        return values

    def _drop_oldest(self) -> None:
        """Drop the values that were asked for first, and count the others again.

        A copy of the keys makes no other objects: garbage that is collected meanwhile can have a document.
        """
        kept = 0
        for at, key in enumerate(reversed([*self._values])):
            kept += 1 + len(self._values.get(key, ()))
            if at and kept > _LEFT_VALUES:
                self._values.pop(key, None)
        self._kept = min(kept, _LEFT_VALUES)

    def _free(self, document: int) -> None:
        self._documents.discard(document)
        for key in [*self._values]:
            if key[0] == document:
                self._values.pop(key, None)


def text_blocks(text: str) -> Iterator[str]:
    """Yield a text in blocks that end with a line, for patterns that match within one."""
    start = 0
    while start < len(text):
        end = start + _BLOCK_CHARACTERS
        end = text.rfind("\n", start, end) + 1 or end
        yield text[start:end]
        start = end
