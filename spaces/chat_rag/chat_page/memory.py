"""What is remembered of a conversation: its messages, what each answer rests on, and who gave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rag.answering.answer import Citation
from rag.documents import Passage


@dataclass(frozen=True, slots=True)
class Sources:
    """What one answer rests on: what was sent to the model, and what of it was cited."""

    turn: int
    question: str
    passages: tuple[Passage, ...]
    citations: tuple[Citation, ...] = ()
    removed: int = 0


@dataclass(slots=True)
class Conversation:
    """One conversation; turns are counted from 1. `answered` holds the target and the time of each answer."""

    history: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[int, Sources] = field(default_factory=dict)
    answered: dict[int, tuple[str, str]] = field(default_factory=dict)

    def forget_from(self, turn: int) -> None:
        """Drop what belongs to this turn and those after it."""
        self.sources = {known: kept for known, kept in self.sources.items() if known < turn}
        self.answered = {known: kept for known, kept in self.answered.items() if known < turn}

    def copy(self) -> Conversation:
        """The same conversation to go on with elsewhere."""
        return Conversation(list(self.history), dict(self.sources), dict(self.answered))

    def as_json(self) -> dict[str, Any]:
        """All of it as a JSON value."""
        return {
            "history": self.history,
            "sources": [asdict(sources) for sources in self.sources.values()],
            "answered": [[turn, *told] for turn, told in self.answered.items()],
        }


def from_json(value: Any) -> Conversation:
    """A conversation that was kept as JSON; an empty one where the value is none of ours."""
    try:
        sources = [_sources(each) for each in value["sources"]]
        answered = {int(turn): (str(target), str(time)) for turn, target, time in value["answered"]}
        return Conversation(list(value["history"]), {each.turn: each for each in sources}, answered)
    except (TypeError, KeyError, ValueError):
        return Conversation()


def _sources(value: dict[str, Any]) -> Sources:
    passages: Sequence[Passage] = [Passage(**each) for each in value["passages"]]
    citations = [
        Citation(Passage(**each["passage"]), each["attributed"], tuple((start, end) for start, end in each["spans"]))
        for each in value["citations"]
    ]
    return Sources(value["turn"], value["question"], tuple(passages), tuple(citations), value["removed"])
