"""What the search of earlier conversations looks in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag.answering.turn import Turn


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
