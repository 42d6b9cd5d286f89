"""The manifest of a built library: what is in it, which model it is for, and its files with their checksums.

A file has the beginning of its checksum in its name, and the manifest is replaced at once when all are there: a folder
always holds one complete library, whatever happens to a build.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.library.document_chunks import vectors_label
from rag.library.storage import disk
from rag.search.embedding.embedders import Embedder
from rag.search.embedding.onnx_export import HUB_MODEL, packaged_model

FORMAT = 2  # raise it when the files change, or the readers so that documents should be read again
MANIFEST = "manifest.json"
ORIGINALS = "originals"
# The arrays of all documents, one after the other, with the types of their numbers.
ARRAYS = {
    "vectors": "<i1", "scales": "<f4", "lengths": "<f4", "stems": "<u4", "counts": "<u4", "rows": "<u4",
    "frequencies": "<f4",
}  # fmt: skip
DOCUMENTS = "documents"  # a line of JSON for each document
DATA_FILE = re.compile(rf"({'|'.join((DOCUMENTS, *ARRAYS))})-[0-9a-f]{{16}}\.(jsonl|bin)")
_DOCUMENT_ID = re.compile("([0-9a-f]{16})?")
_ASK_FOR_COPY = "Copy the folder again, or build it again: python -m rag build FOLDER --out {folder}"


class LibraryRefused(RagError):
    """A built library is damaged, or it is for another model or version."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a library with its checksum."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the folder that was built, by its path there, and the document that has its content.

    `problem` says why it isn't in the library; then it has no document.
    """

    path: str
    document: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known about a library without its documents.

    `label` is the model and the chunker of its vectors, `dimension` the length of a vector. `largest_error` is by how
    much the cosine of a question and a chunk can be off at most, because the vectors are in int8.
    """

    name: str
    label: str
    dimension: int
    documents: int
    chunks: int
    pages: int
    characters: int
    largest_error: float
    originals: bool
    sources: tuple[Source, ...]
    files: Mapping[str, DataFile]
    format: int = FORMAT

    @property
    def bytes(self) -> int:
        """The size of the files, without the originals."""
        return sum(file.bytes for file in self.files.values())

    @property
    def file_names(self) -> set[str]:
        """The files of the library, with this manifest and the originals, by their paths in its folder."""
        originals = {source.document for source in self.sources if source.document} if self.originals else ()
        data = (file.name for file in self.files.values())
        return {MANIFEST, *data, *(f"{ORIGINALS}/{document}" for document in originals)}

    @property
    def problems(self) -> list[Source]:
        """The files that aren't in the library."""
        return [source for source in self.sources if source.problem]

    def write(self, folder: Path) -> None:
        """Replace the manifest of a folder."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        replace_file(folder / MANIFEST, f"{text}\n".encode())


def replace_file(path: Path, data: bytes) -> None:
    """Write a new file or replace an old one at once; unlike a visitor's file, others may read it."""
    unfinished = path.with_name(f"{disk.UNFINISHED}{secrets.token_hex(8)}")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            disk.flush(file)
        unfinished.replace(path)
    finally:
        disk.delete(unfinished)


def library_label(embedder: Embedder) -> str:
    """Return the label of libraries for a model; it is the same on a machine that has the model in another folder."""
    name = embedder.full_name
    if name == packaged_model():
        name = HUB_MODEL
    elif Path(name).is_dir():
        name = Path(name).resolve().name
    return vectors_label(name)


def is_library(folder: Path) -> bool:
    """Return whether a folder is a built library."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path, label: str | None = None) -> Manifest:
    """Return the manifest of a library; raise `LibraryRefused` unless it has this format and, if given, this label."""
    try:
        value = json.loads((folder / MANIFEST).read_bytes())
        version = value["format"]
        if version == FORMAT:
            files = {kind: DataFile(**file) for kind, file in value["files"].items()}
            sources = tuple(Source(**source) for source in value["sources"])
            manifest = Manifest(**value | {"files": files, "sources": sources})
            _check_types(manifest)
            _check_files(manifest)
    except FileNotFoundError as error:
        raise LibraryRefused(
            f"{folder} isn't a library: it has no {MANIFEST}.", f"Build it: python -m rag build FOLDER --out {folder}"
        ) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = f"{folder / MANIFEST} is damaged ({type(error).__name__}: {error})."
        raise LibraryRefused(message, _ASK_FOR_COPY.format(folder=folder)) from error
    if version != FORMAT:
        raise LibraryRefused(f"{folder} has the format {version}; this version reads {FORMAT}.", _rebuild(folder))
    if label is not None and manifest.label != label:
        raise LibraryRefused(f"{folder} is for “{manifest.label}”, but the page uses “{label}”.", _rebuild(folder))
    return manifest


def read_data(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Map each array of a library from its file, and check all files; raise `LibraryRefused` with a damaged one's name.

    `documents` is the path of the file with the documents.
    """
    import numpy as np

    data: dict[str, Any] = {}
    for kind, file in manifest.files.items():
        path = folder / file.name
        _check_sum(path, file, folder)
        if kind in ARRAYS and file.bytes:  # an empty file can't be mapped
            data[kind] = np.asarray(np.memmap(path, ARRAYS[kind], mode="r"))
        else:
            data[kind] = np.empty(0, ARRAYS[kind]) if kind in ARRAYS else path
    try:
        data["vectors"] = data["vectors"].reshape(-1, max(manifest.dimension, 1))
    except ValueError as error:
        message = f"{folder / MANIFEST} is damaged: its vectors don't have {manifest.dimension} numbers."
        raise LibraryRefused(message, _ASK_FOR_COPY.format(folder=folder)) from error
    return data


def _check_types(manifest: Manifest) -> None:
    """Raise `ValueError` or `TypeError` if a value isn't of its type: somebody else can have written the file."""
    texts = [manifest.name, manifest.label]
    texts += [text for source in manifest.sources for text in (source.path, source.document, source.problem)]
    numbers = [manifest.dimension, manifest.documents, manifest.chunks, manifest.pages, manifest.characters]
    numbers += [file.bytes for file in manifest.files.values()]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a name isn't a text")
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a number isn't a whole number")
    if not isinstance(manifest.largest_error, (int, float)):
        raise TypeError("largest_error isn't a number")


def _check_files(manifest: Manifest) -> None:
    if manifest.files.keys() != {DOCUMENTS, *ARRAYS}:
        raise ValueError("its files aren't those of a library")
    for file in manifest.files.values():
        if not DATA_FILE.fullmatch(file.name):
            raise ValueError(f"{file.name} isn't the name of a file of a library")
    for source in manifest.sources:
        if not _DOCUMENT_ID.fullmatch(source.document):
            raise ValueError(f"{source.document} isn't the id of a document")


def _check_sum(path: Path, file: DataFile, folder: Path) -> None:
    remedy = _ASK_FOR_COPY.format(folder=folder)
    try:
        size = path.stat().st_size
        if size != file.bytes:
            raise LibraryRefused(f"{path} has {size:,} bytes of {file.bytes:,}.", remedy)
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != file.sha256:
                raise LibraryRefused(f"{path} is damaged: its checksum is wrong.", remedy)
    except OSError as error:
        raise LibraryRefused(f"{path} can't be read ({error.strerror or error}).", remedy) from error


def _rebuild(folder: Path) -> str:
    return f"Build it again with the page's SPACEPORT_EMBEDDINGS: python -m rag build FOLDER --out {folder}"
