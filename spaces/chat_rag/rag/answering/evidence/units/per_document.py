"""Values that are derived from a document once, and freed with it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from rag.documents import Document

T = TypeVar("T")
# A pattern holds the interpreter's lock until it has found something: 10 ms and less in so many characters.
_BLOCK_CHARACTERS = 100_000


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


def text_blocks(text: str) -> Iterator[str]:
    """Yield a text in blocks that end with a line, for patterns that match within one."""
    start = 0
    while start < len(text):
        end = start + _BLOCK_CHARACTERS
        end = text.rfind("\n", start, end) + 1 or end
        yield text[start:end]
        start = end
