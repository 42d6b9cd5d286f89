"""Puts the documents of a build together, as the files of a library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import RagError
from rag.library.built.manifest import DATA_FILE, ORIGINALS, Manifest, Source, replace_file
from rag.library.built.packed import PackedDocument, Packer
from rag.library.built.sources import FoundFile
from rag.library.quota import page_count
from rag.library.storage import disk


@dataclass(frozen=True, slots=True)
class Contents:
    """What the manifest says besides the numbers that come from the documents."""

    name: str
    label: str
    originals: bool
    sources: tuple[Source, ...]


@dataclass(slots=True)
class _Totals:
    documents: int = 0
    chunks: int = 0
    pages: int = 0
    characters: int = 0
    dimension: int = 0
    largest_error: float = 0.0

    def add(self, packed: PackedDocument) -> None:
        self.documents += 1
        self.chunks += len(packed.chunks)
        self.pages += page_count(packed.document)
        self.characters += len(packed.document.text)
        self.dimension = packed.vectors.rows.shape[1]
        self.largest_error = max(self.largest_error, packed.error)


def assemble(out: Path, contents: Contents, documents: Iterable[tuple[FoundFile, PackedDocument]]) -> Manifest:
    """Write the documents into new files, and then the manifest that names them; `out` is a library all the time."""
    totals = _Totals()
    with Packer(out) as packer:
        for file, packed in documents:
            packer.add(packed)
            totals.add(packed)
            if contents.originals:
                _copy_original(out, packed.document.id, file.source.path)
        if not totals.documents:
            raise RagError("None of the files is read.", _first_problems(contents.sources))
        files = packer.finish()
    manifest = Manifest(
        contents.name, contents.label, totals.dimension, totals.documents, totals.chunks, totals.pages,
        totals.characters, totals.largest_error, contents.originals, contents.sources, files,
    )  # fmt: skip
    manifest.write(out)
    return manifest


def clean(out: Path, manifest: Manifest, work: str) -> None:
    """Delete the files of earlier builds, and of this one's work."""
    names = manifest.file_names
    for path in out.iterdir():
        is_old = DATA_FILE.fullmatch(path.name) and path.name not in names
        if is_old or path.name == work or path.name.startswith(disk.UNFINISHED):
            disk.delete(path)
    folder = out / ORIGINALS
    for path in folder.iterdir() if folder.is_dir() else ():
        if f"{ORIGINALS}/{path.name}" not in names:
            disk.delete(path)
    if folder.is_dir() and not manifest.originals:
        folder.rmdir()


def _copy_original(out: Path, document_id: str, path: Path) -> None:
    original = out / ORIGINALS / document_id
    if not original.is_file() or original.stat().st_size != path.stat().st_size:
        original.parent.mkdir(exist_ok=True)
        replace_file(original, path.read_bytes())


def _first_problems(sources: Sequence[Source]) -> str:
    problems = [f"{source.path}: {source.problem}" for source in sources if source.problem]
    return "\n  ".join(problems[:5]) or "The folder has no files."
