"""The conversation as a page holds it (a list of Gradio's message dictionaries) and as a model reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backends import Delta, Message, SpaceportError
from page import safe_markdown
from rag.render import error_markdown, linked

# The mark of messages that are for the eyes only: they are never sent to a model.
ASIDE = "aside"


def user_message(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def text_of(message: dict[str, Any]) -> str:
    """The text of a message, whose content is a string or a list of typed parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") if isinstance(part, dict) else str(part) for part in content)


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
    passages: int = 0
    status: str = ""
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

    def messages(self) -> list[dict[str, Any]]:
        """Thoughts folded, the answer with its citations linked, an error last."""
        shown: list[dict[str, Any]] = []
        if self.thought.strip():
            thinking = not (self.answer or self.ended)
            metadata = {"title": "Thinking" if thinking else "Thoughts", "status": "pending" if thinking else "done"}
            shown.append(_assistant(safe_markdown(self.thought), metadata))
        elif not self.answer and not self.ended and self.status:
            shown.append(_assistant("", {"title": self.status, "status": "pending"}))
        if self.answer.strip():
            shown.append(_assistant(linked(safe_markdown(self.answer.lstrip()), self.turn, self.passages)))
        if self.error:
            shown.append(_assistant(error_markdown(self.error.message, self.error.remedy), {"id": ASIDE}))
        elif self.ended and not self.answer.strip():
            shown.append(_assistant("*No answer came.*", {"id": ASIDE}))
        return shown


def settled(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation after Stop: nothing is pending, and what has no text is gone."""
    kept: list[dict[str, Any]] = []
    for message in history:
        metadata = dict(message.get("metadata") or {})
        if metadata.get("status") == "pending":
            if not text_of(message).strip():
                continue
            metadata |= {"status": "done", "title": "Thoughts"}
            message = {**message, "metadata": metadata}
        kept.append(message)
    return kept


def _assistant(content: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **({"metadata": metadata} if metadata else {})}
