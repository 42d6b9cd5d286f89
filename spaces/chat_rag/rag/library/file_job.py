"""State of one file in the ingestion pipeline."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from rag.errors import Cancelled, RagError
from rag.library.incoming_files import ParsedFile
from rag.library.progress import FileProgress, FileSummary, Step


class State(Enum):
    """Position of a file in the pipeline; it decides which thread takes the file next."""

    QUEUED = auto()
    READING = auto()
    PARSED = auto()
    STORING = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class Job:
    """One file in the pipeline; `folder` is where it was in an archive."""

    number: int
    path: Path
    name: str
    folder: str = ""
    state: State = State.QUEUED
    step: Step = Step.WAITING
    share: float | None = None
    parsed: ParsedFile | None = None
    result: FileSummary | RagError | None = None
    cancelled: bool = False
    inode: int | None = None

    def __post_init__(self) -> None:
        with contextlib.suppress(OSError):
            self.inode = self.path.stat().st_ino

    @property
    def full_name(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @property
    def progress(self) -> FileProgress:
        return FileProgress(self.number, self.full_name, self.step, self.share, self.result)

    def discard(self) -> None:
        """Delete the upload: anyone who knows the address of Gradio's copy can download it.

        The address depends on the content: the file there now may belong to another visitor who sent the same content.
        """
        with contextlib.suppress(OSError):
            if self.path.stat().st_ino == self.inode:
                self.path.unlink()

    def report(self, step: Step, share: float) -> None:
        """Record the library's progress; raise `Cancelled` if the visitor stopped the file."""
        if self.cancelled:
            raise self.cancellation()
        self.step, self.share = step, share

    def cancellation(self) -> Cancelled:
        return Cancelled(f"“{self.full_name}” was stopped and not added.")

    def finish(self, result: FileSummary | RagError) -> None:
        self.state, self.step, self.share = State.DONE, Step.DONE, None
        self.parsed, self.result = None, self.cancellation() if self.cancelled else result
