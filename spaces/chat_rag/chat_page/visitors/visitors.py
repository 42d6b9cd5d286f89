"""All visitors of the page, each with private data that is deleted after the visitor leaves."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeGuard

from backends import stopwatch
from chat_page.visitors.visitor import Visitor, new_key
from rag.errors import RagError
from rag.library import disk
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.quota import QuestionLimit, Quota
from rag.library.store import MemoryStore, Store
from rag.settings import int_setting

logger = logging.getLogger(__name__)
CreateLibrary = Callable[[Store | MemoryStore], Library]
IDLE_MINUTES = 60
SWEEP_SECONDS = 60.0
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_FOLDER = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True, eq=False)
class _Slot:
    """The place of one visitor. It has its own lock for opening and deleting the visitor, so that others don't wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    visitor: Visitor | None = None
    deleted: bool = False


class Visitors:
    """Visitors by their private key; safe across threads.

    The data of a visitor is in a folder under `root` whose name is a hash of the key, so the disk doesn't reveal keys.
    Without a root, or if it isn't writable, `root` is None and everything stays in memory. A visitor who is idle for
    `idle_seconds` is deleted. At startup, visitors idle for longer than that are deleted too.
    """

    def __init__(
        self,
        root: Path | None,
        create_library: CreateLibrary,
        idle_seconds: float = IDLE_MINUTES * 60,
        *,
        questions_per_minute: int = Quota().questions_per_minute,
        clock: Callable[[], float] = stopwatch.wall_clock,
    ) -> None:
        self.root = root if root and disk.is_writable(root) else None
        self._create_library = create_library
        self._idle_seconds = idle_seconds
        self._questions_per_minute = questions_per_minute
        self._clock = clock
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.sweep()
        self._tidy()
        threading.Thread(target=self._sweep_regularly, name="sweep-visitors", daemon=True).start()

    @classmethod
    def from_environment(cls, create_library: CreateLibrary) -> Visitors:
        """Read SPACEPORT_DATA, SPACEPORT_SESSION_MINUTES and the questions of `Quota.from_environment`."""
        minutes = int_setting("SPACEPORT_SESSION_MINUTES", IDLE_MINUTES, least=1)
        questions = Quota.from_environment().questions_per_minute
        return cls(disk.data_folder(), create_library, minutes * 60, questions_per_minute=questions)

    def get(self, key: object) -> Visitor:
        """Return the visitor of a key, a new one if there is none; a malformed key gets a visitor with a new key."""
        key = key if _is_key(key) else new_key()
        name = _folder_name(key)
        while True:
            with self._lock:
                slot = self._slots.setdefault(name, _Slot())
            with slot.lock:
                if not slot.deleted:
                    slot.visitor = slot.visitor or self._open(key)
                    self._touch(slot.visitor)
                    return slot.visitor

    def touch(self, key: object) -> None:
        """Record that the visitor is still there, without loading anything."""
        if _is_key(key):
            name = _folder_name(key)
            with self._lock:
                visitor = slot.visitor if (slot := self._slots.get(name)) else None
            if visitor:
                self._touch(visitor)
            elif self.root:
                Store(self.root / name).touch(self._clock())

    def forget(self, key: object) -> None:
        """Delete all data of a visitor at once, even if an answer or an upload is running."""
        if _is_key(key):
            self._delete(_folder_name(key), lambda slot: True)

    def close_page(self, session: str | None) -> None:
        """Drop the conversation of a closed page; its visitor may have other pages, or open it again."""
        with self._lock:
            visitors = [slot.visitor for slot in self._slots.values() if slot.visitor]
        for visitor in visitors:
            visitor.conversations.pop(session or "", None)

    def sweep(self) -> None:
        """Delete the visitors who have been idle for too long."""
        with self._lock:
            names = set(self._slots)
        if self.root:
            names |= {folder.name for folder in self.root.iterdir() if _FOLDER.fullmatch(folder.name)}
        for name in names:
            try:
                self._delete(name, partial(self._is_idle, name))
            except (OSError, RagError):
                logger.exception("The folder of an idle visitor could not be deleted.")

    def close(self) -> None:
        """Stop all threads and free the memory; the next process finds everything on the disk."""
        self._closing.set()
        with self._lock:
            slots = list(self._slots.values())
            self._slots.clear()
        for slot in slots:
            with slot.lock:
                slot.deleted = True
                if slot.visitor:
                    slot.visitor.close()

    def __len__(self) -> int:
        return len(self._slots)

    def _open(self, key: str) -> Visitor:
        store = Store(self.root / _folder_name(key)) if self.root else MemoryStore()
        library = self._create_library(store)
        return Visitor(key, library, Ingestion(library), QuestionLimit(self._questions_per_minute), store)

    def _touch(self, visitor: Visitor) -> None:
        visitor.last_seen = self._clock()
        if isinstance(visitor.store, Store):
            visitor.store.touch(visitor.last_seen)

    def _is_idle(self, name: str, slot: _Slot) -> bool:
        if slot.visitor and slot.visitor.ingestion.busy:
            self._touch(slot.visitor)
        last_seen = slot.visitor.last_seen if slot.visitor else 0.0
        if self.root and (folder := self.root / name).exists():
            last_seen = max(last_seen, folder.stat().st_mtime)  # another process can serve the visitor too
        return self._clock() - last_seen > self._idle_seconds

    def _delete(self, name: str, condition: Callable[[_Slot], bool]) -> None:
        """Delete a visitor from memory and disk; a page that returns meanwhile waits and gets a new visitor."""
        with self._lock:
            slot = self._slots.setdefault(name, _Slot())
        with slot.lock:
            if slot.deleted:
                return
            delete = condition(slot)
            try:
                if delete:
                    self._destroy(name, slot.visitor)
            finally:
                if delete or not slot.visitor:
                    slot.deleted = True
                    with self._lock:
                        self._slots.pop(name, None)

    def _destroy(self, name: str, visitor: Visitor | None) -> None:
        if visitor:
            visitor.close()
            visitor.store.destroy()
        elif self.root:
            Store(self.root / name).destroy()

    def _tidy(self) -> None:
        """Delete what an earlier process was still writing or deleting when it ended."""
        for folder in self.root.iterdir() if self.root else ():
            try:
                if folder.name.startswith(disk.UNFINISHED):
                    disk.delete(folder)
                elif _FOLDER.fullmatch(folder.name):
                    Store(folder).delete_unfinished()
            except OSError:
                logger.exception("An unfinished file of an earlier process could not be deleted.")

    def _sweep_regularly(self) -> None:
        while not self._closing.wait(SWEEP_SECONDS):
            self.sweep()


def _is_key(key: object) -> TypeGuard[str]:
    return isinstance(key, str) and bool(_KEY.fullmatch(key))


def _folder_name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
