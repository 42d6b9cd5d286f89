"""What was said in a conversation between a simulated user and one target."""

from __future__ import annotations

from dataclasses import dataclass

from backends import Message


@dataclass(slots=True)
class Conversation:
    """The messages so far, with the target's own answers."""

    messages: tuple[Message, ...] = ()

    def add(self, sent: tuple[Message, ...], answer: str) -> None:
        """Remember a turn: all messages that were sent, and the answer to them."""
        self.messages = (*sent, Message("assistant", answer))
