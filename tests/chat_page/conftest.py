"""Fixtures for the chat page's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chat_page.visitors.visitor import Visitor
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.storage.memory_store import MemoryStore
from rag.search.embedding.embedders import Embedder
from tests.rag.conftest import embedder

__all__ = ["embedder", "visitor"]


@pytest.fixture
def visitor(embedder: Embedder) -> Iterator[Visitor]:
    """A visitor whose data is in memory."""
    store = MemoryStore()
    library = Library(embedder, store=store)
    visitor = Visitor("k" * 43, library, Ingestion(library), store)
    yield visitor
    visitor.close()
