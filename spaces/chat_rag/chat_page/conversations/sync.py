"""Keeps conversations in memory and in the store the same, also where several processes have one store."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace

from chat_page.conversations.conversation import Conversation, Stored, from_json, head_json, to_json
from chat_page.conversations.listing import number
from chat_page.conversations.merging import merge_turns
from chat_page.translations.languages import strings
from rag.answering.turn import Turn
from rag.errors import DocumentError
from rag.library.quota import QuotaExceeded
from rag.library.storage.conversation_file import conversation_data
from rag.library.storage.file_locks import ProcessMark
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store

logger = logging.getLogger(__name__)


class ConversationSync:
    """Reads and writes the conversations of a visitor, and merges what another process has changed.

    `room` returns how many bytes all conversations may have together, or None for no limit. By the `mark`, other
    processes see whether this one still writes its answers.
    """

    def __init__(
        self,
        store: Store | MemoryStore,
        room: Callable[[], int | None],
        clock: Callable[[], float],
        mark: ProcessMark | None,
    ) -> None:
        self._store, self._room, self._clock, self._mark = store, room, clock, mark

    @property
    def process(self) -> str:
        """The name of this process, for the answers that it writes; "" if nothing is stored."""
        return self._mark.name if self._mark else ""

    def is_written_elsewhere(self, turn: Turn) -> bool:
        """Return whether another process is writing the answer."""
        return turn.is_open and self._mark is not None and self._mark.lives(turn.written_by)

    def read(self, conversation_id: str) -> Conversation:
        """Read a conversation; answers that nobody writes any more are cut."""
        stamp, conversation = self._read_stored(conversation_id)
        if stamp:
            conversation.stored = Stored(stamp, conversation.turns, conversation.name)
        conversation.turns = tuple(map(self._cut, conversation.turns))
        return conversation

    def refresh(self, conversation: Conversation) -> None:
        """Take over what another process has changed, and cut the answers of one that has ended."""
        try:
            if self._is_changed_elsewhere(conversation):
                with conversation.save_lock:
                    self._merge(conversation)
        except DocumentError as error:
            logger.warning("A conversation stays as it was: %s", error)
        if not conversation.deleted and any(turn.written_by and self._is_cut(turn) for turn in conversation.turns):
            with conversation.lock:
                conversation.turns = tuple(map(self._cut, conversation.turns))
                conversation.changes += 1

    def write(self, conversation: Conversation) -> None:
        """Store a conversation, after the changes of others are merged; a `RagError` says that there is no room."""
        with conversation.save_lock, self._store.exclusive():
            if self._is_changed_elsewhere(conversation):
                self._merge(conversation)
            if conversation.deleted:
                return
            conversation.saved, turns, name = False, conversation.turns, conversation.name
            data = conversation_data(head_json(conversation), to_json(conversation))
            self._check_room(conversation.id, len(data))
            self._store.write_conversation(conversation.id, data)
            with contextlib.suppress(DocumentError):  # it is stored, and the next look merges it with itself
                if stamp := self._store.conversation_stamp(conversation.id):
                    conversation.stored = Stored(stamp, turns, name)
            conversation.saved = turns is conversation.turns

    def _read_stored(self, conversation_id: str) -> tuple[tuple[int, ...] | None, Conversation]:
        stamp = self._store.conversation_stamp(conversation_id)  # before the content: it may be older, never newer
        try:
            stored = self._store.read_conversation(conversation_id)
        except ValueError:
            conversation, head = Conversation(unreadable=True), None
        else:
            head, body = stored or (None, None)
            conversation = from_json(body) if stored else Conversation(created=self._clock())
        conversation.id, conversation.saved = conversation_id, True
        if isinstance(head, dict):
            conversation.name = str(head.get("name") or "")
            conversation.created, conversation.updated = number(head.get("created")), number(head.get("updated"))
        return stamp, conversation

    def _is_changed_elsewhere(self, conversation: Conversation) -> bool:
        known = conversation.stored.stamp if conversation.stored else None
        return known != self._store.conversation_stamp(conversation.id)

    def _merge(self, conversation: Conversation) -> None:
        """Merge what is stored into a conversation; its `save_lock` is held."""
        before = conversation.stored or Stored((), (), "")
        stamp, theirs = self._read_stored(conversation.id)
        if stamp is None:
            conversation.deleted = conversation.stored is not None
        if stamp is None or theirs.unreadable:
            return
        with conversation.lock:
            turns = merge_turns(before.turns, conversation.turns, theirs.turns)
            if turns != conversation.turns or [each.id for each in turns] != [each.id for each in conversation.turns]:
                conversation.turns = turns
                conversation.changes += 1
            if conversation.name == before.name:
                conversation.name = theirs.name
            conversation.updated = max(conversation.updated, theirs.updated)
            conversation.stored = Stored(stamp, theirs.turns, theirs.name)

    def _is_cut(self, turn: Turn) -> bool:
        """Whether the process that wrote the answer has ended before it."""
        return turn.is_open and turn.written_by != self.process and not self.is_written_elsewhere(turn)

    def _cut(self, turn: Turn) -> Turn:
        return replace(turn, finish_reason="cut", written_by="") if self._is_cut(turn) else turn

    def _check_room(self, conversation_id: str, length: int) -> None:
        room = self._room()
        if room is None:
            return
        sizes = self._store.conversation_sizes() | {conversation_id: length}
        if sum(sizes.values()) > room:
            raise QuotaExceeded(strings().no_room, strings().no_room_remedy)
