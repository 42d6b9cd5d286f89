"""Documents of recombined real chunks, with vectors that are nearly real: as many as a measurement needs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from rag.documents import Chunk, Document
from rag.library.document_chunks import CHUNK_OVERLAP, CHUNK_SIZE
from rag.reading.chunk import chunk_document
from rag.reading.parse import read_document
from rag.search.embedding.embedders import Embedder
from rag.search.index import search_text

EMBEDDED = 400  # real vectors that those of the library are mixed from
NOISE = 0.03  # of each of the 384 numbers; a vector has length 1


class GeneratedDocuments:
    """Documents of recombined real chunks, with nearly real vectors."""

    def __init__(self, directory: Path, embedder: Embedder) -> None:
        import numpy as np

        self._random = random.Random(0)
        self._noise = np.random.default_rng(0)
        files = sorted(directory.glob("*.md"))
        chunks = [
            search_text(chunk)
            for file in files
            for chunk in chunk_document(read_document(file), size=CHUNK_SIZE, overlap=CHUNK_OVERLAP)
        ]
        self._halves = [(text[: len(text) // 2], text[len(text) // 2 :]) for text in chunks]
        self._vectors = np.array(embedder.encode(self._random.sample(chunks, EMBEDDED)), np.float32)

    def document(self, name: str, count: int) -> tuple[Document, list[Chunk], Any]:
        """Return a document with `count` chunks, and their vectors."""
        import numpy as np

        halves = self._random.choices(self._halves, k=2 * count)
        texts = [first + second for (first, _), (_, second) in zip(halves[::2], halves[1::2], strict=True)]
        chunks, start = [], 0
        for text in texts:
            chunks.append(Chunk(name, name, start, start + len(text), text, None, ""))
            start += len(text) + 1
        pairs = self._noise.integers(0, EMBEDDED, (2, count))
        vectors = self._vectors[pairs].sum(axis=0) / 2 + NOISE * self._noise.standard_normal((count, 384))
        return Document(name, name, "\n".join(texts), (), "text/plain"), chunks, vectors.astype(np.float32)
