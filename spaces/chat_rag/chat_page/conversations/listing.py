"""The lines of the list of conversations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chat_page.translations.languages import strings


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
