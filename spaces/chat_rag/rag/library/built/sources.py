"""The files of a folder that a library is built from, and the documents that they are."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rag.documents import Limits
from rag.errors import DocumentError
from rag.library.incoming_files import fingerprint
from rag.reading.archives.limits import ArchiveLimits
from rag.reading.archives.listing import is_archive
from rag.reading.archives.sources import Source, Unpacking, folder_sources
from rag.reading.processes.pool import ReaderPool


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file with the id of its document; "" if it can't be read."""

    source: Source
    document: str


def find_files(folder: Path, out: Path, readers: ReaderPool, unpacked: Path) -> Iterator[FoundFile]:
    """Yield the files of a folder and of archives in it, by name, but not those below `out`.

    Files of archives are written to the folder `unpacked`. Links aren't followed: they have a `problem`.
    """
    # An archive has limits, because it can be small and unpack to terabytes; a folder has what its owner put there.
    limits = replace(ArchiveLimits.from_environment(), documents=sys.maxsize)
    for source in folder_sources(folder, limits):
        if source.path.absolute().is_relative_to(out.absolute()):
            continue
        inside = replace(source, folder=source.folder.partition("/")[2])  # without the name of the folder itself
        for each in _expanded(inside, readers, unpacked):
            yield FoundFile(each, "" if each.problem else fingerprint(each.path, Limits().file_bytes)[0])


def _expanded(source: Source, readers: ReaderPool, unpacked: Path) -> Iterator[Source]:
    if source.problem or not is_archive(source.name):
        yield source
        return
    unpacking = Unpacking(readers, lambda: unpacked / secrets.token_hex(8), _ignore)
    try:
        yield from unpacking.sources(source.path, source.full_name)
    except DocumentError as error:
        yield replace(source, problem=error.message)


def _ignore(share: float) -> None:
    pass
