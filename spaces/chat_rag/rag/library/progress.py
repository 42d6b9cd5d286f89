"""Progress and result of each uploaded file, as data; a page turns them into words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from rag.documents import Note
from rag.errors import RagError


class Step(Enum):
    """The current step of a file."""

    WAITING = auto()
    READING = auto()
    EMBEDDING = auto()
    SAVING = auto()
    STOPPING = auto()
    DONE = auto()


# Called with the current step and its share, from 0 to 1. An error that it raises cancels the work.
Report = Callable[[Step, float], None]


@dataclass(frozen=True, slots=True)
class FileSummary:
    """A file that was added.

    `pages` is 0 for a format without pages; `duplicate` means that the library already has this content.
    """

    name: str
    pages: int
    characters: int
    chunks: int
    duplicate: bool
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class FileProgress:
    """The state of one file: `share` is the share of the step, from 0 to 1, or None where it is unknown.

    `result` is None until the file is done.
    """

    number: int
    name: str
    step: Step = Step.WAITING
    share: float | None = None
    result: FileSummary | RagError | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of all files, in their order, since a page last showed all results."""

    files: tuple[FileProgress, ...]

    @property
    def done(self) -> bool:
        """True if every file has a result."""
        return all(file.result is not None for file in self.files)

    @property
    def results(self) -> list[FileSummary | RagError]:
        """The results of the files that are done."""
        return [file.result for file in self.files if file.result is not None]

    @property
    def pending(self) -> list[FileProgress]:
        """The files without a result."""
        return [file for file in self.files if file.result is None]
