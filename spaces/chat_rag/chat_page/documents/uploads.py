"""Adds a visitor's files to the library when there is a place for them, and shows the progress."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from backends import stopwatch
from backends.streams import closing
from chat_page.rendering.documents import visitor_documents
from chat_page.visitors.visitor import Visitor
from rag.library.ingest import UPDATE_SECONDS
from rag.reading.archives.sources import Source
from ui.admission.fair_queue import Caller
from ui.admission.lane import Lane, Place
from ui.admission.strings import Reason

# Every page that watches gets ten updates a second, with a line for each file; more of either would be an attack.
MAX_WATCHING = 8
MAX_FILES = 200
# When no page has watched for so long, the visitor has left: a reload takes less.
ABSENCE_SECONDS = 60.0


class Uploads:
    """The uploads of all visitors; a visitor whose files are being read has a place in the lane."""

    def __init__(self, lane: Lane, absence_seconds: float = ABSENCE_SECONDS) -> None:
        """After `absence_seconds` without a page that watches them, a visitor's files are no longer read."""
        self.lane = lane
        self._absence_seconds = absence_seconds
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps only weak references
        self._watching: Counter[Visitor] = Counter()

    async def add(self, caller: Caller, visitor: Visitor, files: Sequence[Path | Source]) -> AsyncIterator[str]:
        """Read files into the visitor's library; yield the document list with their progress until all are done."""
        try:
            turn = self._turn(caller, visitor, len(files))
            async with closing(turn):
                async for ahead in turn:
                    yield visitor_documents(visitor, waiting=ahead)
        except BaseException:
            for file in files:
                path = file.path if isinstance(file, Source) else file
                path.unlink(missing_ok=True)
            raise
        visitor.ingestion.add(*files)
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
                    yield visitor_documents(visitor, snapshot)
        finally:
            self._watching -= Counter([visitor])  # this drops it at 0

    async def _turn(self, caller: Caller, visitor: Visitor, files: int) -> AsyncIterator[int]:
        """Wait until the visitor may have more files read; yield how many visitors are ahead."""
        if visitor.ingestion.busy:  # these files come after those that have a place already
            if len(visitor.ingestion.snapshot().files) + files > MAX_FILES:
                raise self.lane.refuse(Reason.VISITOR_BUSY)
            return
        place = self.lane.join(caller)
        try:
            async for ahead in place.wait():
                yield ahead
        except BaseException:
            place.release()
            raise
        task = asyncio.create_task(self._read_while_watched(place, visitor))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read_while_watched(self, place: Place, visitor: Visitor) -> None:
        """Release the place when the files are read, or stop them when the visitor has left."""
        watched = stopwatch.now()
        try:
            while True:
                await asyncio.sleep(UPDATE_SECONDS)
                if not visitor.ingestion.busy:
                    return
                if self._watching[visitor]:
                    watched = stopwatch.now()
                elif stopwatch.now() - watched > self._absence_seconds:
                    visitor.ingestion.cancel()
        finally:
            place.release()
