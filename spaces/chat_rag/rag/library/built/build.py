"""Builds a library from a folder of documents, with the readers and the model of the page.

Each document is stored as soon as it is embedded, in a work folder inside the library. A build that was interrupted
finds it there; at the end all documents are packed, in the order of their names, and the work folder is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from rag.errors import RagError
from rag.library.built import manifest as built
from rag.library.built.assembly import Contents, assemble, clean
from rag.library.built.local_workers import Outcome, embed_files
from rag.library.built.manifest import LibraryRefused, Manifest, library_label, read_data, read_manifest
from rag.library.built.packed import PackedDocument, read_packed
from rag.library.built.ray_workers import embed_files_on_ray
from rag.library.built.sources import FoundFile, find_files
from rag.library.storage import disk
from rag.library.storage.store import Store
from rag.reading.processes.pool import PROCESSES, ReaderPool
from rag.search.embedding.embedders import Embedder

WORK = f"{disk.UNFINISHED}build"
RAY: Literal["ray"] = "ray"


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """`name` is shown on the page; `originals` adds the files.

    `workers` is how many files are read at once, or `RAY`: then Ray reads and embeds on all processors that it has.
    """

    name: str
    workers: int | Literal["ray"] = PROCESSES
    originals: bool = False
    report: Callable[[str], None] = print


@dataclass(slots=True)
class _Build:
    """One run: what earlier builds left, and what this one finds."""

    out: Path
    embedder: Embedder
    options: BuildOptions
    unchanged: dict[str, PackedDocument] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)  # by the path of the file

    @property
    def label(self) -> str:
        return library_label(self.embedder)

    @property
    def work(self) -> Store:
        return Store(self.out / WORK)

    @property
    def work_label(self) -> str:
        return f"{built.FORMAT} {self.label}"


def build_library(folder: Path, out: Path, embedder: Embedder, readers: ReaderPool, options: BuildOptions) -> Manifest:
    """Build the library `out` from the files of a folder; only what changed since the last build is read again.

    Raises `RagError`, with the library as it was before.
    """
    _check_places(folder, out)
    build = _Build(out, embedder, options)
    with _write_errors(out), TemporaryDirectory(prefix="spaceport-") as unpacked:
        out.mkdir(parents=True, exist_ok=True)
        build.unchanged = _last_build(build)
        files = list(find_files(folder, out, readers, Path(unpacked)))
        _read_new(build, _first_of_each(files), readers)
        contents = Contents(options.name, build.label, options.originals, tuple(_sources(build, files)))
        manifest = assemble(out, contents, _packed(build, files))
        clean(out, manifest, WORK)
    return manifest


def _sources(build: _Build, files: Sequence[FoundFile]) -> Iterator[built.Source]:
    """Yield what became of each file; of several with the same content, the first one was read."""
    first = _first_of_each(files)
    for file in files:
        name = first.get(file.document or file.source.full_name, file).source.full_name
        problem = file.source.problem or build.problems.get(name, "")
        yield built.Source(file.source.full_name, "" if problem else file.document, problem)


def _check_places(folder: Path, out: Path) -> None:
    if not folder.is_dir():
        raise RagError(f"There is no folder {folder}.", "Pass the folder with the documents.")
    is_own = built.is_library(out) or (out / WORK).is_dir()
    if out.exists() and not is_own and (not out.is_dir() or any(out.iterdir())):
        raise RagError(f"{out} is neither empty nor a library.", "Choose another folder with --out.")


def _last_build(build: _Build) -> dict[str, PackedDocument]:
    """Return the documents of the library that is there; none if it is damaged or for another model."""
    if not built.is_library(build.out):
        return {}
    try:
        manifest = read_manifest(build.out, build.label)
        return {each.document.id: each for each in read_packed(read_data(build.out, manifest))}
    except LibraryRefused as error:
        build.options.report(f"All documents are read again: {error.message}")
        return {}


def _first_of_each(files: Sequence[FoundFile]) -> dict[str, FoundFile]:
    """Return the first file with each content; one that can't be read is there by its path."""
    first: dict[str, FoundFile] = {}
    for file in files:
        if not file.source.problem:
            first.setdefault(file.document or file.source.full_name, file)
    return first


def _read_new(build: _Build, files: dict[str, FoundFile], readers: ReaderPool) -> None:
    """Read, embed and store the files that neither the last build nor an interrupted one has."""
    for document_id, packed in list(build.unchanged.items()):
        if document_id not in files or files[document_id].source.full_name != packed.document.name:
            del build.unchanged[document_id]
    new = [
        file for document_id, file in files.items() if document_id not in build.unchanged and not _is_done(build, file)
    ]
    with closing(_embedded(build, new, readers)) as embedded:
        for number, (file, outcome) in enumerate(embedded, start=1):
            _save(build, file, outcome)
            build.options.report(f"{number:,} of {len(new):,}: {file.source.full_name}")


def _is_done(build: _Build, file: FoundFile) -> bool:
    stored = build.work.read(file.document, build.work_label) if file.document else None
    return stored is not None and stored.document.name == file.source.full_name


def _embedded(
    build: _Build, files: Sequence[FoundFile], readers: ReaderPool
) -> Generator[tuple[FoundFile, Outcome], None, None]:
    """Yield what became of each file: its document, or why it has none."""
    workers, embedder = build.options.workers, build.embedder
    if workers != RAY:
        yield from embed_files(files, embedder, readers, workers)
        return
    # A file without an id is too large, or can't be read. That takes no cluster.
    yield from embed_files([file for file in files if not file.document], embedder, readers, PROCESSES)
    yield from embed_files_on_ray([file for file in files if file.document], embedder)


def _save(build: _Build, file: FoundFile, outcome: Outcome) -> None:
    """Store a document in the work folder, or remember why there is none."""
    if isinstance(outcome, str):
        build.problems[file.source.full_name] = outcome
        return
    build.work.delete(outcome.document.id)  # the same content under another name
    build.work.save(*outcome, b"", label=build.work_label)


def _packed(build: _Build, files: Sequence[FoundFile]) -> Iterator[tuple[FoundFile, PackedDocument]]:
    """Yield each document of the library with its first file."""
    for document_id, file in _first_of_each(files).items():
        if file.source.full_name in build.problems or not file.document:
            continue
        if document_id in build.unchanged:
            yield file, build.unchanged[document_id]
        elif stored := build.work.read(document_id, build.work_label):
            yield file, PackedDocument.of(stored)


@contextmanager
def _write_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = "Free some space, then run the command again: it goes on where it stopped."
        raise RagError(f"Can't write {out} ({error.strerror or error}).", remedy) from error
