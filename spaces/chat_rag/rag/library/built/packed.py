"""The documents in the files of a built library: written one after the other, and read again."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from rag.documents import Chunk, Document
from rag.library.built.manifest import ARRAYS, DOCUMENTS, DataFile, LibraryRefused
from rag.library.storage import disk
from rag.library.storage.stored_files import StoredDocument, document_fields, parse_document
from rag.search.bm25 import Postings
from rag.search.index import contextual_vectors, search_text
from rag.search.quantized_vectors import QuantizedVectors
from rag.search.vocabulary import SharedStems, Vocabulary


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
        self._vocabulary = Vocabulary()
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
        import numpy as np

        words = packed.words
        stems = list(words.numbers)
        line = document_fields(packed.document, packed.chunks) | {
            "error": packed.error,
            "language": words.language,
            "stems": len(stems),
            "new_stems": self._vocabulary.add(stems),
        }
        self._write(DOCUMENTS, f"{json.dumps(line, ensure_ascii=False)}\n".encode("utf-8", "surrogatepass"))
        arrays = {"vectors": packed.vectors.rows, "scales": packed.vectors.scales}
        arrays |= {"rows": words.rows, "frequencies": words.frequencies, "lengths": words.lengths}
        arrays |= {"stems": [self._vocabulary.numbers[stem] for stem in stems], "counts": words.counts}
        for kind, array in arrays.items():
            self._write(kind, np.asarray(array, ARRAYS[kind]).tobytes())

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
    vocabulary, start = Vocabulary(), _Position(0, 0, 0)
    with data[DOCUMENTS].open("rb") as lines:
        for line in lines:
            try:
                value = json.loads(line.decode("utf-8", "surrogatepass"))
                packed = _read_document(value, data, vocabulary, start)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                reason = str(error).partition("\n")[0]
                raise LibraryRefused(f"{data[DOCUMENTS]} is damaged ({reason}).", "Build the library again.") from error
            words = packed.words
            start = _Position(
                start.chunk + len(packed.chunks), start.stem + len(words.numbers), start.posting + len(words.rows)
            )
            yield packed


class _Position(NamedTuple):
    """Where the chunks, stems and postings of a document begin in the arrays."""

    chunk: int
    stem: int
    posting: int


def _read_document(value: Any, data: Mapping[str, Any], vocabulary: Vocabulary, start: _Position) -> PackedDocument:
    document, chunks = parse_document(value)
    if not isinstance(value["error"], (int, float)) or not isinstance(value["language"], str):
        raise TypeError("its error or its language has another type")
    own = slice(start.chunk, start.chunk + len(chunks))
    vectors = QuantizedVectors(data["vectors"][own], data["scales"][own])
    lengths = data["lengths"][own]
    if not len(vectors.rows) == len(vectors) == len(lengths) == len(chunks):
        raise ValueError("its chunks don't have vectors")
    stems, ends = _read_stems(value, data, vocabulary, start.stem)
    total = int(ends[-1]) if len(ends) else 0
    postings = slice(start.posting, start.posting + total)
    rows, frequencies = data["rows"][postings], data["frequencies"][postings]
    if not len(rows) == len(frequencies) == total:
        raise ValueError("its words aren't all there")
    if len(rows) and rows.max() >= len(chunks):
        raise ValueError("its words are in chunks that it doesn't have")
    words = Postings(value["language"], stems, ends, rows, frequencies, lengths)
    return PackedDocument(document, chunks, vectors, words, value["error"])


def _read_stems(value: Any, data: Mapping[str, Any], vocabulary: Vocabulary, start: int) -> tuple[SharedStems, Any]:
    """Return the stems of a document, and where the postings of each one end."""
    import numpy as np

    count, new = value["stems"], value["new_stems"]
    if type(count) is not int or count < 0:
        raise ValueError("it doesn't say how many words it has")
    if not isinstance(new, list) or not {str}.issuperset(map(type, new)) or len(set(vocabulary.add(new))) != len(new):
        raise ValueError("its new words aren't a list of new words")
    own = slice(start, start + count)
    ids, counts = data["stems"][own], data["counts"][own]
    if not len(ids) == len(counts) == count or (count and ids.max() >= len(vocabulary.stems)):
        raise ValueError("its words aren't in the vocabulary")
    stems = SharedStems(vocabulary, ids.tolist())
    if len(stems) != count:
        raise ValueError("it has a word twice")
    return stems, np.cumsum(counts, dtype=np.int64)
