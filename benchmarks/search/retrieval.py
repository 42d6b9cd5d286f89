"""Share of the answers that the retrieved passages cover, and what each part of the search contributes.

    python benchmarks/search/retrieval.py DIRECTORY [--size N] [--overlap N] [--limit-chars 6000] [--vectors FILE]

DIRECTORY has `questions_df.csv` and the corpora of brandonstarxel/chunking_evaluation (MIT): 472 questions with
the exact character spans of their answers. The measure is the share of those characters that the passages of
`retrieve_characters` cover (the output of `python -m rag search`), as the mean over the questions. All corpora are
searched together, and each one alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.cached_embedder import CachedEmbedder
from harness.tables import table, write

from rag.answering import retrieve
from rag.library import document_chunks
from rag.library.library import Library
from rag.search import fuse, index
from rag.search.embedding.embedders import Embedder
from rag.search.index import Hit

Score = Callable[[Sequence[Hit], float], list[float]]  # with the weight that the app would take
APP = "as in the app"


def reciprocal_rank(hits: Sequence[Hit], _: float) -> list[float]:
    """Reciprocal rank fusion with the usual constant of 60."""
    scores = [0.0] * len(hits)
    for values in ([hit.dense for hit in hits], [hit.lexical for hit in hits]):
        present = [position for position, value in enumerate(values) if value is not None]
        for rank, position in enumerate(sorted(present, key=lambda position: -(values[position] or 0)), start=1):
            scores[position] += 1 / (60 + rank)
    return scores


def scaled_over_hits(hits: Sequence[Hit], _: float) -> list[float]:
    """The sum of both scores, each from 0 for the worst hit to 1 for the best; a missing one is 0."""

    def scaled(values: list[float | None]) -> list[float]:
        present = [value for value in values if value is not None] or [0.0]
        low, width = min(present), (max(present) - min(present)) or 1.0
        return [0.0 if value is None else (value - low) / width for value in values]

    pairs = zip(scaled([hit.dense for hit in hits]), scaled([hit.lexical for hit in hits]), strict=True)
    return [0.5 * dense + 0.5 * lexical for dense, lexical in pairs]


def weighted(weight: float) -> Score:
    return lambda hits, _: fuse.fuse(hits, weight)


# The variants by name: how hits are fused, and the neighbours' weight.
VARIANTS: dict[str, tuple[Score, float]] = {
    APP: (fuse.fuse, index.NEIGHBOUR_WEIGHT),
    "dense alone": (weighted(1.0), index.NEIGHBOUR_WEIGHT),
    "lexical alone": (weighted(0.0), index.NEIGHBOUR_WEIGHT),
    "reciprocal rank fusion": (reciprocal_rank, index.NEIGHBOUR_WEIGHT),
    "scores scaled over the hits": (scaled_over_hits, index.NEIGHBOUR_WEIGHT),
    "without neighbours": (fuse.fuse, 0.0),
    "without neighbours, dense alone": (weighted(1.0), 0.0),
    "without neighbours, lexical alone": (weighted(0.0), 0.0),
    "without neighbours, reciprocal rank fusion": (reciprocal_rank, 0.0),
    "dense weight 0.4": (weighted(0.4), index.NEIGHBOUR_WEIGHT),
    "dense weight 0.6": (weighted(0.6), index.NEIGHBOUR_WEIGHT),
    "neighbours 0.25": (fuse.fuse, 0.25),
    "neighbours 0.5": (fuse.fuse, 0.5),
}


@contextmanager
def replaced(module: Any, **values: Any) -> Iterator[None]:
    """Replace attributes of a module temporarily."""
    previous = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in previous.items():
            setattr(module, name, value)


def coverage(questions: list[dict[str, Any]], files: list[Path], embedder: Embedder, limit: int) -> list[float]:
    """Return the share of each question's answer that the passages from the files cover."""
    corpora = Library(embedder)
    try:
        texts = {document.name: document.text for document in (corpora.add(file).document for file in files)}
        return [_covered_share(question, corpora, texts, embedder, limit) for question in questions]
    finally:
        corpora.close()


