"""A visitor's files are read in the background: in order, cancellable, with their progress for every page that asks."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chat_page.strings import ENGLISH
from rag.errors import Cancelled, RagError
from rag.library.library import Added, Library, Reading
from rag.reading.parse import display_name

logger = logging.getLogger(__name__)
UPDATE_SECONDS = 0.1
END_SECONDS = 10.0
_open: weakref.WeakSet[Ingestion] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class File:
    """What became of one file so far; `share` is that of the step, from 0 to 1, or None where nothing is known.

    `result` is a line for the person who sent it, "" until the file is done; `good` says whether it was added.
    """

    number: int
    name: str
    step: str = ENGLISH.file_waits
    share: float | None = None
    result: str = ""
    good: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files that were sent since a page was told that all is done, in their order."""

    files: tuple[File, ...]

    @property
    def done(self) -> bool:
        return all(file.result for file in self.files)

    @property
    def results(self) -> list[tuple[str, bool]]:
        """The lines of the files that are done, each with whether it was added."""
        return [(file.result, file.good) for file in self.files if file.result]

    @property
    def current(self) -> list[File]:
        """The files that are being read, embedded or saved now, the first one first."""
        return [file for file in self.files if not file.result and file.step != ENGLISH.file_waits]


@dataclass(slots=True, eq=False)
class _Job:
    """A file on its way through `state`: waiting, reading, read, keeping, done."""

    number: int
    path: Path
    name: str
    state: str = "waiting"
    step: str = ENGLISH.file_waits
    share: float | None = None
    reading: Reading | None = None
    result: str = ""
    good: bool = False
    cancelled: bool = False
    inode: int | None = None

    def __post_init__(self) -> None:
        with contextlib.suppress(OSError):
            self.inode = self.path.stat().st_ino

    def discard(self) -> None:
        """Delete the upload: Gradio's copy could be fetched by anyone who knows its address.

        That address is made of the content: what lies there now may be another visitor's, who sent the same file.
        """
        with contextlib.suppress(OSError):
            if self.path.stat().st_ino == self.inode:
                self.path.unlink()

    def tell(self, step: str, share: float) -> None:
        """Take a report of the library; raises `Cancelled` when the visitor has stopped the file."""
        if self.cancelled:
            raise Cancelled(self.stopped)
        self.step, self.share = step, share

    @property
    def stopped(self) -> str:
        return f"{self.name}: stopped, nothing of it is kept."


