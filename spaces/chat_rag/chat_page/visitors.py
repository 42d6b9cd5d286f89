"""What belongs to one visitor of the page, kept apart from everybody else's, and deleted when they are gone."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends import stopwatch
from chat_page import memory
from chat_page.memory import Conversation
from rag.errors import RagError
from rag.library import disk
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.quota import QuestionLimit, Quota, int_setting
from rag.library.store import MemoryStore, Store

logger = logging.getLogger(__name__)
MakeLibrary = Callable[[Store | MemoryStore], Library]
IDLE_MINUTES = 60
SWEEP_SECONDS = 60.0
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_FOLDER = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True, eq=False)
class Visitor:
    """A visitor's documents, the files on their way into them, and the conversations of their open pages.

    `key` is the secret by which the visitor's browser names itself; `last_seen` is a time of the clock of `Visitors`.
    """

    key: str
    library: Library
    ingestion: Ingestion
    questions: QuestionLimit
    store: Store | MemoryStore
    talks: dict[str, Conversation] = field(default_factory=dict)
    latest: Conversation | None = None
    last_seen: float = 0.0

    @property
    def conversation(self) -> Any:
        """The conversation as it was kept last, or None."""
        return self.store.read_conversation()

    def keep_conversation(self, value: Any) -> None:
        """Keep the conversation, a JSON value; `DocumentError` if the disk is full."""
        self.store.write_conversation(value)

    def open(self, session: str | None) -> Conversation:
        """The conversation of an open page; a new page goes on where the visitor was last."""
        talk = self.talks.get(session or "")
        if talk is None:
            talk = self.latest.copy() if self.latest else memory.from_json(self.conversation)
            self.talks[session or ""] = talk
        return talk

    def keep(self, talk: Conversation) -> None:
        """Keep a conversation as the last one; `DocumentError` if the disk is full."""
        self.latest = talk
        self.keep_conversation(talk.as_json())

    def close(self) -> None:
        """Stop what is running and let the memory go; what is on the disk stays."""
        self.ingestion.close()
        self.library.close()
        self.talks.clear()
        self.latest = None


@dataclass(slots=True, eq=False)
class _Slot:
    """A visitor's place; its lock is held while the visitor comes or goes, so that the others need not wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    visitor: Visitor | None = None
    gone: bool = False


