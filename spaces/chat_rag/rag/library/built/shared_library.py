"""A built library that is searched and never changed."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.library.built.manifest import ORIGINALS, Manifest, library_label, read_data, read_manifest
from rag.library.built.packed import read_packed
from rag.library.library import Library
from rag.library.quota import Size, page_count
from rag.search.embedding.embedders import Embedder


class BuiltLibrary(Library):
    """The library in a folder that `python -m rag build` wrote; its vectors and words stay in their files.

    Raises `LibraryRefused` if a file is damaged, or if it was built for another model or version.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        super().__init__(embedder)
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder, library_label(embedder))
        with _collection_paused():
            for packed in read_packed(read_data(folder, self.manifest)):
                document = packed.document
                self._index.add_built(document.id, packed.chunks, packed.vectors, packed.words)
                self._documents[document.id] = document
                self._sizes[document.id] = Size(1, page_count(document))

    def original(self, document_id: str) -> bytes | None:
        """Return the file that was read, or None if the library has no originals, or another file in its place."""
        if not self.manifest.originals or document_id not in self._documents:
            return None
        try:
            data = (self.folder / ORIGINALS / document_id).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest().startswith(document_id) else None


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Pause the garbage collection: it visits all that was loaded again and again, a third of the time of loading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
