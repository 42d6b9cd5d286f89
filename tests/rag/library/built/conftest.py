from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from rag.library.built.build import BuildOptions, build_library
from rag.library.built.manifest import Manifest
from rag.reading.processes.pool import file_readers
from rag.search.embedding.embedders import Embedder

TEXTS = {
    "birds.md": "# Gannets\n\nThe gannet dives from thirty metres and reaches a hundred kilometres an hour.\n",
    "fees.csv": "berth,fee\nnorth quay,120\nsouth quay,95\n",
    "harbour/rules.txt": "Boats may not anchor in the exclusion zone, which is 400 metres wide.\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three documents, one twice, a broken one, an archive, and a link that leads out of it."""
    place = tmp_path / "handbook"
    for name, text in TEXTS.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    (place / "harbour" / "copy.txt").write_text(TEXTS["harbour/rules.txt"])
    (place / "broken.pdf").write_text("no PDF")
    (tmp_path / "outside.txt").write_text("The password of the lighthouse is swordfish.")
    (place / "link.txt").symlink_to(tmp_path / "outside.txt")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("tides.txt", "High water at the pier is at noon.")
    (place / "more.zip").write_bytes(data.getvalue())
    return place


class Builder:
    """Builds libraries in this process, and remembers what it reported."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self.lines: list[str] = []

    def __call__(self, folder: Path, out: Path, *, originals: bool = False, workers: int = 2) -> Manifest:
        self.lines.clear()
        options = BuildOptions("Handbook", workers, originals, self.lines.append)
        return build_library(folder, out, self.embedder, file_readers(), options)


@pytest.fixture
def build(embedder: Embedder) -> Builder:
    return Builder(embedder)


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of each file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
