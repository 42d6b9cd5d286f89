"""Unpacks an uploaded archive into files that are read like single uploads."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rag.documents import ShareReport
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.archives.sources import Source, Unpacking
from rag.reading.processes.pool import ReaderPool

_NAMES = 3  # of files that weren't read


class Unpacked(NamedTuple):
    """The documents of an archive, and what wasn't read of it."""

    sources: list[Source]
    problem: DocumentError | None


def unpack_archive(path: Path, name: str, readers: ReaderPool, report: ShareReport) -> Unpacked:
    """Return the documents of an archive as files that the caller deletes; after an error there are none."""
    sources: list[Source] = []
    try:
        for source in Unpacking(readers, new_file, report).sources(path, name):
            sources.append(source)  # one by one, so that an error leaves no file
    except BaseException:
        for source in sources:
            if not source.problem:
                source.path.unlink(missing_ok=True)
        raise
    return Unpacked([source for source in sources if not source.problem], problem_of(name, sources))


def new_file() -> Path:
    """Return the path of a temporary file that doesn't exist yet; nobody can guess it."""
    return Path(tempfile.gettempdir(), f"spaceport-{secrets.token_hex(16)}")


def problem_of(name: str, sources: Sequence[Source]) -> DocumentError | None:
    """Return the error that names the files of an archive that aren't read, or None if all are."""
    problems = [f"{source.name} ({source.problem.rstrip('.')})" for source in sources if source.problem]
    if not sources:
        return FileError(FileProblem.EMPTY_ARCHIVE, name=name)
    if not problems:
        return None
    more = f" and {len(problems) - _NAMES:,} more" if len(problems) > _NAMES else ""
    return DocumentError(f"Not read in “{name}”: {', '.join(problems[:_NAMES])}{more}.", "Upload them by themselves.")
