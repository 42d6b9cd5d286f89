"""Format of the files of a stored document: JSON, numpy vectors, the original, and checksums of all three."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from rag.documents import Chunk, Document, Page

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
        DOCUMENT: _document_json(document, chunks, label),
        VECTORS: _vectors_npy(vectors),
        ORIGINAL: original,
    }
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return files | {SUMS: json.dumps({"format": FORMAT, "sha256": sums}).encode()}


def _document_json(document: Document, chunks: Sequence[Chunk], label: str) -> bytes:
    """Return the document as JSON; chunks have no text, which is a part of the document's."""
    names = [name for name in Chunk.__dataclass_fields__ if name != "text"]
    value = {
        "label": label,
        "document": {name: value for name, value in asdict(document).items() if name != "pages"},
        "pages": [(page.number, page.start, page.end) for page in document.pages],
        "chunks": [{name: getattr(chunk, name) for name in names} for chunk in chunks],
    }
    return json.dumps(value).encode()


def _vectors_npy(vectors: Any) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.asarray(vectors, dtype=np.float32), allow_pickle=False)
    return stream.getvalue()


def read_folder(place: Path, label: str) -> StoredDocument:
    """Return the document in a folder; raise `ValueError`, `KeyError` or `TypeError` if it is damaged or outdated."""
    import numpy as np
    from pydantic import TypeAdapter

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
    pages = tuple(Page(*page) for page in value["pages"])
    document = TypeAdapter(Document).validate_python(value["document"] | {"pages": pages})
    chunks = [Chunk(**fields, text=document.text[fields["start"] : fields["end"]]) for fields in value["chunks"]]
    return StoredDocument(document, chunks, np.load(io.BytesIO(parts[VECTORS]), allow_pickle=False))
