"""What the model is told: the rules, the numbered passages, the conversation, the question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backends import Message
from rag.retrieve import Passage

SYSTEM = "You are a helpful assistant. Answer briefly and truthfully."
# Short, because the small default model loses the thread of longer rules (tried on 14 questions).
RULES = (
    "Use the passages to answer the question in one or two short sentences. Put the number of the passage behind "
    "each statement, like [1]."
)
# Earlier turns help with “and the year before?”; the passages need the room more.
HISTORY_CHARACTERS = 4000
_MARKERS = re.compile(r"\s?\[(?:\[?\d{1,2}\]?)\](?:\(#[^)]*\))?")


def messages(
    question: str, passages: Sequence[Passage], history: Sequence[Message] = (), *, system: str = ""
) -> tuple[Message, ...]:
    """The conversation to send; without passages it is a plain chat."""
    if not passages:
        return (Message("system", system.strip() or SYSTEM), *recent(history), Message("user", question))
    # The best passage stands last, next to the question: small models read that place best.
    asked = f"{listing(passages[::-1])}\n\nQuestion: {question}"
    rules = f"{system.strip()}\n{RULES}".strip()
    return (Message("system", rules), *recent(history), Message("user", asked))


def listing(passages: Sequence[Passage]) -> str:
    """The passages as the model reads them, each under its number and where it comes from."""
    return "\n\n".join(f"[{passage.number}] {_place(passage)}\n{passage.text.strip()}" for passage in passages)


def recent(history: Sequence[Message]) -> list[Message]:
    """The last turns that fit, oldest first, without their citation markers."""
    kept: list[Message] = []
    left = HISTORY_CHARACTERS
    for message in reversed(history):
        text = _MARKERS.sub("", message.content).strip()
        left -= len(text)
        if left < 0:
            break
        if text:
            kept.append(Message(message.role, text))
    while kept and kept[-1].role == "assistant":  # many chat templates want the user to begin
        kept.pop()
    return kept[::-1]


def _place(passage: Passage) -> str:
    page = f", page {passage.page}" if passage.page else ""
    return f"({passage.document}{page})"
