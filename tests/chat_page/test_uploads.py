"""A visitor's uploads: how many files wait, and how many pages watch them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from backends.streams import closing
from chat_page.documents.uploads import MAX_FILES, MAX_WATCHING, Uploads
from chat_page.visitors.visitor import Visitor
from rag.errors import Cancelled
from rag.library.ingest import REPEAT_SECONDS
from tests.helpers.servers import wait_until
from tests.security.hostile_files import nested_forms
from ui.admission.admission import Admission
from ui.admission.errors import Refused
from ui.admission.fair_queue import Caller
from ui.admission.work_limits import Limits, Places

CALLER = Caller("127.0.0.1", "key")


@pytest.fixture
def endless_file(tmp_path: Path) -> Iterator[Path]:
    """A file that nobody has read to its end before the test is over."""
    path = tmp_path / "endless.txt"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield path
    os.close(writer)


async def test_a_few_pages_watch_the_same_files(visitor: Visitor, endless_file: Path) -> None:
    """A hundred watchers kept both processors busy, and nobody else was served."""
    uploads = Uploads(Admission().uploads)
    visitor.ingestion.add(endless_file)
    async with AsyncExitStack() as stack:
        for _ in range(MAX_WATCHING):
            watching = uploads.progress(visitor)
            await stack.enter_async_context(closing(watching))
            assert "endless.txt" in await anext(watching)
        assert [update async for update in uploads.progress(visitor)] == []
    again = uploads.progress(visitor)
    async with closing(again):
        assert "endless.txt" in await anext(again)


async def test_a_busy_visitor_adds_a_limited_number_of_files(visitor: Visitor, endless_file: Path) -> None:
    """Every update has a line for each."""
    uploads = Uploads(Admission().uploads)
    visitor.ingestion.add(endless_file)
    for count in (MAX_FILES - 1, 1):
        task = asyncio.create_task(anext(uploads.add(CALLER, visitor, [endless_file] * count)))
        if count == 1:
            with pytest.raises(Refused):
                await task
        else:
            await task
    assert len(visitor.ingestion.snapshot().files) == MAX_FILES


async def test_files_of_a_visitor_who_has_left_are_no_longer_read(visitor: Visitor, tmp_path: Path) -> None:
    """A reader went on for minutes after its guest was gone, and then took the next of the guest's files."""
    admission = Admission(Limits(uploads=Places(1, 1, 1)))
    uploads, paths = Uploads(admission.uploads, absence_seconds=0.5), [tmp_path / "a.pdf", tmp_path / "b.pdf"]
    for path in paths:
        path.write_bytes(nested_forms())
    updates = uploads.add(CALLER, visitor, paths)
    async with closing(updates):
        assert "a.pdf" in await anext(updates)
        await asyncio.sleep(1)
        assert visitor.ingestion.busy
    await asyncio.to_thread(wait_until, lambda: not visitor.ingestion.busy)
    assert all(isinstance(result, Cancelled) for result in visitor.ingestion.snapshot().results)
    assert not any(path.exists() for path in paths)
    async with asyncio.timeout(10):
        async with admission.uploads.place(Caller("127.0.0.2", "another key")):
            pass


async def test_a_reload_leaves_the_files_alone(visitor: Visitor, endless_file: Path) -> None:
    uploads = Uploads(Admission().uploads, absence_seconds=1)
    updates = uploads.add(CALLER, visitor, [endless_file])
    async with closing(updates):
        await anext(updates)
    again = uploads.progress(visitor)
    async with closing(again):
        await anext(again)
        await asyncio.sleep(1.5)
        assert not any(job.cancelled for job in visitor.ingestion._jobs)


async def test_files_that_never_had_a_turn_are_deleted(visitor: Visitor, tmp_path: Path) -> None:
    admission = Admission(Limits(uploads=Places(1, 1, 1)))
    uploads, path = Uploads(admission.uploads), tmp_path / "kettle.txt"
    path.write_text("The kettle is red.")
    async with admission.uploads.place(CALLER):
        updates = uploads.add(CALLER, visitor, [path])
        async with closing(updates):
            await anext(updates)
            assert path.exists()
    assert not path.exists()


async def test_a_page_that_watches_is_asked_whether_it_is_there(visitor: Visitor, endless_file: Path) -> None:
    """Gradio ends an event whose page has left at its next update: an endless file has none."""
    visitor.ingestion.add(endless_file)
    updates = Uploads(Admission().uploads).progress(visitor)
    async with closing(updates), asyncio.timeout(3 * REPEAT_SECONDS):
        shown = [await anext(updates) for _ in range(3)]
    assert shown[-1] == shown[-2]
