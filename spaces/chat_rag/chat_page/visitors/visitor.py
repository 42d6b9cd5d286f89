"""One visitor: documents, files being read, conversations, and the open pages."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from chat_page.conversations.conversation import Conversation
from chat_page.conversations.conversations import Conversations
from chat_page.translations.languages import strings
from rag.errors import RagError
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.storage.file_locks import ProcessMark
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store

# Pages that one visitor has open; of more, the oldest continues with the latest conversation.
MAX_PAGES = 50


@dataclass(slots=True)
class OpenPage:
    """A page: the conversation on it, its question that is answered, and how many changes of the conversation it shows.

    `shown_changes` is None if that isn't known.
    """

    conversation_id: str
    turn_id: str = ""
    shown_changes: int | None = None
    closed: bool = False


@dataclass(slots=True, eq=False)
class Visitor:
    """All data of one visitor.

    `key` is the secret that identifies the visitor's browser; `last_seen` is a time of the clock of `Visitors`. `mark`
    tells other processes that this one lives.
    `left_out` are the ids of the documents that questions leave out, which are stored with them.
    """

    key: str
    library: Library
    ingestion: Ingestion
    store: Store | MemoryStore
    mark: ProcessMark | None = None
    last_seen: float = 0.0
    left_out: set[str] = field(init=False)
    conversations: Conversations = field(init=False)
    _pages: OrderedDict[str, OpenPage] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.conversations = Conversations(self.store, self._room, mark=self.mark)
        self.left_out = self.store.read_left_out()

    @property
    def empty(self) -> bool:
        """Whether nothing would be lost if this object were dropped: what is stored is read again."""
        has_turns = any(conversation.turns for conversation in self.conversations.loaded)
        return not (has_turns or self.library.documents or self.ingestion.busy)

    def leave_out(self, document_id: str, *, left_out: bool) -> None:
        """Leave a document out of the next questions, or ask it again; `RagError` if that can't be stored."""
        documents = self.left_out | {document_id} if left_out else self.left_out - {document_id}
        if documents != self.left_out:
            self.store.write_left_out(documents)
            self.left_out = documents

    def page(self, session: str | None) -> OpenPage:
        """Return an open page. A new page continues the visitor's latest conversation."""
        page = self._pages.get(session or "") or self.show(session, self.conversations.latest())
        page.closed = False
        return page

    def shows(self, session: str | None, conversation: Conversation) -> bool:
        """Return whether a conversation is on a page."""
        page = self._pages.get(session or "")
        return page is not None and page.conversation_id == conversation.id

    def close_page(self, session: str | None) -> None:
        """Record that a page was closed, or has lost its connection."""
        if page := self._pages.get(session or ""):
            page.closed = True

    @property
    def present(self) -> bool:
        """Whether the visitor has an open page."""
        return any(not page.closed for page in list(self._pages.values()))

    def show(self, session: str | None, conversation: Conversation) -> OpenPage:
        """Put a conversation on a page."""
        page = self._pages[session or ""] = OpenPage(conversation.id)
        self._pages.move_to_end(session or "")
        while len(self._pages) > MAX_PAGES:
            self._pages.popitem(last=False)
        return page

    def conversation(self, session: str | None) -> Conversation:
        """Return the conversation of an open page."""
        return self.conversations.open(self.page(session).conversation_id)

    def save(self, conversation: Conversation) -> None:
        """Store a conversation; its `problem` says why it couldn't be."""
        words = strings()
        try:
            self.conversations.save(conversation)
            conversation.problem = ""
        except RagError as error:
            conversation.problem = words.fill(words.not_saved, reason=str(error))

    def close(self) -> None:
        """Stop what is running and free the memory; everything on the disk stays."""
        self.ingestion.close()
        self.library.close()
        self.conversations.close()
        self._pages.clear()

    def _room(self) -> int | None:
        """The bytes that the conversations may have: documents and conversations share the visitor's megabytes."""
        megabytes = self.library.quota.megabytes
        return megabytes * 1_000_000 - self.library.size.bytes if megabytes else None
