"""Puts a library of documents into a staged Space, where the chat page finds it beside its app.py."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from publishing.errors import StageError
from publishing.scan.personal import personal_data
from publishing.staging.content_check import MAX_FILE_BYTES, MAX_TOTAL_BYTES, check_content
from publishing.staging.stage import StagedSpace
from rag.library.built.manifest import Manifest, is_library, read_data, read_manifest
from rag.library.built.packed import read_packed

PLACE = "library"  # in the Space


@dataclass(frozen=True)
class Documents:
    """A built library: its files by their paths in it, and what `python -m rag inspect` says about it."""

    library: Path
    manifest: Manifest
    description: str

    @property
    def files(self) -> dict[str, Path]:
        return {name: self.library / name for name in sorted(self.manifest.file_names)}

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())

    @cached_property
    def personal(self) -> list[str]:
        """A line for each kind of personal data in the texts."""
        packed = read_packed(read_data(self.library, self.manifest))
        return personal_data((each.document.name, each.document.text) for each in packed)

    @property
    def is_large(self) -> bool:
        """Whether they are too large for a Space's own repository."""
        largest = max(path.stat().st_size for path in self.files.values())
        return largest > MAX_FILE_BYTES or self.bytes > MAX_TOTAL_BYTES

    def warning(self, repo: str) -> str:
        """Return the lines of a plan about documents."""
        personal = [f"personal data? {line}" for line in self.personal]
        lines = "".join(f"\n  {line}" for line in [*personal, *self.description.splitlines()])
        originals = "their texts and the files themselves" if self.manifest.originals else "their texts"
        return (
            f"{repo}: everybody who may see the Space can read these documents, {originals} "
            f"({self.bytes / 1e6:.1f} MB):{lines}"
        )


def open_documents(documents: Path, work: Path) -> Documents:
    """Return the library in a folder, or one that is built from the files of the folder in `work`.

    Raises `ContentError` if there is a secret in one of the files.
    """
    if is_library(documents):
        library, description = documents, _rag("inspect", str(documents))
    else:
        check_content(_documents_below(documents), any_size=True)
        library, description = work, _rag("build", str(documents), "--out", str(work))  # it prints what inspect does
    manifest = read_manifest(library)
    return Documents(library, manifest, description)


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


def _rag(*arguments: str) -> str:
    """Run `python -m rag` and return what it prints; `StageError` with its own message if it fails."""
    process = subprocess.run([sys.executable, "-m", "rag", *arguments], capture_output=True, text=True, check=False)
    if process.returncode:
        message, _, remedy = process.stderr.strip().rpartition("error: ")[2].partition("\n")
        raise StageError(message or "python -m rag failed.", remedy.strip() or "Install the project: make install.")
    return process.stdout
