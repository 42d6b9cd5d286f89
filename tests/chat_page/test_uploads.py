"""A visitor's uploads: how many files wait, and how many pages watch them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from backends.streams import closing
from chat_page.uploads import MAX_FILES, MAX_WATCHING, Uploads
from chat_page.visitors.visitor import Visitor
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.store import MemoryStore
from rag.search.embedders import Embedder
from ui.admission.admission import Admission, Refused
from ui.admission.fair_queue import Caller

CALLER = Caller("127.0.0.1", "key")


@pytest.fixture
def endless_file(tmp_path: Path) -> Iterator[Path]:
    """A file that nobody has read to its end before the test is over."""
    path = tmp_path / "endless.txt"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield path
    os.close(writer)


@pytest.fixture
def visitor(embedder: Embedder) -> Iterator[Visitor]:
    store = MemoryStore()
    library = Library(embedder, store=store)
    visitor = Visitor("k" * 43, library, Ingestion(library), store)
    yield visitor
    visitor.close()


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
