"""A server with models of known behaviour."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compare import fake_rag
from tests.compare.servers import Models
from tests.helpers.servers import serving


@pytest.fixture(scope="module", autouse=True)
def short_collections(small_heap: None) -> None:
    """All tests here may measure."""


@pytest.fixture
def models() -> Iterator[Models]:
    with serving(Models()) as running:
        yield running


@pytest.fixture
def as_rag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in before the real `rag` of the processes that are started."""
    package = tmp_path / "path" / "rag"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(Path(fake_rag.__file__).read_text())
    monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=os.pathsep)
