"""What can go wrong around a visitor's documents, in words for the person who reads them.

RagError
├── DocumentError     a file could not be read
└── RetrievalError    the documents could not be searched
"""

from __future__ import annotations


class RagError(Exception):
    """What happened (`message`) and what to do about it (`remedy`)."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class DocumentError(RagError):
    """A file could not be read, or not be kept."""


class RetrievalError(RagError):
    """The vector store does not answer."""
