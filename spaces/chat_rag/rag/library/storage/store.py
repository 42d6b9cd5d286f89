"""Storage of a visitor's documents and conversations on disk; each is stored completely or not at all.

Several processes can have one folder: each change is made under a lock, and `identity` tells whether it's the same.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.documents import Chunk, Document
from rag.errors import DocumentError, SessionEnded
from rag.library import disk
from rag.library.conversation_file import is_conversation_id, parse_conversation, parse_head
from rag.library.disk_errors import MISSING, disk_errors
from rag.library.file_locks import lock_folder, locked
from rag.library.stored_files import ORIGINAL, StoredDocument, folder_files, read_folder

logger = logging.getLogger(__name__)
_ID = re.compile(r"[0-9a-f]{8,64}")
MAX_FEEDBACK_BYTES = 1_000_000
IDENTITY, FOLLOWED = "identity", "followed"
Stamp = tuple[int, ...]


class Store:
    """The folder of one visitor; safe across threads and processes.

    Only the owner has access: folders are 0700, files 0600. Each folder has an `identity` of its own, so that nothing
    of a visitor whom another process has deleted is written again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._documents = folder / "documents"
        self._conversations = folder / "conversations"
        self._lock = threading.RLock()
        self._depth = 0
        self._destroyed = False
        self._identity = ""
        with contextlib.suppress(OSError):  # it's read again before anything is written
            self._identity = self._read_identity()

    @property
    def is_gone(self) -> bool:
        """Whether another process has deleted the folder, as far as the disk says."""
        try:
            identity = self._read_identity()
        except OSError:
            return False
        if not self._identity:  # another process may have begun it
            self._identity = identity
        return identity != self._identity

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let no other thread or process change the folder during the block, which may change it itself.

        Raises `DocumentError` if the folder can't be locked.
        """
        with self._lock:
            self._depth += 1
            try:
                with contextlib.ExitStack() as stack:
                    if self._depth == 1:  # one file for many visitors: there are at most 256, and none is ever deleted
                        with disk_errors("Can't lock the folder"):
                            stack.enter_context(locked(lock_folder(self.folder.parent) / self.folder.name[:2]))
                    yield
            finally:
                self._depth -= 1

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
            if not self._begin():
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
                self._begin()
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

    def total_bytes(self) -> int:
        """Return the size of everything that is stored."""
        total = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                total += path.stat().st_size
        return total

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
            if self._begin():
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
            return _stamp(self._conversation(conversation_id))

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

    def add_feedback(self, line: str) -> None:
        """Append a line to the visitor's feedback; after `destroy`, do nothing. `DocumentError` if there's no room."""
        path = self.folder / "feedback.jsonl"
        with disk_errors("Can't save the feedback"), self.exclusive():
            if path.exists() and path.stat().st_size + len(line) > MAX_FEEDBACK_BYTES:
                raise DocumentError("There is no room for more feedback.", "What you sent before is stored.")
            if self._begin():
                disk.append_line(path, line)

    def touch(self, last_seen: float) -> None:
        """Record on disk when the visitor was last seen, as a Unix time; do nothing if nothing is stored."""
        with contextlib.suppress(OSError):
            os.utime(self.folder, (last_seen, last_seen))

    def mark_followed(self) -> None:
        """Let other processes see that a page shows an answer that one of them writes."""
        with contextlib.suppress(OSError):
            (self.folder / FOLLOWED).touch(mode=0o600)

    def followed_stamp(self) -> Stamp | None:
        """Return what changes with each `mark_followed` of any process, None before the first one."""
        with disk_errors("Can't read who follows an answer"):
            return _stamp(self.folder / FOLLOWED)

    def delete_unfinished(self) -> None:
        """Delete the files that a process left half written when it ended."""
        if not self._unfinished():
            return
        with self.exclusive():  # what another process is writing isn't unfinished
            paths = self._unfinished()
            last_seen = self.folder.stat().st_mtime if paths else 0.0
            for path in paths:
                disk.delete(path)
        if paths:
            self.touch(last_seen)  # otherwise the deletion would count as a visit

    def destroy(self) -> None:
        """Delete everything at once and accept no more documents."""
        with disk_errors("Can't delete the documents"), self.exclusive():
            self._destroyed = True
            disk.remove(self.folder)

    def _conversation_files(self) -> list[Path]:
        with disk_errors("Can't read the conversations"):
            return list(self._conversations.glob("[!.]*.json"))

    def _unfinished(self) -> list[Path]:
        folders = self.folder, self._documents, self._conversations
        return [path for folder in folders for path in folder.glob(f"{disk.UNFINISHED}*")]

    def _begin(self) -> bool:
        """Prepare to write; return whether the folder is still the visitor's. Another process may have begun it.

        Raises `OSError` if the disk doesn't say.
        """
        identity = self._read_identity()
        if self._destroyed or (self._identity and identity != self._identity):
            self._destroyed = True
            return False
        if not identity:
            identity = secrets.token_hex(8)
            disk.make_folder(self.folder)
            disk.write_file(self.folder / IDENTITY, identity.encode())
        self._identity = identity
        return True

    def _read_identity(self) -> str:
        with contextlib.suppress(*MISSING):
            return (self.folder / IDENTITY).read_text()
        return ""

    def _place(self, document_id: str) -> Path:
        if not _ID.fullmatch(document_id):
            raise DocumentError("There is no such document.", "Choose one from the list.")
        return self._documents / document_id

    def _conversation(self, conversation_id: str) -> Path:
        if not is_conversation_id(conversation_id):
            raise DocumentError("There is no such conversation.", "Choose one from the list.")
        return self._conversations / f"{conversation_id}.json"


def _stamp(path: Path) -> Stamp | None:
    """Return what changes with each change of a file, or None if there is none.

    The file is opened, because that's when NFS asks its server for what other machines have written.
    """
    with contextlib.suppress(*MISSING), path.open("rb") as file:
        status = os.fstat(file.fileno())
        return status.st_ino, status.st_mtime_ns, status.st_size
    return None
