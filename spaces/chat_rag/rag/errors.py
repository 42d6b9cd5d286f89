"""Errors about a visitor's documents, each with a remedy for the person who reads it.

RagError
├── DocumentError       a file can't be read or stored
│   ├── Cancelled       the visitor stopped the upload
│   ├── FileError       one of the problems that files have; `FileProblem` has their texts
│   │   └── ReaderStopped   reading the file needs more than a file may use, or crashes the reader
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
    """What happened, and what to do; with {values}."""

    message: str
    remedy: str


_SAVE_AGAIN = "Open it in the program that created it, save it again, and upload that file."


class FileProblem(Enum):
    """The problems that visitors' files have most often. A page has its own texts for them in other languages."""

    EMPTY = Problem("“{name}” is empty.", "Check that it was saved, and upload it again.")
    UNSUPPORTED = Problem("Unsupported file type: “{name}”.", "Supported types: {types}.")
    TOO_LARGE = Problem(
        "“{name}” has {megabytes:,.0f} MB; the limit is {limit:,.0f} MB.", "Split it, or remove its images."
    )
    TOO_LONG = Problem(
        "“{name}” has {characters:,} characters; the limit is {limit:,}.", "Split it into smaller files."
    )
    TOO_MANY_PAGES = Problem("“{name}” has {pages:,} pages; the limit is {limit:,}.", "Split it into smaller files.")
    ENCRYPTED = Problem(
        "“{name}” is encrypted and needs a password.", "Save a copy without the password and upload that file."
    )
    DAMAGED = Problem("“{name}” seems damaged: its content can't be read ({reason}).", _SAVE_AGAIN)
    NO_PAGES = Problem("“{name}” seems damaged: its pages can't be found.", "Download or export it again.")
    NO_TEXT = Problem("“{name}” has no text.", "Upload a file with text; scanned pages need OCR first.")
    NOT_A_TEXT = Problem(
        "“{name}” isn't a text file: it has binary data, or characters in an unknown encoding.",
        "Save it as UTF-8 text, or fix its extension.",
    )
    PAGE_NOT_DRAWN = Problem("Page {page} cannot be drawn.", "Read its text instead.")
    MEMORY = Problem("“{name}” needs more memory than one file may use.", "Split it, or save it in a simpler form.")
    TIME = Problem("“{name}” takes longer to read than one file may.", "Split it, or save it in a simpler form.")
    OUTPUT = Problem("“{name}” has more text than one file may have.", "Split it into smaller files.")
    CRASH = Problem("“{name}” can't be read: its reader stopped working.", _SAVE_AGAIN)


class FileError(DocumentError):
    """A file has one of the frequent problems; `problem` and `values` say it as data."""

    def __init__(self, problem: FileProblem, **values: str | float) -> None:
        super().__init__(problem.value.message.format(**values), problem.value.remedy.format(**values))
        self.problem, self.values = problem, values


class ReaderStopped(FileError):
    """The process that read the file `name` was stopped, or it crashed; other files aren't affected."""

    def __init__(self, name: str, reason: StopReason) -> None:
        super().__init__(FileProblem[reason.name], name=name)
        self.name, self.reason = name, reason


class SessionEnded(DocumentError):
    """The visitor's session ended before the file `name` was added."""

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” wasn't added: the session has ended.", "Open the page again.")


class RetrievalError(RagError):
    """The documents can't be searched: the vector store or a model doesn't work."""
