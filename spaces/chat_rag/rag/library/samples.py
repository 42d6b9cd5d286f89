"""The sample documents, which all visitors share."""

from __future__ import annotations

import threading
from pathlib import Path

from rag.documents import Document
from rag.library.library import Library
from rag.reading.parse import SUFFIXES
from rag.search.embedding.embedders import Embedder


class SampleLibrary(Library):
    """The documents of a folder; they are read when they are used for the first time."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        super().__init__(embedder)
        self._unread = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)
        self._read_lock = threading.Lock()

    @property
    def documents(self) -> list[Document]:
        """All documents of the folder; the first call reads them."""
        with self._read_lock:
            while self._unread:
                self.add(self._unread[0])
                self._unread.pop(0)
        return super().documents
