"""A turn of a conversation: a question and everything that came of it, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backends import Message
from rag.answering.abstain import REFUSAL, Abstention
from rag.answering.markers import Marker
from rag.answering.types import Citation
from rag.documents import Passage


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """The error that ended an answer: what happened and what to do."""

    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer.

    `answer` is the exact text with its citation markers as `[n]`; `markers` says where they are. `passages` were sent
    to the model or, with an `abstention`, are the nearest ones. `finish_reason` is None until the answer ends.
    `target` is "" until a model is asked; `asked_at` is in ISO 8601. A `shared` turn came from a link: the passages of
    its citations have a number, a document and a page, but no text.
    """

    question: str
    answer: str = ""
    thought: str = ""
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    markers: tuple[Marker, ...] = ()
    invalid_markers: int = 0
    abstention: Abstention | None = None
    error: ErrorMessage | None = None
    finish_reason: str | None = None
    target: str = ""
    asked_at: str = ""
    shared: bool = False


def model_messages(turns: Iterable[Turn]) -> list[Message]:
    """Return the conversation for a model: questions and answers, without thoughts and errors."""
    messages: list[Message] = []
    for turn in turns:
        messages.append(Message("user", turn.question))
        if turn.answer.strip():
            messages.append(Message("assistant", turn.answer.strip()))
        elif turn.abstention:
            messages.append(Message("assistant", REFUSAL))
    return messages
