"""The documents of a large collection, one after the other, and the chunks that are nearest to each question."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.documents.generated_documents import GeneratedDocuments
from rag.documents import Chunk, Document
from rag.search.embedding.embedders import Embedder
from rag.search.index import contextual_vectors

PER_DOCUMENT = 400
NEAREST = 10
Generated = tuple[Document, list[Chunk], Any]


@dataclass(frozen=True)
class Task:
    """One measurement: the corpora, a folder to write to, the number of chunks, and the questions' texts."""

    directory: Path
    folder: Path
    chunks: int
    questions: list[str]
    chroma_url: str = ""
    chroma_process: int = 0


class Nearest:
    """The chunks that are nearest to each question, of all those that pass by."""

    def __init__(self, questions: Any) -> None:
        import numpy as np

        self._questions = questions
        self._scores = np.empty((len(questions), 0), np.float32)
        self._rows = np.empty((len(questions), 0), np.int64)
        self._count = 0

    def add(self, vectors: Any) -> None:
        """Compare the vectors of the next document."""
        import numpy as np

        rows = np.arange(self._count, self._count + len(vectors))
        self._count += len(vectors)
        scores = np.hstack([self._scores, self._questions @ vectors.T])
        all_rows = np.hstack([self._rows, np.broadcast_to(rows, (len(self._questions), len(rows)))])
        best = np.argpartition(-scores, NEAREST, axis=1)[:, :NEAREST]
        self._scores = np.take_along_axis(scores, best, axis=1)
        self._rows = np.take_along_axis(all_rows, best, axis=1)

    @property
    def keys(self) -> list[list[str]]:
        """The keys of the chunks in the index."""
        return [[f"{_name(row // PER_DOCUMENT)}/{row % PER_DOCUMENT}" for row in rows] for rows in self._rows.tolist()]


def _name(number: int) -> str:
    return f"{number:016x}"


class Source:
    """The documents of a task, the time that making them takes, and what is nearest to the questions."""

    def __init__(self, task: Task, embedder: Embedder) -> None:
        import numpy as np

        self.vectors = np.array(embedder.encode(task.questions), np.float32)
        self.nearest = Nearest(self.vectors)
        self.seconds = 0.0
        self._chunks = task.chunks
        self._documents = GeneratedDocuments(task.directory, embedder)

    def __iter__(self) -> Iterator[Generated]:
        for number in range(-(-self._chunks // PER_DOCUMENT)):
            started = time.perf_counter()
            count = min(PER_DOCUMENT, self._chunks - number * PER_DOCUMENT)
            document, chunks, vectors = self._documents.document(_name(number), count)
            self.nearest.add(contextual_vectors(vectors))
            self.seconds += time.perf_counter() - started
            yield document, chunks, vectors
