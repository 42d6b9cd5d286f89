"""The lines of the list of conversations, and whether a conversation contains what is searched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chat_page.translations.languages import strings
from rag.answering.turn import Turn


@dataclass(frozen=True, slots=True)
class ListedConversation:
    """A line of the list; `updated` is a Unix time."""

    id: str
    title: str
    updated: float


def listed(conversation_id: str, head: Any) -> ListedConversation:
    """Return a line of the list, also for a conversation whose file is damaged: it can be deleted there."""
    title = head.get("title") if isinstance(head, dict) else None
    updated = number(head.get("updated")) if isinstance(head, dict) else 0.0
    return ListedConversation(conversation_id, title if isinstance(title, str) else strings().unreadable_title, updated)


def number(value: Any) -> float:
    """Return a stored number; 0 for anything else."""
    return float(value) if isinstance(value, int | float) else 0.0


def turns_contain(turns: Sequence[Turn], words: str) -> bool:
    """Return whether a question, answer or quote contains the casefolded words."""
    return any(words in text.casefold() for turn in turns for text in _texts(turn))


def stored_contains(body: Any, words: str) -> bool:
    """Return the same for a stored conversation, without checking the rest of it."""
    return any(words in text.casefold() for text in _stored_texts(body))


def _texts(turn: Turn) -> list[str]:
    return [turn.question, turn.answer, *(quote.text for quote in turn.quotes)]


def _stored_texts(body: Any) -> list[str]:
    try:
        return [
            str(text)
            for turn in body["turns"]
            for text in (turn["question"], turn.get("answer", ""), *(quote["text"] for quote in turn.get("quotes", [])))
        ]
    except (TypeError, KeyError, AttributeError):
        return []
