"""Reads and embeds the files of a build on this machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from rag.errors import DocumentError
from rag.library.built.sources import FoundFile
from rag.library.document_chunks import embed_document
from rag.library.incoming_files import AddedDocument, ParsedFile
from rag.library.library import Library
from rag.library.quota import UNLIMITED
from rag.library.storage.stored_files import StoredDocument
from rag.reading.processes.pool import ReaderPool
from rag.search.embedding.embedders import Embedder

# What became of a file: its document, or why it has none.
Outcome = StoredDocument | str
_Parsed = ParsedFile | AddedDocument | DocumentError


def embed_files(
    files: Sequence[FoundFile], embedder: Embedder, readers: ReaderPool, workers: int
) -> Iterator[tuple[FoundFile, Outcome]]:
    """Yield what became of each file, in order; other processes read the next ones meanwhile."""
    library = Library(embedder, quota=UNLIMITED, readers=readers)

    def read(file: FoundFile) -> _Parsed:
        try:
            return library.read(file.source.path, name=file.source.name, folder=file.source.folder)
        except DocumentError as error:
            return error

    waiting: deque[tuple[FoundFile, Future[_Parsed]]] = deque()
    pool = ThreadPoolExecutor(workers, "build-read")
    try:
        for position in range(len(files) + 2 * workers):
            if position < len(files):
                waiting.append((files[position], pool.submit(read, files[position])))
            if waiting and (len(waiting) > 2 * workers or position >= len(files)):
                file, future = waiting.popleft()
                yield file, embed(future.result(), embedder)
    finally:
        pool.shutdown(cancel_futures=True)


def embed(parsed: _Parsed, embedder: Embedder) -> Outcome:
    """Return the document that was read with its chunks and their vectors, or why it isn't in the library."""
    assert not isinstance(parsed, AddedDocument)  # noqa: S101  # the library that reads stays empty
    if isinstance(parsed, DocumentError):
        return parsed.message
    chunks, vectors = embed_document(parsed.document, embedder)
    return StoredDocument(parsed.document, chunks, vectors) if chunks else "It has no text."
