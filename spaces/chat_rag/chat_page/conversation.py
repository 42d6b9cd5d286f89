"""The conversation of a page: its turns, and their JSON on disk."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from rag.answering.turn import Turn

logger = logging.getLogger(__name__)
# Version 1 had no number: it stored messages as they were displayed.
VERSION = 2


@dataclass(slots=True)
class Conversation:
    """The turns of one open page. `unreadable` if the stored conversation couldn't be read."""

    turns: tuple[Turn, ...] = ()
    unreadable: bool = False


def to_json(conversation: Conversation) -> dict[str, Any]:
    """Return the conversation as a JSON value."""
    return {"version": VERSION, "turns": [asdict(turn) for turn in conversation.turns]}


def from_json(value: Any) -> Conversation:
    """Return the stored conversation; an empty, `unreadable` one if the value isn't of this version."""
    try:
        if value["version"] != VERSION:
            raise ValueError(f"it has version {value['version']!r}")
        return Conversation(_turns_adapter().validate_python(value["turns"]))
    except (TypeError, KeyError, ValueError) as error:  # pydantic's ValidationError is a ValueError
        logger.warning("Dropped a stored conversation that this version can't read (%s).", type(error).__name__)
        return Conversation(unreadable=True)


@cache
def _turns_adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(tuple[Turn, ...])
