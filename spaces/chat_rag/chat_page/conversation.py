"""The conversation as a page holds it (a list of Gradio's message dictionaries) and as a model reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backends import Delta, Message, SpaceportError
from chat_page.render import error_markdown, linked
from chat_page.strings import ENGLISH
from rag.answering.answer import Found
from ui.markdown import plain, safe_markdown

# The mark of messages that are for the eyes only: they are never sent to a model.
ASIDE = "aside"


def user_message(text: str) -> dict[str, Any]:
    """A question as the page shows it; `text_of` gives the text back."""
    return {"role": "user", "content": safe_markdown(text)}


def text_of(message: dict[str, Any]) -> str:
    """The text of a message, whose content is a string or a list of typed parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return plain(content)
    return plain("".join(part.get("text", "") if isinstance(part, dict) else str(part) for part in content))


def sendable(history: Sequence[dict[str, Any]]) -> list[Message]:
    """What a model may see of the conversation: questions and answers, no thoughts, no errors."""
    return [
        Message(message["role"], text_of(message))
        for message in history
        if not (message.get("metadata") or {}).get("title") and (message.get("metadata") or {}).get("id") != ASIDE
    ]


def turn_of(history: Sequence[dict[str, Any]]) -> int:
    """The number of the turn that the conversation is at, counted from 1."""
    return sum(message["role"] == "user" for message in history)


def back_to_question(history: Sequence[dict[str, Any]], index: int) -> list[dict[str, Any]]:
    """The conversation up to and with the question at or before `index`."""
    while index > 0 and history[index]["role"] != "user":
        index -= 1
    return list(history[: index + 1])


@dataclass(slots=True)
class Reply:
    """One answer while it comes in; `messages` is how the page shows it now."""

    turn: int
    status: str = ""
    found: Found | None = None
    thought: str = ""
    answer: str = ""
    error: SpaceportError | None = None
    finish_reason: str | None = None
    ended: bool = False

    def add(self, delta: Delta) -> None:
        if delta.kind == "thought":
            self.thought += delta.text
        else:
            self.answer += delta.text

    def begins(self, event: object) -> bool:
        """Whether `event` is more than another piece of the same text, so that it should be shown at once."""
        return not (isinstance(event, Delta) and (self.thought if event.kind == "thought" else self.answer))

    def messages(self) -> list[dict[str, Any]]:
        """Thoughts folded, the answer with its citations linked, an error last."""
        shown: list[dict[str, Any]] = []
        passages = len(self.found.passages) if self.found and not self.found.abstained else 0
        if self.thought.strip():
            thinking = not (self.answer or self.ended)
            metadata = {
                "title": ENGLISH.thinking if thinking else ENGLISH.thoughts,
                "status": "pending" if thinking else "done",
            }
            shown.append(_assistant(safe_markdown(self.thought), metadata))
        elif not self.answer and not self.ended and self.status:
            shown.append(_assistant("", {"title": self.status, "status": "pending"}))
        if self.answer.strip():
            shown.append(_assistant(linked(safe_markdown(self.answer.lstrip()), self.turn, passages)))
        if self.finish_reason == "abstained":
            shown.append(_assistant(f"*{ENGLISH.how_to_allow}*", {"id": ASIDE}))
        if self.error:
            shown.append(_assistant(error_markdown(self.error.message, self.error.remedy), {"id": ASIDE}))
        elif self.ended and not self.answer.strip():
            shown.append(_assistant(f"*{ENGLISH.no_answer}*", {"id": ASIDE}))
        return shown


def settled(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation after Stop: nothing is pending, and what has no text is gone."""
    kept: list[dict[str, Any]] = []
    for message in history:
        metadata = dict(message.get("metadata") or {})
        if metadata.get("status") == "pending":
            if not text_of(message).strip():
                continue
            metadata |= {"status": "done", "title": ENGLISH.thoughts}
            message = {**message, "metadata": metadata}
        kept.append(message)
    return kept


def _assistant(content: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **({"metadata": metadata} if metadata else {})}
