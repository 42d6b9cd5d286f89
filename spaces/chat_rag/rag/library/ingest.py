"""Background ingestion of a visitor's files: in order, cancellable, with progress for every page that watches."""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from backends import stopwatch
from rag.errors import DocumentError, RagError, SessionEnded
from rag.library.file_job import Job, State
from rag.library.incoming_files import AddedDocument
from rag.library.library import Library
from rag.library.progress import Snapshot, Step
from rag.library.unpacking import unpack_archive
from rag.reading.archives.listing import is_archive
from rag.reading.archives.sources import Source
from rag.reading.file_names import display_name

logger = logging.getLogger(__name__)
UPDATE_SECONDS = 0.1
# Gradio notices that a page has left when there is something to send.
REPEAT_SECONDS = 2.0
EXIT_SECONDS = 10.0
_running_ingestions: weakref.WeakSet[Ingestion] = weakref.WeakSet()
T = TypeVar("T")


# The states from which a file can still reach a thread.
_UPSTREAM = {"read": {State.QUEUED}, "store": {State.QUEUED, State.READING, State.PARSED}}


class Ingestion:
    """Adds files to one library with two threads: one reads a file while the other embeds and saves the previous one.

    The threads run only while there are files. A file is an upload's copy and is deleted as soon as it has been read.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._last_number = 0
        self._results_seen = False  # whether a page has shown how the last files ended
        self._threads: set[str] = set()
        self._closed = False

    def add(self, *files: Path | Source) -> list[int]:
        """Queue files under their own names, or those of their sources; return the numbers to cancel them by."""
        with self._changed:
            if self._results_seen and all(job.state is State.DONE for job in self._jobs):
                self._jobs.clear()
            self._results_seen = False
            for file in files:
                source = file if isinstance(file, Source) else Source(file, display_name(file.name))
                self._jobs.append(job := self._new_job(source.path, source.name, source.folder))
                if self._closed:
                    job.discard()
                    job.finish(SessionEnded(job.name))
            self._start("read", self._read_files)
            self._start("store", self._store_files)
            self._changed.notify_all()
            return [job.number for job in self._jobs[len(self._jobs) - len(files) :]]

    def cancel(self, number: int | None = None) -> None:
        """Stop one file, or all of them; nothing remains of files that aren't done."""
        with self._changed:
            for job in self._jobs:
                if job.state is not State.DONE and number in (None, job.number):
                    job.cancelled, job.step, job.share = True, Step.STOPPING, None
                    job.discard()
                    if job.state in (State.QUEUED, State.PARSED):
                        job.finish(job.cancellation())
            self._changed.notify_all()

    def snapshot(self) -> Snapshot:
        """Return the current state of each file."""
        with self._changed:
            return Snapshot(tuple(job.progress for job in self._jobs))

    async def watch(self) -> AsyncIterator[Snapshot]:
        """Yield the current snapshot, one after each change, and the last one again, until all files are done.

        Any number of pages can watch; a page that leaves doesn't affect the files.
        """
        previous, last_yield = None, 0.0
        while True:
            snapshot = self.snapshot()
            if snapshot != previous or stopwatch.now() - last_yield > REPEAT_SECONDS:
                last_yield = stopwatch.now()
                yield snapshot
            if snapshot.done:
                self._results_seen = True
                return
            previous = snapshot
            await asyncio.sleep(UPDATE_SECONDS)

    @property
    def busy(self) -> bool:
        """True while a file has no result."""
        return not self.snapshot().done

    def close(self, wait_seconds: float = 0.0) -> None:
        """Cancel all files, accept no more, and wait up to `wait_seconds` for the threads to end.

        A thread ends at its next report.
        """
        with self._changed:
            self._closed = True
            self.cancel()
            self._changed.wait_for(lambda: not self._threads, wait_seconds)

    def _new_job(self, path: Path, name: str, folder: str = "") -> Job:
        self._last_number += 1
        return Job(self._last_number, path, name, folder)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        if name not in self._threads and not self._closed:
            self._threads.add(name)
            _running_ingestions.add(self)
            threading.Thread(target=work, name=f"ingest-{name}", daemon=True).start()

    def _read_files(self) -> None:
        # Only one file ahead: parsed files stay in memory.
        while job := self._next_job("read", State.QUEUED, State.READING, self._none_parsed):
            if is_archive(job.name):
                self._unpack(job)
                continue
            work = partial(self._library.read, job.path, name=job.name, folder=job.folder, report=job.report)
            outcome = self._attempt(job, work)
            job.discard()
            with self._changed:
                if isinstance(outcome, RagError):
                    job.finish(outcome)
                elif isinstance(outcome, AddedDocument):
                    job.finish(outcome.summary)
                elif job.cancelled:
                    job.finish(job.cancellation())
                else:
                    job.parsed, job.state, job.step, job.share = outcome, State.PARSED, Step.WAITING, None
                self._changed.notify_all()

    def _unpack(self, job: Job) -> None:
        """Put the documents of an archive into its place."""
        work = partial(unpack_archive, job.path, job.name, self._library.readers, partial(job.report, Step.READING))
        outcome = self._attempt(job, work)
        job.discard()
        with self._changed:
            if isinstance(outcome, RagError):
                job.finish(outcome)
            else:
                jobs = [self._new_job(source.path, source.name, source.folder) for source in outcome.sources]
                at = self._jobs.index(job) + 1
                self._jobs[at:at] = jobs
                if job.cancelled:
                    for each in jobs:
                        each.discard()
                        each.finish(each.cancellation())
                if outcome.problem:
                    job.finish(outcome.problem)
                else:
                    self._jobs.remove(job)
            self._changed.notify_all()

    def _store_files(self) -> None:
        while job := self._next_job("store", State.PARSED, State.STORING, lambda: True):
            parsed, job.parsed = job.parsed, None
            assert parsed is not None  # noqa: S101  # the state implies it
            outcome = self._attempt(job, partial(self._library.store, parsed, report=job.report))
            with self._changed:
                if isinstance(outcome, RagError):
                    job.finish(outcome)
                else:
                    if job.cancelled and not outcome.duplicate:
                        self._library.remove(outcome.document.id)
                    job.finish(outcome.summary)
                self._changed.notify_all()

    def _next_job(self, thread: str, state: State, next_state: State, ready: Callable[[], bool]) -> Job | None:
        """Wait for the next job in `state`; return None when none can come, so that the thread ends."""
        with self._changed:
            while True:
                job = next((job for job in self._jobs if job.state is state), None)
                if job and ready():
                    job.state = next_state
                    self._changed.notify_all()
                    return job
                if not any(job.state in _UPSTREAM[thread] for job in self._jobs):
                    self._threads.discard(thread)
                    self._changed.notify_all()
                    return None
                self._changed.wait()

    def _none_parsed(self) -> bool:
        return all(job.state is not State.PARSED for job in self._jobs)

    def _attempt(self, job: Job, work: Callable[[], T]) -> T | RagError:
        """Return the result of the work, or its error."""
        try:
            return work()
        except RagError as error:
            # The result stays until the next upload; a traceback's frames would keep the document as long.
            error.__cause__ = error.__context__ = None
            return error.with_traceback(None)
        except Exception:  # the other files continue
            logger.exception("A file could not be added.")
            return DocumentError(f"“{job.name}” couldn't be added because of an internal error.", "Try again.")


@atexit.register
def _close_all() -> None:
    """Stop all threads: Python's exit would abort the process while a thread runs the embedding model."""
    ingestions = list(_running_ingestions)
    for wait_seconds in (0.0, EXIT_SECONDS):
        for ingestion in ingestions:
            ingestion.close(wait_seconds)
