"""A conversation: its name, its turns, and their JSON on disk."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any

from rag.answering.turn import Turn

logger = logging.getLogger(__name__)
# Version 1 had no number: it stored messages as they were displayed. Version 2 had one conversation per visitor.
VERSION = 3
TITLE_CHARACTERS = 60
MAX_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Stored:
    """A conversation as it was last read or written here; `stamp` changes when another process writes it."""

    stamp: tuple[int, ...]
    turns: tuple[Turn, ...]
    name: str


@dataclass(slots=True)
class Conversation:
    """A conversation, which several pages can show at once. Each page changes it by the turns' ids, never as a whole.

    `name` is what the visitor calls it; without one, its title is its first question. `created` and `updated` are Unix
    times. `unreadable` if the stored conversation couldn't be read. `changes` counts the changes that a page must show;
    the words of an answer that streams in aren't counted.
    """

    turns: tuple[Turn, ...] = ()
    unreadable: bool = False
    id: str = field(default="", compare=False)
    name: str = field(default="", compare=False)
    created: float = field(default=0.0, compare=False)
    updated: float = field(default=0.0, compare=False)
    changes: int = field(default=0, compare=False)
    saved: bool = field(default=False, compare=False)
    stored: Stored | None = field(default=None, compare=False)
    deleted: bool = field(default=False, compare=False)
    problem: str = field(default="", compare=False)  # why it couldn't be stored
    follow_up_turns: set[str] = field(default_factory=set, compare=False)  # whose follow-up questions were looked for
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)
    save_lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @property
    def title(self) -> str:
        """The name, or the first question in one short line; "" without a question."""
        return self.name or (short_title(self.turns[0].question) if self.turns else "")

    def append(self, turn: Turn) -> Turn:
        """Add a turn at the end, after those that other pages added meanwhile; return it with its id."""
        turn = replace(turn, id=secrets.token_hex(8))
        with self.lock:
            self.turns = (*self.turns, turn)
            self.changes += 1
            return turn

    def update(self, turn: Turn, *, ended: bool = False) -> None:
        """Replace the turn with the same id, but for its rating; a turn that was removed meanwhile stays removed."""
        with self.lock:
            self.turns = tuple(_with_rating(turn, each) if each.id == turn.id else each for each in self.turns)
            self.changes += ended

    def change(self, turn_id: str, **values: Any) -> None:
        """Change some fields of a turn as it is now; a turn that was removed meanwhile stays removed."""
        with self.lock:
            self.turns = tuple(replace(each, **values) if each.id == turn_id else each for each in self.turns)

    def replace_turns(self, turns: Iterable[Turn]) -> None:
        """Replace all turns, such as by those before a question that is asked again."""
        with self.lock:
            self.turns, self.unreadable = with_ids(turns), False
            self.changes += 1

    def ends_with(self, turn: Turn) -> bool:
        """Return whether a turn is the last one, as it was or changed."""
        return bool(self.turns) and self.turns[-1].id == turn.id

    def index(self, turn_id: str) -> int | None:
        """Return the index of a turn, or None if it was removed."""
        return next((index for index, turn in enumerate(self.turns) if turn.id == turn_id), None)


def _with_rating(turn: Turn, rated: Turn) -> Turn:
    if (turn.rating, turn.reason) == (rated.rating, rated.reason):
        return turn
    return replace(turn, rating=rated.rating, reason=rated.reason)


def with_ids(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the turns; those without an id get one."""
    return tuple(turn if turn.id else replace(turn, id=secrets.token_hex(8)) for turn in turns)


def short_title(text: str) -> str:
    """Return the beginning of a text as one line of at most `TITLE_CHARACTERS`, cut between words if it can be."""
    line = " ".join(text[: 10 * TITLE_CHARACTERS].split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    words, _, rest = line[: TITLE_CHARACTERS + 1].rpartition(" ")
    return f"{words if len(rest) < TITLE_CHARACTERS // 2 else line[:TITLE_CHARACTERS]} …"


def head_json(conversation: Conversation) -> dict[str, Any]:
    """Return what the list of conversations shows, as a JSON value."""
    title, name = conversation.title, conversation.name
    return {"title": title, "name": name, "created": conversation.created, "updated": conversation.updated}


def to_json(conversation: Conversation) -> dict[str, Any]:
    """Return the turns as a JSON value."""
    return {"version": VERSION, "turns": [asdict(turn) for turn in conversation.turns]}


def from_json(value: Any) -> Conversation:
    """Return the stored conversation; an empty, `unreadable` one if the value isn't of this version or of version 2."""
    try:
        if value["version"] not in (2, VERSION):
            raise ValueError(f"it has version {value['version']!r}")
        turns = _turns_adapter().validate_python(value["turns"])
    except (TypeError, KeyError, ValueError) as error:  # pydantic's ValidationError is a ValueError
        logger.warning("Dropped a stored conversation that this version can't read (%s).", type(error).__name__)
        return Conversation(unreadable=True)
    return Conversation(with_ids(turns))


@cache
def _turns_adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(tuple[Turn, ...])
