"""Errors about a visitor's documents, each with a remedy for the person who reads it.

RagError
├── DocumentError       a file can't be read or stored
│   ├── Cancelled       the visitor stopped the upload
│   ├── ReaderStopped   reading the file needs more than a file may use, or crashes the reader
│   └── SessionEnded    the visitor's session ended before the file was added
└── RetrievalError      the documents can't be searched
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from backends import SpaceportError


class RagError(SpaceportError):
    """An error about the documents, not about a model."""


class DocumentError(RagError):
    """A file can't be read or stored."""


class Cancelled(DocumentError):
    """The visitor stopped the upload of a file; nothing of it is stored."""


class StopReason(Enum):
    """Why the process that read a file was stopped."""

    MEMORY = auto()
    TIME = auto()
    OUTPUT = auto()
    CRASH = auto()


class Problem(NamedTuple):
    """What happened to the file {name}, and what to do."""

    message: str
    remedy: str


STOPPED = {
    StopReason.MEMORY: Problem(
        "“{name}” needs more memory than one file may use.", "Split it, or save it in a simpler form."
    ),
    StopReason.TIME: Problem(
        "“{name}” takes longer to read than one file may.", "Split it, or save it in a simpler form."
    ),
    StopReason.OUTPUT: Problem("“{name}” has more text than one file may have.", "Split it into smaller files."),
    StopReason.CRASH: Problem(
        "“{name}” can't be read: its reader stopped working.",
        "Open it in the program that created it, save it again, and upload that file.",
    ),
}


class ReaderStopped(DocumentError):
    """The process that read the file `name` was stopped, or it crashed; other files aren't affected."""

    def __init__(self, name: str, reason: StopReason) -> None:
        message, remedy = STOPPED[reason]
        super().__init__(message.format(name=name), remedy)
        self.name, self.reason = name, reason


class SessionEnded(DocumentError):
    """The visitor's session ended before the file `name` was added."""

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” wasn't added: the session has ended.", "Open the page again.")


class RetrievalError(RagError):
    """The documents can't be searched: the vector store or a model doesn't work."""
