"""How long a question takes in a large library, part by part.

    python benchmarks/latency.py DIRECTORY [--chunks 20000,100000] [--questions 200]

DIRECTORY holds the corpora and questions that benchmarks/retrieval.py reads. The library is made of them: a chunk is
the first half of one real chunk and the second half of another, so that words are as frequent as in real text, and
its vector lies near the middle of two real ones. Both indexes are the real ones, over 50 documents. Of each time
there is also what the processors worked for it, which another busy program on the machine does not change.
"""

from __future__ import annotations

import argparse
import csv
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from harness.tables import table, write

from rag.answering.retrieve import retrieve_characters
from rag.documents import Chunk, Document
from rag.library.library import CHUNK_OVERLAP, CHUNK_SIZE
from rag.reading.chunk import chunk_document
from rag.reading.parse import read_document
from rag.search.embedders import Embedder
from rag.search.fuse import fuse
from rag.search.index import Hit, Index, mix_neighbours, search_text

DOCUMENTS = 50
EMBEDDED = 400  # real vectors that those of the library are mixed from
NOISE = 0.03  # of each of the 384 numbers; a vector has length 1
Times = dict[str, list[tuple[float, float]]]


class Recombined:
    """Documents of chunks that are put together from real ones, and near-real vectors for them."""

    def __init__(self, directory: Path, embedder: Embedder) -> None:
        import numpy as np

        self._chance = random.Random(0)
        self._noise = np.random.default_rng(0)
        files = sorted(directory.glob("*.md"))
        chunks = [
            search_text(chunk)
            for file in files
            for chunk in chunk_document(read_document(file), size=CHUNK_SIZE, overlap=CHUNK_OVERLAP)
        ]
        self._halves = [(text[: len(text) // 2], text[len(text) // 2 :]) for text in chunks]
        self._vectors = np.array(embedder.encode(self._chance.sample(chunks, EMBEDDED)), np.float32)

    def document(self, name: str, chunks: int) -> tuple[Document, list[Chunk], Any]:
        halves = self._chance.choices(self._halves, k=2 * chunks)
        texts = [first + second for (first, _), (_, second) in zip(halves[::2], halves[1::2], strict=True)]
        made, start = [], 0
        for text in texts:
            made.append(Chunk(name, name, start, start + len(text), text, None, ""))
            start += len(text) + 1
        picked = self._noise.integers(0, EMBEDDED, (2, chunks))
        vectors = self._vectors[picked].sum(axis=0) / 2 + NOISE * self._noise.standard_normal((chunks, 384))
        return Document(name, name, "\n".join(texts), (), "text/plain"), made, vectors.tolist()


class Shelf:
    """What `rag.answering.retrieve` sees of a library."""

    def __init__(self) -> None:
        self.index = Index()
        self._documents: dict[str, Document] = {}

    @property
    def documents(self) -> list[Document]:
        return list(self._documents.values())

    def document(self, document_id: str) -> Document | None:
        return self._documents.get(document_id)

    def search(self, question: str, vector: list[float]) -> list[Hit]:
        return self.index.search(question, vector)

    def fill(self, source: Recombined, chunks: int) -> Times:
        """Add the documents; what the index took for each."""
        times: Times = {}
        for number in range(DOCUMENTS):
            document, made, vectors = source.document(f"{number:016x}", chunks // DOCUMENTS)
            with timed(times, "added"):
                self.index.add(document.id, made, vectors)
            self._documents[document.id] = document
        return times


@contextmanager
def timed(times: Times, what: str) -> Iterator[None]:
    """Milliseconds by the clock, and of the processors."""
    wall, worked = time.perf_counter(), time.process_time()
    yield
    times.setdefault(what, []).append(((time.perf_counter() - wall) * 1000, (time.process_time() - worked) * 1000))


def ask(shelf: Shelf, embedder: Embedder, questions: list[str]) -> Times:
    """The times of each part, and of a whole search, question after question."""
    times: Times = {}
    vectors, words = shelf.index._vectors, shelf.index._lexical
    assert vectors is not None  # it is filled
    for question in questions:
        with timed(times, "embedding the question"):
            vector = embedder.encode([question])[0]
        with timed(times, "dense"):
            vectors.search(vector, 100)
        with timed(times, "lexical"):
            for scores in words.scores(question).values():
                mix_neighbours(scores)
        hits = shelf.search(question, vector)
        with timed(times, "fusion"):
            fuse(hits)
        with timed(times, "all"):
            retrieve_characters([shelf], question, embedder, limit_chars=6000)  # type: ignore[list-item]
    return times


def figures(values: list[tuple[float, float]]) -> dict[str, float]:
    """The median and the 95th percentile by the clock, and of the processors' work."""
    wall, worked = (quantiles(column, n=20) for column in zip(*values, strict=True))
    return {"p50_ms": wall[9], "p95_ms": wall[18], "worked_p50_ms": worked[9], "worked_p95_ms": worked[18]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--chunks", default="20000,100000", help="the sizes of the library")
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    embedder = Embedder()
    with (options.directory / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        questions = [row["question"] for row in csv.DictReader(file)]
    questions = random.Random(0).sample(questions, options.questions)
    source = Recombined(options.directory, embedder)
    rows, measured = [], []
    for chunks in (int(number) for number in options.chunks.split(",")):
        one = _measured(source, chunks, embedder, questions)
        measured.append(one)
        rows += [
            [f"{chunks:,}", what, *(f"{value:.1f}" for value in parts.values())] for what, parts in one["parts"].items()
        ]
        print(
            f"{chunks:,} chunks added in {one['added_seconds']:.0f} s ({one['added_worked_seconds']:.0f} s of work), "
            f"one of {DOCUMENTS} documents removed in {one['removed_seconds']:.2f} s"
        )
    print(table(["chunks", "part", "p50 ms", "p95 ms", "worked p50 ms", "worked p95 ms"], rows))
    write("latency", {"documents": DOCUMENTS, "questions": len(questions), "sizes": measured})


def _measured(source: Recombined, chunks: int, embedder: Embedder, questions: list[str]) -> dict[str, Any]:
    shelf = Shelf()
    wall, worked = (sum(column) / 1000 for column in zip(*shelf.fill(source, chunks)["added"], strict=True))
    ask(shelf, embedder, questions[:5])  # the first search of all loads what later ones find loaded
    times = ask(shelf, embedder, questions)
    removed = _seconds(lambda: shelf.index.remove(shelf.documents[0].id))
    shelf.index.close()
    parts = {what: figures(values) for what, values in times.items()}
    return {
        "chunks": chunks,
        "added_seconds": wall,
        "added_worked_seconds": worked,
        "removed_seconds": removed,
        "parts": parts,
    }


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
