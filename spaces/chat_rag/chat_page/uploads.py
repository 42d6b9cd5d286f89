"""Adds a visitor's files to the library when there is a place for them, and shows the progress."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from backends.streams import closing
from chat_page import render
from chat_page.visitors.visitor import Visitor
from rag.library.ingest import UPDATE_SECONDS, Ingestion
from ui.admission.admission import Lane, Place
from ui.admission.fair_queue import Caller
from ui.admission.strings import Reason

# Every page that watches gets ten updates a second, with a line for each file; more of either would be an attack.
MAX_WATCHING = 8
MAX_FILES = 200


class Uploads:
    """The uploads of all visitors; a visitor whose files are being read has a place in the lane."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps only weak references
        self._watching: Counter[Visitor] = Counter()

    async def add(self, caller: Caller, visitor: Visitor, paths: Sequence[Path]) -> AsyncIterator[str]:
        """Read files into the visitor's library; yield the document list with their progress until all are done."""
        if visitor.ingestion.busy and len(visitor.ingestion.snapshot().files) + len(paths) > MAX_FILES:
            raise self._lane.refuse(Reason.VISITOR_BUSY)
        if not visitor.ingestion.busy:  # otherwise the files come after those that have a place already
            place = self._lane.join(caller)
            try:
                async for ahead in place.wait():
                    yield render.documents_html(visitor.library.documents, waiting=ahead)
            except BaseException:
                place.release()
                raise
            task = asyncio.create_task(_release_after(place, visitor.ingestion))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        visitor.ingestion.add(*paths)
        async for documents in self.progress(visitor):
            yield documents

    async def progress(self, visitor: Visitor) -> AsyncIterator[str]:
        """Yield the document list with the progress of each file until all are done, to `MAX_WATCHING` at once."""
        if self._watching[visitor] >= MAX_WATCHING:
            return
        self._watching[visitor] += 1
        snapshots = visitor.ingestion.watch()
        try:
            async with closing(snapshots):
                async for snapshot in snapshots:
                    yield render.documents_html(visitor.library.documents, snapshot)
        finally:
            self._watching -= Counter([visitor])  # this drops it at 0


async def _release_after(place: Place, ingestion: Ingestion) -> None:
    """Release the place when the files are read, also if the page was closed before."""
    try:
        while True:
            await asyncio.sleep(UPDATE_SECONDS)
            if not ingestion.busy:
                return
    finally:
        place.release()
