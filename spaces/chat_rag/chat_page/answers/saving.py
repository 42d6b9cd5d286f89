"""Stores an answer again and again while it is written: of a server that is killed, little is lost."""

from __future__ import annotations

import asyncio

from backends.stopwatch import now
from chat_page.conversations.conversation import Conversation
from chat_page.visitors.visitor import Visitor

# Saving a long conversation takes at most one part of the time in `SAVE_SHARE`.
SAVE_SECONDS, SAVE_SHARE = 2.0, 50


class AnswerSaving:
    """Stores a visitor's conversation, the first time at once."""

    def __init__(self, visitor: Visitor, conversation: Conversation) -> None:
        self._visitor, self._conversation = visitor, conversation
        self._due = 0.0

    async def save_if_due(self) -> None:
        """Store what there is of the answer if it's time."""
        began = now()
        if began < self._due:
            return
        await asyncio.to_thread(self._visitor.save, self._conversation)
        self._conversation.saved = False  # it stays in memory until the answer ends
        self._due = now() + max(SAVE_SECONDS, SAVE_SHARE * (now() - began))