class Visitors:
    """Visitors by their private key; safe across threads.

    What a visitor leaves lies in a folder under `root` whose name is a hash of the key: the disk does not tell keys.
    Without a root, or where it cannot be written, everything is kept in memory. Who has not been seen for
    `idle_seconds` is deleted, and so is at the start what an earlier process has left for longer than that.
    `root` is None where it could not be used.
    """

    def __init__(
        self,
        root: Path | None,
        make_library: MakeLibrary,
        idle_seconds: float = IDLE_MINUTES * 60,
        *,
        questions_per_minute: int = Quota().questions_per_minute,
        clock: Callable[[], float] = stopwatch.wall_clock,
    ) -> None:
        self.root = root if root and disk.is_writable(root) else None
        self._make_library = make_library
        self._idle_seconds = idle_seconds
        self._questions_per_minute = questions_per_minute
        self._clock = clock
        self._slots: dict[str, _Slot] = {}
        self._changing = threading.Lock()
        self._closing = threading.Event()
        self.sweep()
        self._tidy()
        threading.Thread(target=self._sweep_now_and_then, name="sweep-visitors", daemon=True).start()

    @classmethod
    def from_environment(cls, make_library: MakeLibrary) -> Visitors:
        """Where SPACEPORT_DATA says, for SPACEPORT_SESSION_MINUTES, with the questions of `Quota.from_environment`."""
        minutes = int_setting("SPACEPORT_SESSION_MINUTES", IDLE_MINUTES, least=1)
        questions = Quota.from_environment().questions_per_minute
        return cls(disk.data_folder(), make_library, minutes * 60, questions_per_minute=questions)

    def of(self, key: str | None) -> Visitor:
        """The visitor of a key, a fresh one where there is none; with a key of a wrong shape, one under a new key."""
        key = key if isinstance(key, str) and _KEY.fullmatch(key) else new_key()
        name = _folder_name(key)
        while True:
            with self._changing:
                slot = self._slots.setdefault(name, _Slot())
            with slot.lock:
                if not slot.gone:
                    slot.visitor = slot.visitor or self._open(key)
                    self._touch(slot.visitor)
                    return slot.visitor

    def touch(self, key: str | None) -> None:
        """Note that the visitor is still there, without loading anything."""
        if isinstance(key, str) and _KEY.fullmatch(key):
            name = _folder_name(key)
            with self._changing:
                visitor = slot.visitor if (slot := self._slots.get(name)) else None
            if visitor:
                self._touch(visitor)
            elif self.root:
                Store(self.root / name).touch(self._clock())

    def forget(self, key: str | None) -> None:
        """Delete everything of a visitor at once, whatever is going on."""
        if isinstance(key, str) and _KEY.fullmatch(key):
            self._delete(_folder_name(key), lambda slot: True)

    def closed(self, session: str | None) -> None:
        """A page was closed; its visitor may have others, or open it again."""
        with self._changing:
            visitors = [slot.visitor for slot in self._slots.values() if slot.visitor]
        for visitor in visitors:
            visitor.talks.pop(session or "", None)

    def sweep(self) -> None:
        """Delete what belongs to visitors who have not been seen for too long."""
        with self._changing:
            names = set(self._slots)
        if self.root:
            names |= {folder.name for folder in self.root.iterdir() if _FOLDER.fullmatch(folder.name)}
        for name in names:
            try:
                self._delete(name, lambda slot, name=name: self._is_idle(name, slot))
            except (OSError, RagError):
                logger.exception("The folder of a visitor who is gone could not be deleted.")

    def close(self) -> None:
        """End all threads and let the memory go; what is on the disk is there for the next process."""
        self._closing.set()
        with self._changing:
            slots = list(self._slots.values())
            self._slots.clear()
        for slot in slots:
            with slot.lock:
                slot.gone = True
                if slot.visitor:
                    slot.visitor.close()

    def __len__(self) -> int:
        return len(self._slots)

    def _open(self, key: str) -> Visitor:
        store = Store(self.root / _folder_name(key)) if self.root else MemoryStore()
        library = self._make_library(store)
        return Visitor(key, library, Ingestion(library), QuestionLimit(self._questions_per_minute), store)

    def _touch(self, visitor: Visitor) -> None:
        visitor.last_seen = self._clock()
        if isinstance(visitor.store, Store):
            visitor.store.touch(visitor.last_seen)

    def _is_idle(self, name: str, slot: _Slot) -> bool:
        if slot.visitor and slot.visitor.ingestion.busy:
            self._touch(slot.visitor)
        seen = slot.visitor.last_seen if slot.visitor else 0.0
        if self.root and (folder := self.root / name).exists():
            seen = max(seen, folder.stat().st_mtime)  # another process may have seen them since
        return self._clock() - seen > self._idle_seconds

    def _delete(self, name: str, wanted: Callable[[_Slot], bool]) -> None:
        """Delete a visitor in memory and on the disk; who comes back meanwhile waits, and is a new one."""
        with self._changing:
            slot = self._slots.setdefault(name, _Slot())
        with slot.lock:
            if slot.gone:
                return
            delete = wanted(slot)
            try:
                if delete:
                    self._end(name, slot.visitor)
            finally:
                if delete or not slot.visitor:
                    slot.gone = True
                    with self._changing:
                        self._slots.pop(name, None)

    def _end(self, name: str, visitor: Visitor | None) -> None:
        if visitor:
            visitor.close()
            visitor.store.destroy()
        elif self.root:
            Store(self.root / name).destroy()

    def _tidy(self) -> None:
        """Delete what the last process was writing or deleting when it ended."""
        for folder in self.root.iterdir() if self.root else ():
            try:
                if folder.name.startswith(disk.UNFINISHED):
                    disk.delete(folder)
                elif _FOLDER.fullmatch(folder.name):
                    Store(folder).tidy()
            except OSError:
                logger.exception("What an earlier process left could not be deleted.")

    def _sweep_now_and_then(self) -> None:
        while not self._closing.wait(SWEEP_SECONDS):
            self.sweep()


def new_key() -> str:
    """A private key, which cannot be guessed."""
    return secrets.token_urlsafe(32)


def _folder_name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
