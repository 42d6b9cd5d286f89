"""All visitors of the page, each with private data that is deleted after the visitor leaves."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from backends import stopwatch
from chat_page.visitors.folders import VisitorFolders, folder_name
from chat_page.visitors.visitor import Visitor
from rag.errors import RagError
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.storage import disk
from rag.library.storage.memory_store import MemoryStore
from rag.library.storage.store import Store
from ui.access.tickets import is_key, new_key
from ui.admission.work_limits import Limits
from ui.process.environment import int_setting

logger = logging.getLogger(__name__)
CreateLibrary = Callable[[Store | MemoryStore], Library]
IDLE_MINUTES = 60
ALL_DATA_MB = 4_000
SWEEP_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class _Slot:
    """The place of one visitor. It has its own lock for opening and deleting the visitor, so that others don't wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    visitor: Visitor | None = None
    deleted: bool = False


class Visitors:
    """Visitors by their private key; safe across threads.

    The data of a visitor is in a folder under `root`. Without a root, or if it isn't writable, everything stays in
    memory. A visitor who is idle for `idle_seconds` is deleted. At startup, visitors idle for longer than that are
    deleted too. Of more than `capacity` visitors in memory, those without data are dropped. While all together have
    more than `max_bytes`, the one who was last seen longest ago is deleted, at each sweep.

    Several processes can have one `root`, and serve one visitor: each takes over what the others have stored.
    """

    def __init__(
        self,
        root: Path | None,
        create_library: CreateLibrary,
        idle_seconds: float = IDLE_MINUTES * 60,
        *,
        capacity: int = Limits().visitors_in_memory,
        max_bytes: int = ALL_DATA_MB * 1_000_000,
        clock: Callable[[], float] = stopwatch.wall_clock,
    ) -> None:
        self._folders = VisitorFolders(root)
        self._create_library = create_library
        self._idle_seconds = idle_seconds
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._clock = clock
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.sweep()
        self._folders.tidy()
        threading.Thread(target=self._sweep_regularly, name="sweep-visitors", daemon=True).start()

    @property
    def root(self) -> Path | None:
        """The folder of all visitors' folders, or None if everything stays in memory."""
        return self._folders.root

    @classmethod
    def from_environment(cls, create_library: CreateLibrary) -> Visitors:
        """Read SPACEPORT_DATA, _SESSION_MINUTES, _VISITORS_IN_MEMORY and _ALL_DATA_MB."""
        minutes = int_setting("SPACEPORT_SESSION_MINUTES", IDLE_MINUTES, least=1)
        capacity = Limits.from_environment().visitors_in_memory
        max_bytes = int_setting("SPACEPORT_ALL_DATA_MB", ALL_DATA_MB, least=1) * 1_000_000
        return cls(disk.data_folder(), create_library, minutes * 60, capacity=capacity, max_bytes=max_bytes)

    def get(self, key: object) -> Visitor:
        """Return the visitor of a key, a new one if there is none; a malformed key gets a visitor with a new key."""
        key = key if is_key(key) else new_key()
        name = folder_name(key)
        while True:
            with self._lock:
                slot = self._slots.setdefault(name, _Slot())
                self._slots.move_to_end(name)
                self._drop_empty()
            with slot.lock:
                if not slot.deleted:
                    slot.visitor = self._up_to_date(slot.visitor) or self._open(key)
                    self._touch(slot.visitor)
                    return slot.visitor

    def touch(self, key: object) -> bool:
        """Record that the visitor is still there, without loading anything; return whether there is data of theirs."""
        if not is_key(key):
            return False
        name = folder_name(key)
        with self._lock:
            visitor = slot.visitor if (slot := self._slots.get(name)) else None
        if visitor:
            self._touch(visitor)
        elif store := self._folders.store(name):
            store.touch(self._clock())
        return bool(visitor and not visitor.empty) or self._folders.has(name)

    def forget(self, key: object) -> None:
        """Delete all data of a visitor at once, even if an answer or an upload is running."""
        if is_key(key):
            self._delete(folder_name(key), lambda slot: True)

    def close_page(self, session: str | None) -> None:
        """Record that a page was closed; its visitor may have other pages, or open it again."""
        with self._lock:
            visitors = [slot.visitor for slot in self._slots.values() if slot.visitor]
        for visitor in visitors:
            visitor.close_page(session)

    def sweep(self) -> None:
        """Delete the visitors who have been idle for too long, and those for whom there is no room."""
        for name in self._names():
            self._try_to_delete(name, partial(self._is_idle, name))
        sizes = {name: store.total_bytes() for name in self._names() if (store := self._store(name))}
        excess = sum(sizes.values()) - self._max_bytes
        for name in sorted(sizes, key=self._last_seen):
            if excess <= 0:
                break
            self._try_to_delete(name, _is_quiet)
            remaining = self._store(name)
            excess -= sizes[name] - (remaining.total_bytes() if remaining else 0)

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
        self._folders.close()

    def __len__(self) -> int:
        return len(self._slots)

    def _open(self, key: str) -> Visitor:
        store = self._folders.store(folder_name(key)) or MemoryStore()
        library = self._create_library(store)
        return Visitor(key, library, Ingestion(library), store, self._folders.mark)

    def _up_to_date(self, visitor: Visitor | None) -> Visitor | None:
        """Return the visitor with what other processes have stored, or None if one of them has deleted everything."""
        if visitor and visitor.store.is_gone:
            visitor.conversations.forget()
            visitor.close()
            return None
        if visitor:
            visitor.library.refresh()
            visitor.left_out = visitor.store.read_left_out(otherwise=visitor.left_out)
        return visitor

    def _drop_empty(self) -> None:
        """Drop visitors about whom there is nothing to remember, oldest first: anybody can invent keys."""
        excess = len(self._slots) - self._capacity if self._capacity else 0
        for name in list(islice(self._slots, 2 * excess)) if excess > 0 else ():
            slot = self._slots[name]
            if slot.visitor and slot.visitor.empty and slot.lock.acquire(blocking=False):
                slot.deleted = True
                slot.lock.release()
                del self._slots[name]

    def _touch(self, visitor: Visitor) -> None:
        visitor.last_seen = self._clock()
        if isinstance(visitor.store, Store):
            visitor.store.touch(visitor.last_seen)

    def _names(self) -> set[str]:
        with self._lock:
            names = set(self._slots)
        return names | self._folders.names()

    def _store(self, name: str) -> Store | MemoryStore | None:
        with self._lock:
            visitor = slot.visitor if (slot := self._slots.get(name)) else None
        return visitor.store if visitor else self._folders.store(name)

    def _last_seen(self, name: str) -> float:
        with self._lock:
            visitor = slot.visitor if (slot := self._slots.get(name)) else None
        # Another process can serve the visitor too.
        return max(visitor.last_seen if visitor else 0.0, self._folders.last_seen(name))

    def _is_idle(self, name: str, slot: _Slot) -> bool:
        if slot.visitor and slot.visitor.ingestion.busy:
            self._touch(slot.visitor)
        return self._clock() - self._last_seen(name) > self._idle_seconds

    def _try_to_delete(self, name: str, condition: Callable[[_Slot], bool]) -> None:
        try:
            self._delete(name, condition)
        except (OSError, RagError):
            logger.exception("The folder of a visitor could not be deleted.")

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
            visitor.conversations.forget()
            visitor.close()
            visitor.store.destroy()
        elif store := self._folders.store(name):
            store.destroy()

    def _sweep_regularly(self) -> None:
        while not self._closing.wait(SWEEP_SECONDS):
            try:
                self.sweep()
            except OSError:  # such as too many open files; the next one may succeed
                logger.exception("The visitors' folders could not be read.")


def _is_quiet(slot: _Slot) -> bool:
    """Whether no file of the visitor is being read."""
    return not (slot.visitor and slot.visitor.ingestion.busy)
