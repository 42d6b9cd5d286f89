"""The documents in the files of a built library: written one after the other, and read again."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rag.documents import Chunk, Document
from rag.library import disk
from rag.library.built.manifest import ARRAYS, DOCUMENTS, DataFile, LibraryRefused
from rag.library.stored_files import StoredDocument, document_fields, parse_document
from rag.search.bm25 import Postings
from rag.search.index import contextual_vectors, search_text
from rag.search.quantized import QuantizedVectors


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """A document as the index needs it: vectors that are mixed with their neighbours, and words that are collected."""

    document: Document
    chunks: list[Chunk]
    vectors: QuantizedVectors
    words: Postings
    error: float  # see `QuantizedVectors.error`

    @classmethod
    def of(cls, stored: StoredDocument) -> PackedDocument:
        """Prepare a document that was read and embedded."""
        mixed = contextual_vectors(stored.vectors)
        vectors = QuantizedVectors.of(mixed)
        words = Postings.of([search_text(chunk) for chunk in stored.chunks])
        return cls(stored.document, stored.chunks, vectors, words, round(vectors.error(mixed), 5))


class Packer:
    """Writes documents into new files of a folder; `finish` gives the files their names, `close` deletes them else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths = {kind: folder / f"{disk.UNFINISHED}{secrets.token_hex(8)}" for kind in (DOCUMENTS, *ARRAYS)}
        self._sums = {kind: hashlib.sha256() for kind in self._paths}
        self._stack = ExitStack()
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Packer:
        for kind, path in self._paths.items():
            self._files[kind] = self._stack.enter_context(path.open("xb"))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        for path in self._paths.values():
            disk.delete(path)

    def add(self, packed: PackedDocument) -> None:
        """Write one document."""
        words = packed.words
        line = document_fields(packed.document, packed.chunks) | {
            "error": packed.error,
            "language": words.language,
            "stems": words.counts,
        }
        self._write(DOCUMENTS, f"{json.dumps(line, ensure_ascii=False)}\n".encode("utf-8", "surrogatepass"))
        arrays = {"vectors": packed.vectors.rows, "scales": packed.vectors.scales}
        arrays |= {"rows": words.rows, "frequencies": words.frequencies, "lengths": words.lengths}
        for kind, array in arrays.items():
            self._write(kind, array.astype(ARRAYS[kind]).tobytes())

    def finish(self) -> dict[str, DataFile]:
        """Give the files the names of their content, and return them by their kinds."""
        sizes = {kind: file.tell() for kind, file in self._files.items()}
        for file in self._files.values():
            disk.flush(file)
        self._stack.close()
        files = {}
        for kind, path in self._paths.items():
            digest = self._sums[kind].hexdigest()
            suffix = "jsonl" if kind == DOCUMENTS else "bin"
            files[kind] = DataFile(f"{kind}-{digest[:16]}.{suffix}", sizes[kind], digest)
            path.replace(self._folder / files[kind].name)
        return files

    def _write(self, kind: str, data: bytes) -> None:
        self._files[kind].write(data)
        self._sums[kind].update(data)


def read_packed(data: Mapping[str, Any]) -> Iterator[PackedDocument]:
    """Yield the documents of what `read_data` returned; their arrays are parts of those of the library.

    Raises `LibraryRefused` if they don't fit together: somebody else can have written them.
    """
    chunk, posting = 0, 0
    with data[DOCUMENTS].open("rb") as lines:
        for line in lines:
            try:
                value = json.loads(line.decode("utf-8", "surrogatepass"))
                packed = _read_document(value, data, chunk, posting)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                reason = str(error).partition("\n")[0]
                raise LibraryRefused(f"{data[DOCUMENTS]} is damaged ({reason}).", "Build the library again.") from error
            chunk, posting = chunk + len(packed.chunks), posting + len(packed.words.rows)
            yield packed


def _read_document(value: Any, data: Mapping[str, Any], chunk: int, posting: int) -> PackedDocument:
    """Return a document whose chunks and words begin at these positions of the arrays."""
    import numpy as np

    document, chunks = parse_document(value)
    counts = list(value["stems"].values())
    if not {int}.issuperset(map(type, counts)) or min(counts, default=0) < 0:
        raise ValueError("its words don't have numbers")
    if not isinstance(value["error"], (int, float)) or not isinstance(value["language"], str):
        raise TypeError("its error or its language has another type")
    own = slice(chunk, chunk + len(chunks))
    postings = slice(posting, posting + sum(counts))
    rows, lengths = data["rows"][postings], data["lengths"][own]
    if not len(data["vectors"][own]) == len(data["scales"][own]) == len(lengths) == len(chunks):
        raise ValueError("its chunks don't have vectors")
    if len(rows) != sum(counts) or len(data["frequencies"][postings]) != len(rows):
        raise ValueError("its words aren't all there")
    if len(rows) and rows.max() >= len(chunks):
        raise ValueError("its words are in chunks that it doesn't have")
    # Documents have most of their words in common: one copy of each is a fifth of the memory of a page.
    numbers = dict(zip(map(sys.intern, value["stems"]), range(len(counts)), strict=True))
    ends = np.cumsum(counts, dtype=np.int64)
    words = Postings(value["language"], numbers, ends, rows, data["frequencies"][postings], lengths)
    vectors = QuantizedVectors(data["vectors"][own], data["scales"][own])
    return PackedDocument(document, chunks, vectors, words, value["error"])
