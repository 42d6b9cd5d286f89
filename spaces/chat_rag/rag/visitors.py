"""What belongs to one visitor of the page, kept apart from everybody else's and forgotten when they leave."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from rag.answer import Citation
from rag.library import Library
from rag.retrieve import Passage


@dataclass(frozen=True, slots=True)
class Sources:
    """What one answer rests on: what was sent to the model, and what of it was cited."""

    turn: int
    question: str
    passages: tuple[Passage, ...]
    citations: tuple[Citation, ...] = ()
    removed: int = 0


@dataclass(slots=True)
class Visitor:
    """A visitor's documents, and the sources of each answer by its turn, counted from 1."""

    library: Library
    sources: dict[int, Sources] = field(default_factory=dict)

    def forget_from(self, turn: int) -> None:
        """Drop the sources of this turn and those after it."""
        for known in [known for known in self.sources if known >= turn]:
            del self.sources[known]


class Visitors:
    """Visitors by the key of their session; `make_library` gives each newcomer an empty library."""

    def __init__(self, make_library: Callable[[], Library]) -> None:
        self._make_library = make_library
        self._visitors: dict[str, Visitor] = {}
        self._changing = threading.Lock()

    def of(self, session: str | None) -> Visitor:
        """The visitor of a session; a call without a session is a visitor of its own each time."""
        if not session:
            return Visitor(self._make_library())
        with self._changing:
            if session not in self._visitors:
                self._visitors[session] = Visitor(self._make_library())
            return self._visitors[session]

    def forget(self, session: str | None) -> None:
        """Delete everything of a visitor who has left."""
        with self._changing:
            visitor = self._visitors.pop(session or "", None)
        if visitor:
            visitor.library.close()

    def __len__(self) -> int:
        return len(self._visitors)
