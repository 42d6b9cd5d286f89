"""An answer that another process writes, such as another replica of the page: followed by what it stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from chat_page.conversation import Conversation
from chat_page.conversations.conversations import Conversations
from chat_page.conversations.running_answer import PageUpdate, RunningAnswer
from chat_page.rendering.messages import reply_messages
from chat_page.sources import panel
from chat_page.translations.languages import strings
from rag.answering.turn import Turn

LOOK_SECONDS = 1.0


class RemoteAnswer:
    """The answer of a turn; it ends with its turn, or as a cut one when the other process ends."""

    def __init__(self, conversations: Conversations, conversation: Conversation, turn_id: str) -> None:
        self.turn_id = turn_id
        self._conversations, self._conversation = conversations, conversation
        self._sessions: set[str] = set()

    async def follow(self, session: str) -> AsyncIterator[PageUpdate]:
        """Yield the reply as it is stored, whenever it has changed."""
        shown: Turn | None = None
        self._sessions.add(session)
        try:
            while session in self._sessions:
                await asyncio.to_thread(self._conversations.open, self._conversation.id)
                index = self._conversation.index(self.turn_id)
                if index is None or self._conversation.deleted:
                    return
                turn = self._conversation.turns[index]
                if turn != shown:
                    reply = reply_messages(turn, index + 1, strings().writing if turn.is_open else None)
                    is_new = not shown or turn.passages != shown.passages or not turn.is_open
                    yield PageUpdate(reply, panel.sources_html(self._conversation.turns) if is_new else None)
                    shown = turn
                if not turn.is_open:
                    return
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._sessions.discard(session)

    def is_followed_by(self, session: str) -> bool:
        """Return whether a page follows the answer."""
        return session in self._sessions

    def leave(self, session: str) -> None:
        """End what a page follows."""
        self._sessions.discard(session)


FollowedAnswer = RunningAnswer | RemoteAnswer
