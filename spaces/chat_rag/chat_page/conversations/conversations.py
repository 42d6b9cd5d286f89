"""All conversations of one visitor: stored one by one, and shared by the pages that show them.

Another process, such as another replica of the page, can change what is stored; its changes and ours are merged.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from backends.stopwatch import wall_clock
from chat_page.conversations.conversation import Conversation, from_json
from chat_page.conversations.listing import ListedConversation, listed
from chat_page.conversations.search import stored_contains, turns_contain
from chat_page.conversations.sync import ConversationSync
from rag.answering.turn import Turn
from rag.errors import DocumentError, RagError
from rag.library.storage.conversation_file import is_conversation_id, new_conversation_id
from rag.library.storage.file_locks import ProcessMark
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store

logger = logging.getLogger(__name__)
# Of more, those that are stored and were used longest ago are read again from the disk.
MAX_LOADED = 50
# The conversation that the version before stored. A fixed id: moving it twice makes no second one.
EARLIER_ID = "0" * 16


class Conversations:
    """The conversations of a visitor, by their ids; safe across threads.

    Two pages that show the same conversation share one object, so neither overwrites what the other adds. A
    conversation is stored with its first question. `room` returns how many bytes all of them may have together, or None
    for no limit. By the `mark`, other processes see whether this one still writes its answers.
    """

    def __init__(
        self,
        store: Store | MemoryStore,
        room: Callable[[], int | None],
        clock: Callable[[], float] = wall_clock,
        mark: ProcessMark | None = None,
    ) -> None:
        self._store, self._clock = store, clock
        self._sync = ConversationSync(store, room, clock, mark)
        self._loaded: OrderedDict[str, Conversation] = OrderedDict()
        self._lock = threading.RLock()
        try:
            store.take_earlier_conversation(self._move_earlier)
        except RagError:
            logger.exception("The earlier conversation could not be moved.")

    def open(self, conversation_id: object) -> Conversation:
        """Return a conversation; one without turns if none with this id is stored, or if it isn't an id.

        One in memory stays as it is while the disk doesn't say what is stored; of others, a `RagError` does.
        """
        if not isinstance(conversation_id, str) or not is_conversation_id(conversation_id):
            return self.new()
        with self._lock:
            loaded = self._loaded.get(conversation_id)
        if loaded:
            self._refresh(loaded)
        with self._lock:
            conversation = self._loaded.get(conversation_id) or self._sync.read(conversation_id)
            self._keep(conversation)
            return conversation

    @property
    def process(self) -> str:
        """The name of this process, for the answers that it writes; "" if nothing is stored."""
        return self._sync.process

    def mark_followed(self) -> None:
        """Let other processes see that a page here follows an answer of theirs."""
        self._store.mark_followed()

    def is_written_elsewhere(self, turn: Turn) -> bool:
        """Return whether another process is writing the answer."""
        return self._sync.is_written_elsewhere(turn)

    def new(self) -> Conversation:
        """Return a conversation without turns; it isn't stored and not in the list."""
        with self._lock:
            conversation = Conversation(id=new_conversation_id(), created=self._clock())
            self._keep(conversation)
            return conversation

    def latest(self) -> Conversation:
        """Return the conversation that was changed last, or a new one if there's none."""
        with self._lock:
            if lines := self.listed():
                return self.open(lines[0].id)
            unreadable = self._loaded.get(EARLIER_ID)
            return unreadable or self.new()

    def listed(self, search: str = "") -> list[ListedConversation]:
        """Return the conversations with this text in their title, questions or answers; the one changed last first."""
        for conversation in self.loaded:
            self._refresh(conversation)
        lines = {each: listed(each, head) for each, head in self._store.conversation_heads().items()}
        with self._lock:  # also those that couldn't be stored
            loaded = {each.id: each for each in self._loaded.values() if each.turns}
        lines |= {each.id: ListedConversation(each.id, each.title, each.updated) for each in loaded.values()}
        words = search.casefold().strip()
        matches = [each for each in lines.values() if not words or self._contains(each, words, loaded.get(each.id))]
        return sorted(matches, key=lambda each: each.updated, reverse=True)

    def save(self, conversation: Conversation) -> None:
        """Store a conversation as the one that was changed last; a `RagError` says that there is no room.

        It then stays in memory as it is.
        """
        conversation.updated = self._clock()
        self._sync.write(conversation)

    def keep(self, conversation: Conversation) -> None:
        """Store a change that doesn't count as one of the conversation, such as a thumb; its place in the list stays.

        `RagError` if that can't be stored.
        """
        self._sync.write(conversation)

    def rename(self, conversation_id: object, name: str) -> None:
        """Name a conversation; an empty name brings back its first question. `RagError` if that can't be stored."""
        conversation = self.open(conversation_id)
        if conversation.turns:
            conversation.name = name
            self._sync.write(conversation)

    def delete(self, conversation_id: object) -> None:
        """Delete a conversation; an answer that is still being written to it isn't stored."""
        if not isinstance(conversation_id, str) or not is_conversation_id(conversation_id):
            return
        with self._lock:
            conversation = self._loaded.pop(conversation_id, None)
        if conversation:
            with conversation.save_lock:
                conversation.deleted = True
        self._store.delete_conversation(conversation_id)

    def all(self) -> Iterator[Conversation]:
        """Yield all conversations, the one changed last first; what was only read for this isn't kept in memory."""
        for line in self.listed():
            with self._lock:
                conversation = self._loaded.get(line.id)
            yield conversation or self._sync.read(line.id)

    @property
    def size(self) -> int:
        """The bytes of all stored conversations."""
        return sum(self._store.conversation_sizes().values())

    @property
    def loaded(self) -> Sequence[Conversation]:
        """The conversations in memory."""
        with self._lock:
            return tuple(self._loaded.values())

    def forget(self) -> None:
        """Accept no more changes: the visitor's data is deleted."""
        for conversation in self.loaded:
            conversation.deleted = True

    def close(self) -> None:
        """Free the memory; what is stored stays."""
        with self._lock:
            self._loaded.clear()

    def _refresh(self, conversation: Conversation) -> None:
        """Take over what another process has changed; one that it has deleted isn't kept in memory."""
        self._sync.refresh(conversation)
        if conversation.deleted:
            with self._lock:
                self._loaded.pop(conversation.id, None)

    def _keep(self, conversation: Conversation) -> None:
        """Keep a conversation in memory, and drop another one if there are too many."""
        self._loaded[conversation.id] = conversation
        self._loaded.move_to_end(conversation.id)
        if len(self._loaded) > MAX_LOADED:
            others = list(self._loaded.values())[:-1]
            oldest = next((each for each in others if not each.turns or each.saved), others[0])
            del self._loaded[oldest.id]

    def _contains(self, line: ListedConversation, words: str, loaded: Conversation | None) -> bool:
        if words in line.title.casefold():
            return True
        if loaded is None:
            try:
                stored = self._store.read_conversation(line.id)
            except (ValueError, DocumentError):
                return False
            return stored is not None and stored_contains(stored[1], words)
        return turns_contain(loaded.turns, words)

    def _move_earlier(self, value: Any) -> None:
        conversation = from_json(value)
        conversation.id = EARLIER_ID
        conversation.created = self._clock()
        self._loaded[EARLIER_ID] = conversation
        if conversation.turns:
            self.save(conversation)
