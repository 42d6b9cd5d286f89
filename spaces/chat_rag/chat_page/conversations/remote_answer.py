"""Answers that another process writes, such as another replica of the page, and pages that follow ours there.

Such an answer is followed by what is stored of it; a mark beside it tells the process that writes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from chat_page.conversations.conversation import Conversation
from chat_page.conversations.conversations import Conversations
from chat_page.conversations.running_answer import PageUpdate, RunningAnswer
from chat_page.rendering.messages import reply_messages
from chat_page.sources import panel
from chat_page.translations.languages import strings
from rag.answering.turn import Turn
from rag.errors import DocumentError
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store

LOOK_SECONDS = 1.0
# What each page follows, by turn and session; a page that follows an answer once more has another object there.
Followers = dict[tuple[str, str], object]


class RemoteAnswer:
    """The answer of a turn; it ends with its turn, or as a cut one when the other process ends."""

    def __init__(self, conversations: Conversations, conversation_id: str, turn_id: str, followers: Followers) -> None:
        self.turn_id = turn_id
        self._conversations, self._conversation_id = conversations, conversation_id
        self._followers = followers

    async def follow(self, session: str) -> AsyncIterator[PageUpdate]:
        """Yield the reply as it is stored, whenever it has changed, until the page is no longer a follower."""
        last: Turn | None = None
        me = self._followers[self.turn_id, session] = object()
        try:
            while self._followers.get((self.turn_id, session)) is me:
                conversation = await asyncio.to_thread(self._look)
                index = conversation.index(self.turn_id)
                if index is None or conversation.deleted:
                    return
                turn = conversation.turns[index]
                if turn != last:
                    reply = reply_messages(turn, index + 1, strings().writing if turn.is_open else None)
                    is_new = not last or turn.passages != last.passages or not turn.is_open
                    yield PageUpdate(reply, panel.sources_html(conversation.turns) if is_new else None)
                    last = turn
                if not turn.is_open:
                    return
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            if self._followers.get((self.turn_id, session)) is me:
                del self._followers[self.turn_id, session]

    def is_followed_by(self, session: str) -> bool:
        """Return whether a page follows the answer."""
        return (self.turn_id, session) in self._followers

    def _look(self) -> Conversation:
        """Say that the answer is followed, and return its conversation: there's a new object after it was dropped."""
        self._conversations.mark_followed()
        return self._conversations.open(self._conversation_id)


class Absence:
    """Whether a visitor has left: no page is open here, and none at another process follows an answer.

    `is_here` returns whether a page is open here.
    """

    def __init__(self, store: Store | MemoryStore, is_here: Callable[[], bool]) -> None:
        self._store, self._is_here = store, is_here
        self._stamp: tuple[int, ...] | None = None

    def has_left(self) -> bool:
        """Return whether the visitor has left; nobody elsewhere has followed an answer since the last call."""
        if self._is_here():
            return False
        try:
            before, self._stamp = self._stamp, self._store.followed_stamp()
        except DocumentError:  # nobody knows
            return False
        return self._stamp == before


FollowedAnswer = RunningAnswer | RemoteAnswer
