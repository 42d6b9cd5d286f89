"""Errors about a visitor's documents, each with a remedy for the person who reads it.

RagError
├── DocumentError       a file can't be read or stored
│   ├── Cancelled       the visitor stopped the upload
│   └── SessionEnded    the visitor's session ended before the file was added
└── RetrievalError      the documents can't be searched
"""

from __future__ import annotations

from backends import SpaceportError


class RagError(SpaceportError):
    """An error about the documents, not about a model."""


class DocumentError(RagError):
    """A file can't be read or stored."""


class Cancelled(DocumentError):
    """The visitor stopped the upload of a file; nothing of it is stored."""


class SessionEnded(DocumentError):
    """The visitor's session ended before the file `name` was added."""

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” wasn't added: the session has ended.", "Open the page again.")


class RetrievalError(RagError):
    """The documents can't be searched: the vector store or a model doesn't work."""
