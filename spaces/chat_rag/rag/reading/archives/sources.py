"""Lists the files that are in a folder or in a ZIP archive, and unpacks them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.documents import ShareReport
from rag.errors import DocumentError
from rag.reading.archives.limits import ArchiveLimits
from rag.reading.archives.listing import Entry, is_archive, list_archive
from rag.reading.archives.unpack import unpack
from rag.reading.file_names import display_name
from rag.reading.parse import is_supported
from rag.reading.processes.pool import ReaderPool

NewFile = Callable[[], Path]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or a `problem`: why it isn't read.

    `folder` is where it was, such as "archive.zip/reports", and "" for a file by itself.
    """

    path: Path
    name: str
    folder: str = ""
    problem: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(slots=True)
class Unpacking:
    """The work on one archive with those inside it: what the limits leave, and where files go.

    `new_file` returns the path of a file that doesn't exist, in a folder that nobody else reads.
    """

    readers: ReaderPool
    new_file: NewFile
    report: ShareReport
    limits: ArchiveLimits = field(default_factory=ArchiveLimits.from_environment)
    documents: int = 0
    bytes: int = 0

    def sources(self, archive: Path, name: str, nesting: int = 0) -> Iterator[Source]:
        """Yield the files of an archive; `name` is what its visitor sees. Raises `DocumentError`."""
        entries = self.readers.run(
            list_archive, name, path=archive.absolute(), name=name, limits=self.limits, report=self.report
        )
        for entry in entries:
            self.report(0.0)
            folder, _, base_name = entry.name.rpartition("/")
            place = f"{name}/{folder}".rstrip("/")
            if entry.problem:
                yield Source(archive, base_name, place, entry.problem)
            elif is_archive(base_name) and nesting >= self.limits.nesting:
                yield Source(archive, base_name, place, "in too many archives")
            else:
                yield from self._unpacked(archive, entry, Source(archive, base_name, place), nesting)

    def _unpacked(self, archive: Path, entry: Entry, source: Source, nesting: int) -> Iterator[Source]:
        nested = is_archive(source.name)
        self._count(entry, source.full_name, documents=0 if nested else 1)
        path = self.new_file()
        try:
            unpack(archive, entry, path)
        except DocumentError as error:
            path.unlink(missing_ok=True)
            yield Source(archive, source.name, source.folder, error.message)
            return
        if not nested:
            yield Source(path, source.name, source.folder)
            return
        try:
            yield from self.sources(path, source.full_name, nesting + 1)
        finally:
            path.unlink(missing_ok=True)

    def _count(self, entry: Entry, name: str, documents: int) -> None:
        self.documents += documents
        self.bytes += entry.bytes
        archive = name.partition("/")[0]
        if self.documents > self.limits.documents:
            raise DocumentError(
                f"“{archive}” has more than {self.limits.documents:,} documents.", "Pack fewer of them."
            )
        if self.bytes > self.limits.megabytes * 1_000_000:
            raise DocumentError(
                f"“{archive}” has more than {self.limits.megabytes:,} MB, unpacked.", "Pack fewer documents."
            )


def folder_sources(folder: Path, limits: ArchiveLimits | None = None) -> Iterator[Source]:
    """Yield the files in a folder and the folders in it, by name, without hidden ones and without following links.

    Archives are yielded as files. Raises `DocumentError` if there are too many.
    """
    limits = limits or ArchiveLimits.from_environment()
    count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        shown = "/".join(
            [display_name(folder.resolve().name), *map(display_name, Path(place).relative_to(folder).parts)]
        )
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(place, name)
            problem = "a link" if path.is_symlink() else ""
            if not is_supported(name) and not is_archive(name):
                problem = "unsupported file type"
            count += not problem
            if count > limits.documents:
                raise DocumentError(f"“{shown}” has more than {limits.documents:,} documents.", "Pass fewer of them.")
            yield Source(path, display_name(name), shown, problem)


def expand(
    paths: Sequence[Path], readers: ReaderPool, new_file: NewFile, limits: ArchiveLimits | None = None
) -> Iterator[Source]:
    """Yield the files that some paths stand for: a file itself, or what is in a folder or an archive."""
    limits = limits or ArchiveLimits.from_environment()
    for path in paths:
        files = folder_sources(path, limits) if path.is_dir() else [Source(path, display_name(path.name))]
        for source in files:
            if source.problem or not is_archive(source.name):
                yield source
            else:
                yield from Unpacking(readers, new_file, _ignore, limits).sources(source.path, source.full_name)


def _ignore(share: float) -> None:
    pass
