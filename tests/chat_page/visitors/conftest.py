"""Visitors on one folder, with a clock and an embedder that a test controls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from chat_page.visitors.visitors import Visitors
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from tests.rag.library.test_ingest import PausedEmbedder

HOUR = 3600.0


class Clock:
    """The wall clock, which a test can advance."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "visitors"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def paused_embedder(embedder: Embedder) -> PausedEmbedder:
    embedder.warm()  # the first use of the model is slow
    return PausedEmbedder(embedder)


@pytest.fixture
def start(root: Path, paused_embedder: PausedEmbedder, clock: Clock) -> Iterator[Callable[..., Visitors]]:
    """Create `Visitors` on the same folder, as a restarted process does."""
    instances: list[Visitors] = []

    def create(folder: Path | None = root, **limits: int) -> Visitors:
        library = partial(Library, paused_embedder)
        instances.append(Visitors(folder, lambda store: library(store=store), HOUR, clock=clock, **limits))
        return instances[-1]

    yield create
    paused_embedder.go.set()
    for visitors in instances:
        visitors.close()
