"""Data of the page's visitors: votes, races, runs and the running measurements."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from backends import stopwatch
from compare.interactive.race import Race
from compare.interactive.votes import Ballot
from compare.measure.background import BackgroundRun

IDLE_SECONDS = 3600.0
# Pages that one visitor has open, and runs in the visitor's list. Of more, the oldest are removed.
MAX_PAGES, MAX_RUNS = 20, 20
# The bytes of one visitor's runs, and of all visitors' together. Of more, the oldest are removed.
VISITOR_BYTES, ALL_BYTES = 100_000_000, 2_000_000_000


@dataclass(slots=True, eq=False, weakref_slot=True)
class Visitor:
    """One visitor's votes, the last race of each page, running measurements, and runs by their names in the list."""

    ballot: Ballot = field(default_factory=Ballot)
    runs: dict[str, Path] = field(default_factory=dict)
    measurements: set[BackgroundRun] = field(default_factory=set)
    races: dict[str, Race] = field(default_factory=dict)
    last_seen: float = 0.0
    max_bytes: int = VISITOR_BYTES
    _sizes: dict[str, int] = field(default_factory=dict)
    _folder: Path | None = None
    _files: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to remember."""
        return not (self.ballot.votes or self.runs or self.measurements or self.races)

    @property
    def folder(self) -> Path:
        """The visitor's folder. It's created when it is needed, because most visitors store nothing.

        It is deleted with the visitor: one without a valid key is never closed.
        """
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="spaceport-compare-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    @property
    def stored_bytes(self) -> int:
        """The bytes of all runs in the list."""
        return sum(self._sizes.values())

    def new_file(self, kind: str) -> Path:
        """Return the path of a new run file, which no other has."""
        self._files += 1
        return self.folder / f"{kind}-{self._files}.jsonl"

    def add_race(self, page: str, race: Race) -> None:
        """Make a race the last one of a page."""
        self.races.pop(page, None)
        self.races[page] = race
        if len(self.races) > MAX_PAGES:
            self.races.pop(next(iter(self.races)))

    def add_run(self, name: str, path: Path) -> str:
        """Add a run to the list and return its name, which gets a number if it is taken."""
        unique, number = name, 2
        while unique in self.runs:
            unique, number = f"{name} ({number})", number + 1
        self.runs[unique] = path
        self._sizes[unique] = path.stat().st_size
        while len(self.runs) > 1 and (len(self.runs) > MAX_RUNS or self.stored_bytes > self.max_bytes):
            oldest = next(iter(self.runs))
            self.runs.pop(oldest).unlink(missing_ok=True)
            del self._sizes[oldest]
        return unique

    def close(self) -> None:
        """Stop the visitor's measurements, and delete the visitor's data."""
        for measurement in self.measurements:
            measurement.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class Visitors:
    """Visitors by key; safe across threads. Who is idle for `idle_seconds` is deleted.

    Of more than `capacity` visitors (0: no limit), those without data are removed first, then those seen longest ago.
    """

    def __init__(
        self,
        capacity: int = 0,
        now: Callable[[], float] = stopwatch.now,
        *,
        max_bytes: int = ALL_BYTES,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._idle_seconds = idle_seconds
        self._now = now
        self._visitors: OrderedDict[str, Visitor] = OrderedDict()
        self._lock = threading.Lock()
        self._ended: SimpleQueue[str] = SimpleQueue()

    def get(self, key: str) -> Visitor:
        """Return the visitor of a key; the first call creates it."""
        with self._lock:
            while not self._ended.empty():
                self._visitors.pop(self._ended.get(), None)
            visitor = self._visitors.setdefault(key, Visitor())
            visitor.last_seen = self._now()
            self._visitors.move_to_end(key)
            removed = self._take_idle() + self._take_excess()
        for each in removed:
            each.close()
        return visitor

    def make_room(self) -> None:
        """Delete the data of those seen longest ago until all runs together are small enough."""
        removed = []
        with self._lock:
            total = sum(visitor.stored_bytes for visitor in self._visitors.values())
            for key, visitor in list(self._visitors.items()):
                if total <= self._max_bytes:
                    break
                if visitor.stored_bytes:
                    removed.append(self._visitors.pop(key))
                    total -= visitor.stored_bytes
        for visitor in removed:
            visitor.close()

    def forget(self, key: str) -> None:
        """Stop the measurements of a visitor, and delete the visitor's data."""
        with self._lock:
            visitor = self._visitors.pop(key, None)
        if visitor:
            visitor.close()

    def forget_from_finalizer(self, key: str) -> None:
        """Do the same without the lock: a finalizer can run while its thread holds it."""
        if visitor := self._visitors.get(key):
            visitor.close()
            self._ended.put(key)

    def __len__(self) -> int:
        return len(self._visitors)

    def _take_idle(self) -> list[Visitor]:
        removed = []
        while (oldest := next(iter(self._visitors.items())))[1].last_seen < self._now() - self._idle_seconds:
            removed.append(self._visitors.pop(oldest[0]))
        return removed

    def _take_excess(self) -> list[Visitor]:
        removed = []
        while self._capacity and len(self._visitors) > self._capacity:
            keys = list(self._visitors)[:-1]
            key = next((key for key in keys if self._visitors[key].empty), keys[0])
            removed.append(self._visitors.pop(key))
        return removed