def _covered_share(
    question: dict[str, Any], corpora: Library, texts: dict[str, str], embedder: Embedder, limit: int
) -> float:
    passages = retrieve.retrieve_characters([corpora], question["question"], embedder, limit_chars=limit)
    retrieved: set[tuple[str, int]] = set()
    for passage in passages:
        if passage.text != texts[passage.document][passage.start : passage.end]:
            raise SystemExit(f"{passage} isn't the text of its document")
        retrieved.update((passage.document, position) for position in range(passage.start, passage.end))
    if not len(retrieved) == sum(len(passage.text) for passage in passages) <= limit:
        raise SystemExit(f"more than {limit} characters, or some of them twice, for {question['question']!r}")
    answer = {
        (f"{question['corpus_id']}.md", position)
        for reference in json.loads(question["references"])
        for position in range(reference["start_index"], reference["end_index"])
    }
    return len(answer & retrieved) / len(answer)


def main() -> None:
    options = _options()
    document_chunks.CHUNK_SIZE, document_chunks.CHUNK_OVERLAP = options.size, options.overlap
    embedder = CachedEmbedder(options.vectors)
    files = sorted(options.directory.glob("*.md"))
    with (options.directory / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        questions = list(csv.DictReader(file))
    shares = {}
    for name, (score, neighbour_weight) in VARIANTS.items():
        with replaced(retrieve, fuse=score), replaced(index, NEIGHBOUR_WEIGHT=neighbour_weight):
            shares[name] = coverage(questions, files, embedder, options.limit_chars)
    corpora = [_corpus(file, files, questions, shares[APP], embedder, options.limit_chars) for file in files]
    embedder.save()
    _print(shares, corpora)
    settings = {"size": options.size, "overlap": options.overlap, "limit_chars": options.limit_chars}
    means = {name: fmean(values) for name, values in shares.items()}
    write("retrieval", {**settings, "questions": len(questions), "covered": means, "corpora": corpora})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--size", type=int, default=document_chunks.CHUNK_SIZE)
    parser.add_argument("--overlap", type=int, default=document_chunks.CHUNK_OVERLAP)
    parser.add_argument("--limit-chars", type=int, default=6000)
    parser.add_argument("--vectors", type=Path, help="an .npz file that caches the vectors for the next run")
    return parser.parse_args()


def _corpus(
    file: Path, files: list[Path], questions: list[dict], together: list[float], embedder: Embedder, limit: int
) -> dict[str, Any]:
    numbers = [number for number, question in enumerate(questions) if question["corpus_id"] == file.stem]
    alone = coverage([questions[number] for number in numbers], [file], embedder, limit)
    return {
        "corpus": file.stem,
        "questions": len(numbers),
        "together": fmean(together[number] for number in numbers),
        "alone": fmean(alone),
    }


def _print(shares: dict[str, list[float]], corpora: list[dict[str, Any]]) -> None:
    rows = []
    for name, values in shares.items():
        differences = [value - app for value, app in zip(values, shares[APP], strict=True)]
        error = stdev(differences) / len(differences) ** 0.5
        difference = "" if name == APP else f"{fmean(differences):+.3f} ± {error:.3f}"
        rows.append([name, f"{fmean(values):.3f}", difference])
    print(table(["search", "covered", "minus the app's (standard error)"], rows))
    print()
    rows = [
        [corpus["corpus"], str(corpus["questions"]), f"{corpus['together']:.3f}", f"{corpus['alone']:.3f}"]
        for corpus in corpora
    ]
    total = sum(corpus["questions"] for corpus in corpora)
    means = [sum(corpus[key] * corpus["questions"] for corpus in corpora) / total for key in ("together", "alone")]
    rows.append(["all", str(total), *(f"{mean:.3f}" for mean in means)])
    print(table(["corpus", "questions", "all corpora searched", "only this one"], rows))


if __name__ == "__main__":
    main()
