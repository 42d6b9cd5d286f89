"""Prompts: one conversation each, of one or more turns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from backends import ChatRequest, Message
from compare.runs.records import Question


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A further message of the user, `think_seconds` after the answer; `max_tokens=None` means that of the prompt."""

    text: str
    think_seconds: float = 0.0
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """A text before a prompt. Those with equal numbers are shared; number 0 is the prompt's own, which no other has."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One conversation to send; `max_tokens=None` leaves the maximum length to the plan.

    The answer to a prompt with a `question` is kept, so that it can be scored.
    """

    messages: tuple[Message, ...]
    max_tokens: int | None = None
    question: Question | None = None
    follow_ups: tuple[FollowUp, ...] = ()
    prefix: Prefix | None = None

    @property
    def turns(self) -> int:
        """How many requests the conversation has."""
        return 1 + len(self.follow_ups)

    def request(
        self,
        *,
        nonce: str,
        max_tokens: int | None,
        temperature: float,
        turn: int = 0,
        history: tuple[Message, ...] = (),
        prefix_nonce: str = "",
    ) -> ChatRequest:
        """Build the request of a turn; the `history` is what was said before it.

        The nonce comes first, so that no server can reuse a cached prefix, except one that the workload shares.
        """
        follow_up = self.follow_ups[turn - 1] if turn else None
        messages = (*history, Message("user", follow_up.text)) if follow_up else self._opening(nonce, prefix_nonce)
        length = (follow_up and follow_up.max_tokens) or self.max_tokens or 256
        return ChatRequest(messages, max_tokens=max_tokens or length, temperature=temperature)

    def _opening(self, nonce: str, prefix_nonce: str) -> tuple[Message, ...]:
        first, *rest = self.messages
        text = f"[{nonce}] {first.text}"
        if self.prefix:
            text = f"[{prefix_nonce}] {self.prefix.text}\n\n{text}"
        return (replace(first, content=text), *rest)


def as_text(value: Any) -> str:
    """Return a text that can be sent; raise `ValueError` for anything else."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("the text is empty or not a string")
    value.encode()  # half a surrogate pair can't be sent
    return value
