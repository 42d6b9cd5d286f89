"""A store without a disk: uploaded files and conversations end with the process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rag.documents import Chunk, Document
from rag.errors import SessionEnded
from rag.library.storage.conversation_file import parse_conversation
from rag.library.storage.stored_files import StoredDocument


class MemoryStore:
    """The methods of `Store`, in memory."""

    def __init__(self) -> None:
        self._originals: dict[str, bytes] = {}
        self._conversations: dict[str, bytes] = {}
        self._feedback: list[str] = []
        self._left_out: set[str] = set()
        self._destroyed = False

    @property
    def is_gone(self) -> bool:
        return False

    def exclusive(self) -> AbstractContextManager[None]:
        return nullcontext()

    def save(
        self, document: Document, chunks: Sequence[Chunk], vectors: Any, original: bytes, *, label: str = ""
    ) -> None:
        if self._destroyed:
            raise SessionEnded(document.name)
        self._originals[document.id] = original

    def load(self, label: str = "") -> Iterator[StoredDocument]:
        return iter(())

    def read(self, document_id: str, label: str = "") -> StoredDocument | None:
        return None

    def document_ids(self) -> set[str]:
        return set(self._originals)

    def original(self, document_id: str) -> bytes | None:
        return self._originals.get(document_id)

    def size(self, document_id: str) -> int:
        return len(self._originals.get(document_id, b""))

    def total_bytes(self) -> int:
        values = [*self._originals.values(), *self._conversations.values(), *self._feedback]
        return sum(map(len, values))

    def delete(self, document_id: str) -> None:
        self._originals.pop(document_id, None)

    def write_conversation(self, conversation_id: str, data: bytes) -> None:
        if not self._destroyed:
            self._conversations[conversation_id] = data

    def read_conversation(self, conversation_id: str) -> tuple[Any, Any] | None:
        data = self._conversations.get(conversation_id)
        return None if data is None else parse_conversation(data)

    def conversation_stamp(self, conversation_id: str) -> tuple[int, ...] | None:
        data = self._conversations.get(conversation_id)
        return None if data is None else (id(data),)

    def conversation_heads(self) -> dict[str, Any]:
        return {each: parse_conversation(data)[0] for each, data in list(self._conversations.items())}

    def conversation_sizes(self) -> dict[str, int]:
        return {each: len(data) for each, data in list(self._conversations.items())}

    def delete_conversation(self, conversation_id: str) -> None:
        self._conversations.pop(conversation_id, None)

    def take_earlier_conversation(self, move: Callable[[Any], None]) -> None:
        """Do nothing: the version before stored nothing here."""

    def write_left_out(self, document_ids: Collection[str]) -> None:
        if not self._destroyed:
            self._left_out = set(document_ids)

    def read_left_out(self, otherwise: Collection[str] = ()) -> set[str]:
        return set(self._left_out)

    def add_feedback(self, line: str) -> None:
        if not self._destroyed:
            self._feedback.append(line)

    def mark_followed(self) -> None:
        """Do nothing: no other process writes answers here."""

    def followed_stamp(self) -> tuple[int, ...] | None:
        return None

    def destroy(self) -> None:
        self._destroyed = True
        self._originals.clear()
        self._conversations.clear()
        self._feedback.clear()
        self._left_out.clear()
