"""Puts a library of documents into a staged Space, where the chat page finds it beside its app.py."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from publishing.errors import StageError
from publishing.scan.personal import personal_data
from publishing.staging.content_check import MAX_FILE_BYTES, MAX_TOTAL_BYTES, check_content
from publishing.staging.stage import StagedSpace
from rag.commands.inspect import describe
from rag.documents import Document
from rag.library.built.manifest import LibraryRefused, Manifest, is_library, read_data, read_manifest
from rag.library.built.packed import read_packed

PLACE = "library"  # in the Space


@dataclass(frozen=True)
class Documents:
    """A built library: its files by their paths in it, and what was read from them, once and with their checksums."""

    library: Path
    manifest: Manifest
    data: Mapping[str, Any]

    @property
    def files(self) -> dict[str, Path]:
        return {name: self.library / name for name in sorted(self.manifest.file_names)}

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())

    @cached_property
    def personal(self) -> list[str]:
        """A line for each kind of personal data in the texts."""
        return personal_data((document.name, document.text) for document in self.read())

    def read(self) -> Iterator[Document]:
        """Yield the documents; raise `StageError` if they don't fit together."""
        with _refusals():
            yield from (packed.document for packed in read_packed(self.data))

    @property
    def is_large(self) -> bool:
        """Whether they are too large for a Space's own repository."""
        largest = max(path.stat().st_size for path in self.files.values())
        return largest > MAX_FILE_BYTES or self.bytes > MAX_TOTAL_BYTES

    def warning(self, repo: str) -> str:
        """Return the lines of a plan about documents."""
        personal = [f"personal data? {line}" for line in self.personal]
        lines = "".join(f"\n  {line}" for line in [*personal, *describe(self.manifest).splitlines()])
        originals = "their texts and the files themselves" if self.manifest.originals else "their texts"
        return (
            f"{repo}: everybody who may see the Space can read these documents, {originals} "
            f"({self.bytes / 1e6:.1f} MB):{lines}"
        )


def open_documents(documents: Path, work: Path) -> Documents:
    """Return the library in a folder, or one that is built from the files of the folder in `work`.

    Raises `ContentError` if there is a secret in one of the files, `StageError` if the library is damaged.
    """
    library = documents
    if not is_library(documents):
        check_content(_documents_below(documents), any_size=True)
        library = work
        _build(documents, library)
    with _refusals():
        manifest = read_manifest(library)
        return Documents(library, manifest, read_data(library, manifest))


def add_documents(space: StagedSpace, documents: Documents) -> StagedSpace:
    """Return the Space with the library."""
    files = {f"{PLACE}/{name}": path for name, path in documents.files.items()}
    for place, path in files.items():
        target = space.folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target, follow_symlinks=False)
    return replace(space, files=space.files | {place: space.folder / place for place in files})


def _documents_below(folder: Path) -> dict[str, Path]:
    """Return the files that a library can be built from: not those that are hidden, and not links."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what is wrong with a library into a `StageError`."""
    try:
        yield
    except LibraryRefused as error:
        raise StageError(error.message, error.remedy) from error


def _build(documents: Path, library: Path) -> None:
    """Build a library in a process of its own; `StageError` with its message if it fails."""
    command = [sys.executable, "-m", "rag", "build", str(documents), "--out", str(library)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        message, _, remedy = process.stderr.strip().rpartition("error: ")[2].partition("\n")
        raise StageError(message or "python -m rag failed.", remedy.strip() or "Install the project: make install.")
