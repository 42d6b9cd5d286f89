"""A visitor's documents and conversations on disk; each is stored completely or not at all."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.documents import Chunk, Document
from rag.errors import DocumentError, SessionEnded
from rag.library.storage import disk
from rag.library.storage.conversation_file import is_conversation_id, parse_conversation, parse_head
from rag.library.storage.disk_errors import MISSING, disk_errors
from rag.library.storage.stored_files import ORIGINAL, StoredDocument, folder_files, read_folder
from rag.library.storage.visitor_folder import Stamp, VisitorFolder, read_stamp

logger = logging.getLogger(__name__)
_ID = re.compile(r"[0-9a-f]{8,64}")
MAX_FEEDBACK_BYTES = 1_000_000
LEFT_OUT = "left_out.json"


class Store(VisitorFolder):
    """A visitor's documents, conversations and feedback in their folder."""

    def __init__(self, folder: Path) -> None:
        self._documents = folder / "documents"
        self._conversations = folder / "conversations"
        super().__init__(folder, self._documents, self._conversations)

    def save(
        self, document: Document, chunks: Sequence[Chunk], vectors: Any, original: bytes, *, label: str = ""
    ) -> None:
        """Save a document, its chunks, one vector (float32) per chunk, and the uploaded file.

        `label` identifies the model and the chunker. Raises `DocumentError` if the disk is full or the session has
        ended.
        """
        place = self._place(document.id)
        files = folder_files(document, chunks, vectors, original, label)
        with disk_errors(f"Can't save “{document.name}”"), self.exclusive():
            if not self.begin():
                raise SessionEnded(document.name)
            if not place.exists():
                disk.make_folder(self._documents)
                disk.write_folder(place, files)

    def load(self, label: str = "") -> Iterator[StoredDocument]:
        """Yield each stored document; delete those that are damaged or have another label.

        What can't be read now is left out, and stays stored.
        """
        self.delete_unfinished()
        if self.folder.exists():
            with contextlib.suppress(OSError, DocumentError), self.exclusive():
                self.begin()
        with disk_errors("Can't read the documents"):
            places = sorted(self._documents.glob("[!.]*"))
        for place in places:
            try:
                stored = read_folder(place, label)
            except (*MISSING, ValueError, TypeError, KeyError) as error:
                logger.warning("A stored document is damaged or out of date and is deleted: %s", error)
                disk.remove(place)
            except OSError as error:
                logger.warning("A stored document can't be read now (%s).", type(error).__name__)
            else:
                yield stored

    def read(self, document_id: str, label: str = "") -> StoredDocument | None:
        """Return one document, or None if it isn't stored, is damaged or has another label.

        Raises `DocumentError` if it can't be read now.
        """
        with disk_errors("Can't read a document"), contextlib.suppress(*MISSING, ValueError, TypeError, KeyError):
            return read_folder(self._place(document_id), label)
        return None

    def document_ids(self) -> set[str]:
        """Return the ids of all documents, also of those that another process has stored.

        Raises `DocumentError` if they can't be read now.
        """
        with disk_errors("Can't read the documents"), contextlib.suppress(*MISSING):
            return {path.name for path in self._documents.iterdir() if _ID.fullmatch(path.name)}
        return set()

    def original(self, document_id: str) -> bytes | None:
        """Return the uploaded file, or None if it isn't stored."""
        with contextlib.suppress(DocumentError, FileNotFoundError):
            return (self._place(document_id) / ORIGINAL).read_bytes()
        return None

    def size(self, document_id: str) -> int:
        """Return the size of the uploaded file in bytes, 0 if it isn't stored."""
        with contextlib.suppress(DocumentError, FileNotFoundError):
            return (self._place(document_id) / ORIGINAL).stat().st_size
        return 0

    def delete(self, document_id: str) -> None:
        """Delete a document."""
        with disk_errors("Can't delete the document"), self.exclusive():
            disk.remove(self._place(document_id))

    def write_conversation(self, conversation_id: str, data: bytes) -> None:
        """Write or replace a conversation with what `conversation_data` returns; after `destroy`, do nothing.

        Raises `DocumentError` if the disk is full; what was stored is then unchanged.
        """
        place = self._conversation(conversation_id)
        with disk_errors("Can't save the conversation"), self.exclusive():
            if self.begin():
                disk.make_folder(self._conversations)
                disk.write_file(place, data)

    def read_conversation(self, conversation_id: str) -> tuple[Any, Any] | None:
        """Return the head and body of a conversation, or None if there is none.

        Raises `ValueError` if the file is damaged, `DocumentError` if it can't be read now.
        """
        with disk_errors("Can't read the conversation"), contextlib.suppress(*MISSING):
            return parse_conversation(self._conversation(conversation_id).read_bytes())
        return None

    def conversation_stamp(self, conversation_id: str) -> Stamp | None:
        """Return what changes with each change of a conversation, or None if it isn't stored.

        Raises `DocumentError` if that can't be read now.
        """
        with disk_errors("Can't read the conversation"):
            return read_stamp(self._conversation(conversation_id))

    def conversation_heads(self) -> dict[str, Any]:
        """Return the heads of all conversations by their ids; None for a file that is damaged or can't be read now."""
        heads: dict[str, Any] = {}
        for path in self._conversation_files():
            try:
                with path.open("rb") as file:
                    heads[path.stem] = parse_head(file.readline())
            except MISSING:
                continue
            except OSError:
                heads[path.stem] = None
        return heads

    def conversation_sizes(self) -> dict[str, int]:
        """Return the sizes of all conversations in bytes, by their ids."""
        sizes = {}
        for path in self._conversation_files():
            with contextlib.suppress(OSError):
                sizes[path.stem] = path.stat().st_size
        return sizes

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation."""
        with disk_errors("Can't delete the conversation"), self.exclusive():
            disk.remove(self._conversation(conversation_id))

    def take_earlier_conversation(self, move: Callable[[Any], None]) -> None:
        """Pass on the only conversation that the version before stored, None if it's damaged, then delete it."""
        path = self.folder / "conversation.json"
        try:
            data = path.read_bytes()
        except OSError:
            return
        move(parse_head(data))
        with disk_errors("Can't delete the conversation"), self.exclusive():
            disk.remove(path)

    def write_left_out(self, document_ids: Collection[str]) -> None:
        """Write which documents questions leave out; after `destroy`, do nothing. `DocumentError` if it can't be."""
        with disk_errors("Can't save the choice"), self.exclusive():
            if self.begin():
                disk.write_file(self.folder / LEFT_OUT, json.dumps(sorted(document_ids)).encode())

    def read_left_out(self, otherwise: Collection[str] = ()) -> set[str]:
        """Return which documents questions leave out; `otherwise` while the disk doesn't say."""
        try:
            ids = json.loads((self.folder / LEFT_OUT).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return set()
        except OSError:
            return set(otherwise)
        return {each for each in ids if isinstance(each, str)} if isinstance(ids, list) else set()

    def add_feedback(self, line: str) -> None:
        """Append a line to the visitor's feedback; after `destroy`, do nothing. `DocumentError` if there's no room."""
        path = self.folder / "feedback.jsonl"
        with disk_errors("Can't save the feedback"), self.exclusive():
            if path.exists() and path.stat().st_size + len(line) > MAX_FEEDBACK_BYTES:
                raise DocumentError("There is no room for more feedback.", "What you sent before is stored.")
            if self.begin():
                disk.append_line(path, line)

    def _conversation_files(self) -> list[Path]:
        with disk_errors("Can't read the conversations"):
            return list(self._conversations.glob("[!.]*.json"))

    def _place(self, document_id: str) -> Path:
        if not _ID.fullmatch(document_id):
            raise DocumentError("There is no such document.", "Choose one from the list.")
        return self._documents / document_id

    def _conversation(self, conversation_id: str) -> Path:
        if not is_conversation_id(conversation_id):
            raise DocumentError("There is no such conversation.", "Choose one from the list.")
        return self._conversations / f"{conversation_id}.json"
