"""Time of each part of a search in a large library.

    python benchmarks/search/search_latency.py DIRECTORY [--chunks 20000,100000] [--questions 200]

DIRECTORY has the corpora and questions of retrieval.py beside this. The library is generated from them: a chunk is the
first half of one real chunk and the second half of another, so that words are as frequent as in real text, and its
vector is near the middle of two real ones. Both indexes are the real ones, over 50 documents. Beside each time is the
CPU time, which other programs on the machine don't change.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.documents.generated_documents import GeneratedDocuments
from harness.tables import table, write

from rag.answering.retrieve import retrieve_characters
from rag.documents import Document
from rag.search.embedding.embedders import Embedder
from rag.search.fuse import fuse
from rag.search.index import Hit, Index, mix_neighbours

DOCUMENTS = 50
Times = dict[str, list[tuple[float, float]]]


class GeneratedLibrary:
    """The part of a library that `rag.answering.retrieve` uses."""

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

    def fill(self, source: GeneratedDocuments, count: int) -> Times:
        """Add documents with `count` chunks in all; return the times of the index."""
        times: Times = {}
        for number in range(DOCUMENTS):
            document, chunks, vectors = source.document(f"{number:016x}", count // DOCUMENTS)
            with timed(times, "add"):
                self.index.add(document.id, chunks, vectors)
            self._documents[document.id] = document
        return times


@contextmanager
def timed(times: Times, part: str) -> Iterator[None]:
    """Record the milliseconds of a block on the clock and of CPU time."""
    clock, cpu = time.perf_counter(), time.process_time()
    yield
    times.setdefault(part, []).append(((time.perf_counter() - clock) * 1000, (time.process_time() - cpu) * 1000))


def search_times(library: GeneratedLibrary, embedder: Embedder, questions: list[str]) -> Times:
    """Return the times of each part and of a whole search, for every question."""
    times: Times = {}
    vectors, words = library.index._vectors, library.index._lexical
    assert vectors is not None  # the library has documents
    for question in questions:
        with timed(times, "embedding the question"):
            vector = embedder.encode([question])[0]
        with timed(times, "dense"):
            vectors.search(vector, 100)
        with timed(times, "lexical"):
            for scores in words.scores(question).values():
                mix_neighbours(scores)
        hits = library.search(question, vector)
        with timed(times, "fusion"):
            fuse(hits)
        with timed(times, "all"):
            retrieve_characters([library], question, embedder, limit_chars=6000)  # type: ignore[list-item]
    return times


def percentiles(values: list[tuple[float, float]]) -> dict[str, float]:
    """Return the median and the 95th percentile, on the clock and of CPU time."""
    clock, cpu = (quantiles(column, n=20) for column in zip(*values, strict=True))
    return {"p50_ms": clock[9], "p95_ms": clock[18], "worked_p50_ms": cpu[9], "worked_p95_ms": cpu[18]}


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
    source = GeneratedDocuments(options.directory, embedder)
    rows, sizes = [], []
    for count in (int(number) for number in options.chunks.split(",")):
        figures = _measure(source, count, embedder, questions)
        sizes.append(figures)
        rows += [
            [f"{count:,}", part, *(f"{value:.1f}" for value in parts.values())]
            for part, parts in figures["parts"].items()
        ]
        print(
            f"{count:,} chunks added in {figures['added_seconds']:.0f} s "
            f"({figures['added_worked_seconds']:.0f} s of CPU), "
            f"one of {DOCUMENTS} documents removed in {figures['removed_seconds']:.2f} s"
        )
    print(table(["chunks", "part", "p50 (ms)", "p95 (ms)", "CPU p50 (ms)", "CPU p95 (ms)"], rows))
    write("search_latency", {"documents": DOCUMENTS, "questions": len(questions), "sizes": sizes})


def _measure(source: GeneratedDocuments, count: int, embedder: Embedder, questions: list[str]) -> dict[str, Any]:
    library = GeneratedLibrary()
    clock, cpu = (sum(column) / 1000 for column in zip(*library.fill(source, count)["add"], strict=True))
    search_times(library, embedder, questions[:5])  # the first search loads what the next ones use
    times = search_times(library, embedder, questions)
    removed = _seconds(lambda: library.index.remove(library.documents[0].id))
    library.index.close()
    return {
        "chunks": count,
        "added_seconds": clock,
        "added_worked_seconds": cpu,
        "removed_seconds": removed,
        "parts": {part: percentiles(values) for part, values in times.items()},
    }


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
