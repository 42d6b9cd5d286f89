"""One visitor of the page: documents, files being read, and the conversations of the open pages."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat_page.conversation import Conversation, from_json, to_json
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.store import MemoryStore, Store

# Pages that one visitor has open; of more, the oldest continues with the latest conversation.
MAX_PAGES = 50


@dataclass(slots=True, eq=False)
class Visitor:
    """All data of one visitor.

    `key` is the secret that identifies the visitor's browser; `last_seen` is a time of the clock of `Visitors`.
    `left_out` are the ids of the documents that questions leave out.
    """

    key: str
    library: Library
    ingestion: Ingestion
    store: Store | MemoryStore
    conversations: dict[str, Conversation] = field(default_factory=dict)
    latest: Conversation | None = None
    last_seen: float = 0.0
    left_out: set[str] = field(default_factory=set)

    @property
    def empty(self) -> bool:
        """Whether nothing would be lost if this object were dropped: what is stored is read again."""
        asked = any(conversation.turns for conversation in self.conversations.values())
        return not (asked or self.latest or self.library.documents or self.ingestion.busy)

    def conversation(self, session: str | None) -> Conversation:
        """Return the conversation of an open page. A new page continues the visitor's latest conversation."""
        conversation = self.conversations.get(session or "")
        if conversation is None:
            conversation = Conversation(self.latest.turns) if self.latest else self.stored_conversation()
            self.conversations[session or ""] = conversation
            if len(self.conversations) > MAX_PAGES:
                self.conversations.pop(next(iter(self.conversations)))
        return conversation

    def save(self, conversation: Conversation) -> None:
        """Store a conversation as the latest one; `DocumentError` if the disk is full."""
        self.latest = conversation
        self.store.write_conversation(to_json(conversation))

    def stored_conversation(self) -> Conversation:
        """Return the conversation that was stored last; it is `unreadable` if the file is damaged."""
        try:
            value = self.store.read_conversation()
        except (ValueError, RecursionError):
            return Conversation(unreadable=True)
        return Conversation() if value is None else from_json(value)

    def close(self) -> None:
        """Stop what is running and free the memory; everything on the disk stays."""
        self.ingestion.close()
        self.library.close()
        self.conversations.clear()
        self.latest = None