class Ingestion:
    """The files of one library on their way into it. Its two threads live while there is something to do:
    one reads a file while the other embeds and saves the one before it.

    A file that was added is deleted as soon as it has been read: it is the copy of an upload.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._changed = threading.Condition()
        self._jobs: list[_Job] = []
        self._number = 0
        self._told = False  # whether a page knows how the last files ended
        self._running: set[str] = set()
        self._closed = False

    def add(self, *paths: Path) -> list[int]:
        """Queue files under their own names; gives the numbers by which they can be cancelled."""
        with self._changed:
            if self._told and all(job.state == "done" for job in self._jobs):
                self._jobs.clear()
            self._told = False
            for path in paths:
                self._number += 1
                self._jobs.append(job := _Job(self._number, path, display_name(path.name)))
                if self._closed:
                    job.discard()
                    self._end(job, f"{job.name} was not added: the session has ended.")
            self._start("read", self._read)
            self._start("keep", self._keep)
            self._changed.notify_all()
            return [job.number for job in self._jobs[len(self._jobs) - len(paths) :]]

    def cancel(self, number: int | None = None) -> None:
        """Stop one file, or all; nothing is kept of a file that was not done yet."""
        with self._changed:
            for job in self._jobs:
                if job.state != "done" and number in (None, job.number):
                    job.cancelled, job.step, job.share = True, ENGLISH.file_stops, None
                    job.discard()
                    if job.state in ("waiting", "read"):
                        self._end(job, job.stopped)
            self._changed.notify_all()

    def snapshot(self) -> Snapshot:
        """Where each file is now."""
        with self._changed:
            return Snapshot(
                tuple(File(job.number, job.name, job.step, job.share, job.result, job.good) for job in self._jobs)
            )

    async def watch(self) -> AsyncIterator[Snapshot]:
        """Snapshots, the first at once and then one when something has changed, until all is done.

        Any number of pages may watch; leaving changes nothing for the files.
        """
        shown = None
        while True:
            snapshot = self.snapshot()
            if snapshot != shown:
                yield snapshot
            if snapshot.done:
                self._told = True
                return
            shown = snapshot
            await asyncio.sleep(UPDATE_SECONDS)

    @property
    def busy(self) -> bool:
        return not self.snapshot().done

    def close(self, wait_seconds: float = 0.0) -> None:
        """Cancel everything and take nothing more; the threads end at their next report, waited for that long."""
        with self._changed:
            self._closed = True
            self.cancel()
            self._changed.wait_for(lambda: not self._running, wait_seconds)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        if name not in self._running and not self._closed:
            self._running.add(name)
            _open.add(self)
            threading.Thread(target=work, name=f"ingest-{name}", daemon=True).start()

    def _read(self) -> None:
        # One file ahead and no more: what has been read is held in memory.
        while job := self._take("waiting", "reading", "read", lambda: not self._in("read")):
            work = partial(self._library.read, job.path, report=job.tell)
            found = self._attempt(job, work)
            job.discard()
            with self._changed:
                if isinstance(found, Reading) and not job.cancelled:
                    job.reading, job.state, job.step, job.share = found, "read", ENGLISH.file_waits, None
                else:
                    self._finish(job, found)
                self._changed.notify_all()

    def _keep(self) -> None:
        while job := self._take("read", "keeping", "keep", lambda: True):
            reading, job.reading = job.reading, None
            assert reading is not None  # noqa: S101  # the state says so
            work = partial(self._library.keep, reading, report=job.tell)
            found = self._attempt(job, work)
            with self._changed:
                if job.cancelled and isinstance(found, Added) and not found.again:
                    self._library.remove(found.document.id)
                self._finish(job, found)
                self._changed.notify_all()

    def _take(self, state: str, then: str, thread: str, ready: Callable[[], bool]) -> _Job | None:
        """The next job in `state`, waited for; None when none can come any more, and this thread is to end."""
        with self._changed:
            while True:
                job = next((job for job in self._jobs if job.state == state), None)
                if job and ready():
                    job.state = then
                    self._changed.notify_all()
                    return job
                coming = ("waiting",) if thread == "read" else ("waiting", "reading", "read")
                if not any(job.state in coming for job in self._jobs):
                    self._running.discard(thread)
                    self._changed.notify_all()
                    return None
                self._changed.wait()

    def _in(self, state: str) -> bool:
        return any(job.state == state for job in self._jobs)

    def _attempt(self, job: _Job, work: Callable[[], Reading | Added]) -> Reading | Added | str:
        """What the work gives, or in words why it gave nothing."""
        try:
            return work()
        except RagError as error:
            return str(error)
        except Exception:  # the other files go on
            logger.exception("A file could not be added.")
            return f"{job.name} could not be added: something went wrong here. Try again."

    def _finish(self, job: _Job, found: Reading | Added | str) -> None:
        if job.cancelled:
            self._end(job, job.stopped)
        elif isinstance(found, Added):
            self._end(job, found.summary, good=True)
        else:
            self._end(job, str(found))

    def _end(self, job: _Job, result: str, *, good: bool = False) -> None:
        job.state, job.step, job.share = "done", "Done", None
        job.reading, job.result, job.good = None, result, good


@atexit.register
def _close_all() -> None:
    """A thread that is inside the embedding model when Python ends would take the process down with an abort."""
    ingestions = list(_open)
    for wait_seconds in (0.0, END_SECONDS):
        for ingestion in ingestions:
            ingestion.close(wait_seconds)
