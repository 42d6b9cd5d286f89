"""Format of the files of a stored document: JSON, numpy vectors, the original, and checksums of all three."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.documents import Chunk, Document

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT = 1
DOCUMENT, VECTORS, ORIGINAL, SUMS = "document.json", "vectors.npy", "original", "sums.json"


class StoredDocument(NamedTuple):
    """A document with its chunks and one vector (float32) per chunk."""

    document: Document
    chunks: list[Chunk]
    vectors: Any


def folder_files(
    document: Document, chunks: Sequence[Chunk], vectors: Any, original: bytes, label: str
) -> dict[str, bytes]:
    """Return the files of a document by name; `label` identifies the model and the chunker."""
    files = {
        DOCUMENT: json.dumps({"label": label} | document_fields(document, chunks)).encode(),
        VECTORS: _vectors_npy(vectors),
        ORIGINAL: original,
    }
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return files | {SUMS: json.dumps({"format": FORMAT, "sha256": sums}).encode()}


def document_fields(document: Document, chunks: Sequence[Chunk]) -> dict[str, Any]:
    """Return the document for JSON; chunks have no text, which is a part of the document's."""
    names = [name for name in Chunk.__dataclass_fields__ if name != "text"]
    return {
        "document": {name: value for name, value in asdict(document).items() if name != "pages"},
        "pages": [(page.number, page.start, page.end) for page in document.pages],
        "chunks": [{name: getattr(chunk, name) for name in names} for chunk in chunks],
    }


def parse_document(value: dict[str, Any]) -> tuple[Document, list[Chunk]]:
    """Return the document and its chunks of what `document_fields` returned.

    Raises `ValueError`, `KeyError` or `TypeError` if it is something else: somebody else can have written it.
    """
    pages = [dict(zip(("number", "start", "end"), page, strict=True)) for page in value["pages"]]
    document = _document_type().validate_python(value["document"] | {"pages": pages})
    text = document.text
    chunks = [fields | {"text": text[fields["start"] : fields["end"]]} for fields in value["chunks"]]
    return document, _chunks_type().validate_python(chunks)


@cache
def _document_type() -> TypeAdapter[Document]:
    from pydantic import TypeAdapter

    return TypeAdapter(Document)


@cache
def _chunks_type() -> TypeAdapter[list[Chunk]]:
    from pydantic import TypeAdapter

    return TypeAdapter(list[Chunk])


def _vectors_npy(vectors: Any) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.asarray(vectors, dtype=np.float32), allow_pickle=False)
    return stream.getvalue()


def read_folder(place: Path, label: str) -> StoredDocument:
    """Return the document in a folder; raise `ValueError`, `KeyError` or `TypeError` if it is damaged or outdated."""
    import numpy as np

    sums = json.loads((place / SUMS).read_bytes())
    if sums["format"] != FORMAT:
        raise ValueError(f"its format is {sums['format']}")
    parts = {name: (place / name).read_bytes() for name in (DOCUMENT, VECTORS, ORIGINAL)}
    for name, data in parts.items():
        if hashlib.sha256(data).hexdigest() != sums["sha256"][name]:
            raise ValueError(f"the checksum of {name} is wrong")
    value = json.loads(parts[DOCUMENT])
    if value["label"] != label:
        raise ValueError(f"its label is {value['label']}")
    return StoredDocument(*parse_document(value), np.load(io.BytesIO(parts[VECTORS]), allow_pickle=False))
