"""An uploaded archive becomes its documents."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import Cancelled, DocumentError
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.progress import FileSummary, Snapshot
from rag.library.storage.store import Store
from rag.search.embedding.embedders import Embedder
from tests.helpers.servers import wait_until

ROPES, KEYS = "Rope number one holds the boat.", "The spare key hangs behind the blue door."


@pytest.fixture
def library(embedder: Embedder, tmp_path: Path) -> Iterator[Library]:
    library = Library(embedder, store=Store(tmp_path / "visitor"))
    yield library
    library.close()


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def upload(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def last_snapshot(ingestion: Ingestion) -> Snapshot:
    wait_until(lambda: ingestion.snapshot().done, 60)
    return ingestion.snapshot()


def test_an_archive_becomes_its_documents(library: Library, tmp_path: Path, unpacked: Path) -> None:
    ingestion = Ingestion(library)
    archive = upload(tmp_path / "island.zip", {"reports/ropes.txt": ROPES, "keys.md": KEYS, "film.mp4": "x"})
    ingestion.add(archive)
    files = last_snapshot(ingestion).files
    assert [file.name for file in files] == ["island.zip", "island.zip/reports/ropes.txt", "island.zip/keys.md"]
    problem, *results = [file.result for file in files]
    assert isinstance(problem, DocumentError)
    assert problem.message == "Not read in “island.zip”: film.mp4 (unsupported file type)."
    assert all(isinstance(result, FileSummary) for result in results)
    assert [document.name for document in library.documents] == ["island.zip/reports/ropes.txt", "island.zip/keys.md"]
    assert library.original(library.documents[0].id) == ROPES.encode()
    assert not archive.exists()
    assert not list(unpacked.iterdir())


def test_an_archive_without_problems_has_no_line_of_its_own(library: Library, tmp_path: Path, unpacked: Path) -> None:
    ingestion = Ingestion(library)
    ingestion.add(upload(tmp_path / "a.zip", {"ropes.txt": ROPES, "same.txt": ROPES}))
    first, second = last_snapshot(ingestion).files
    assert (first.name, second.name) == ("a.zip/ropes.txt", "a.zip/same.txt")
    assert isinstance(second.result, FileSummary)
    assert second.result.duplicate


def test_a_broken_archive_is_one_line_and_other_files_go_on(library: Library, tmp_path: Path, unpacked: Path) -> None:
    ingestion = Ingestion(library)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "keys.txt").write_text(KEYS)
    ingestion.add(tmp_path / "broken.zip", tmp_path / "keys.txt")
    broken, keys = last_snapshot(ingestion).files
    assert "isn't a valid ZIP archive" in str(broken.result)
    assert isinstance(keys.result, FileSummary)


def test_nothing_is_left_of_an_archive_that_is_cancelled(library: Library, tmp_path: Path, unpacked: Path) -> None:
    ingestion = Ingestion(library)
    archive = upload(tmp_path / "a.zip", {f"{number}.txt": f"{ROPES} {number}" for number in range(40)})
    ingestion.add(archive)
    wait_until(lambda: len(ingestion.snapshot().files) > 1)
    ingestion.cancel()
    files = last_snapshot(ingestion).files
    assert any(isinstance(file.result, Cancelled) for file in files)
    assert not list(unpacked.iterdir())
    assert len(library.documents) == sum(isinstance(file.result, FileSummary) for file in files)
