"""What can go wrong around a visitor's documents, in words for the person who reads them.

RagError
├── DocumentError     a file could not be read
│   └── Cancelled     its visitor has stopped the reading
└── RetrievalError    the documents could not be searched
"""

from __future__ import annotations

from backends import SpaceportError


class RagError(SpaceportError):
    """Something about the documents, not about a model."""


class DocumentError(RagError):
    """A file could not be read, or not be kept."""


class Cancelled(DocumentError):
    """The visitor has stopped the reading of a file; nothing of it is kept."""


class RetrievalError(RagError):
    """The vector store does not answer."""
