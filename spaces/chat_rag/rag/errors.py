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
_SAVE_PAGE = "Open it in a browser, save it, and upload that file."
_SPLIT = "Split it into smaller files."
_RECOGNIZE = "Run it through text recognition (for example: ocrmypdf in.pdf out.pdf) and upload the result."


class FileProblem(Enum):
    """The problems that visitors' files and web pages have most often. A page has texts for them in other languages."""

    EMPTY = Problem("“{name}” is empty.", "Check that it was saved, and upload it again.")
    UNSUPPORTED = Problem("Unsupported file type: “{name}”.", "Supported types: {types}.")
    UNREAD_FORMAT = Problem("“{name}” has a format that can't be read.", "Save it as {other}, and upload that file.")
    TOO_LARGE = Problem(
        "“{name}” has {megabytes:,.0f} MB; the limit is {limit:,.0f} MB.", "Split it, or remove its images."
    )
    TOO_LONG = Problem("“{name}” has {characters:,} characters; the limit is {limit:,}.", _SPLIT)
    TOO_MANY_PAGES = Problem("“{name}” has {pages:,} pages; the limit is {limit:,}.", _SPLIT)
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
    OUTPUT = Problem("“{name}” has more text than one file may have.", _SPLIT)
    CRASH = Problem("“{name}” can't be read: its reader stopped working.", _SAVE_AGAIN)
    OTHER_TYPE = Problem(
        "“{name}” is named {suffix}, but its content is {kind}.", "Rename it to {other} if that's what it is."
    )
    UNREAD_TYPE = Problem("“{name}” is named {suffix}, but its content is {kind}.", "Save it in another format.")
    OLD_OR_ENCRYPTED = Problem(
        "“{name}” is named {suffix}, but it is an encrypted Office file or one in an old format.",
        "Save it in another format.",
    )
    INVALID = Problem("“{name}” isn't a valid {kind} file.", "Export it again, or fix its name.")
    OLD_WORKBOOK = Problem(
        "“{name}” can't be read: it is encrypted, or not an Excel workbook.",
        "Save it as .xlsx without a password, and upload that file.",
    )
    PARTS_DAMAGED = Problem("“{name}” seems damaged: its parts can't be unpacked.", _SAVE_AGAIN)
    PROTECTED = Problem("“{name}” is protected against copies.", "Upload a copy without protection.")
    INVALID_ARCHIVE = Problem("“{name}” isn't a valid ZIP archive ({reason}).", "Pack it again, and upload that file.")
    EMPTY_ARCHIVE = Problem("“{name}” contains no files.", "Pack the documents again.")
    MORE_CHARACTERS = Problem("“{name}” has more than {limit:,} characters, the limit for one file.", _SPLIT)
    MORE_SCANS = Problem("“{name}” has more than {limit:,} scanned pages, the limit for text recognition.", _RECOGNIZE)
    MORE_PICTURES = Problem("“{name}” has more than {limit:,} pages, the limit for text recognition.", _SPLIT)
    SLOW_RECOGNITION = Problem(
        "“{name}” is scanned, and the text recognition of page {page} took longer than {seconds:g} s.", _RECOGNIZE
    )
    FAILED_RECOGNITION = Problem("“{name}” is scanned, and the text of page {page} can't be recognized.", _RECOGNIZE)
    NEEDS_RECOGNITION = Problem(
        "“{name}” has no text: its pages are probably images, so it needs OCR.", f"{_RECOGNIZE} Or {{install}}"
    )
    NOTHING_RECOGNIZED = Problem(
        "“{name}” has no text, and text recognition found none on its pages.",
        "Check its pages. For languages that its engine doesn't know, see SPACEPORT_OCR in the documentation.",
    )
    UNREAD_PICTURE = Problem("“{name}” is a picture, and there is no text recognition here.", "{install}")
    EMPTY_PICTURE = Problem(
        "“{name}” is a picture in which no text was recognized.",
        "Take a sharper one, or upload the document that it shows.",
    )
    INVALID_PICTURE = Problem("“{name}” isn't a picture that can be read.", "Open it, and save it as PNG or JPEG.")
    LARGE_PICTURE = Problem("“{name}” has more than {limit:,} megapixels, the limit for a picture.", "Make it smaller.")
    NO_WEB_PAGES = Problem(
        "Web pages aren't read here.", "Save the page and upload it, or set {setting}=1 where this program runs."
    )
    INVALID_ADDRESS = Problem("“{address}” isn't the address of a web page.", "Use one such as https://example.com/a.")
    NOT_PUBLIC = Problem("“{address}” isn't the address of a public server.", "Check it in a browser.")
    UNREACHABLE = Problem("“{address}” can't be reached ({reason}).", "Try again later.")
    SLOW_SERVER = Problem("“{address}” took too long.", f"Try again later. {_SAVE_PAGE}")
    HTTP_STATUS = Problem("“{address}” answered with status {status}.", "Check the address in a browser.")
    FORBIDDEN_PAGE = Problem("The robots.txt of {host} forbids programs to read “{address}”.", _SAVE_PAGE)
    LARGE_PAGE = Problem("“{address}” has more than {limit:,.0f} MB, the limit.", _SAVE_PAGE)
    PAGE_TYPE = Problem("“{address}” is of the type {kind}, which isn't supported.", "Upload it as a PDF.")


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
