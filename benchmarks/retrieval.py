"""How much of the answers the retrieved passages cover, by kind of search.

    python benchmarks/retrieval.py DIRECTORY [--size 700] [--overlap 100] [--limit-chars 6000]

DIRECTORY holds `questions_df.csv` and the corpora of brandonstarxel/chunking_evaluation (MIT): 472 questions with
the exact character spans of their answers. The measure is the share of those characters that the passages cover,
the passages cut off at 6,000 characters, as the mean over the questions.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from tables import table, write

from rag import library
from rag.embed import Embedder
from rag.index import Hit
from rag.library import Library
from rag.retrieve import DENSE_WEIGHT, fuse

Score = Callable[[Sequence[Hit]], list[float]]


def reciprocal_rank(hits: Sequence[Hit]) -> list[float]:
    """Reciprocal rank fusion with the usual constant of 60."""
    scores = [0.0] * len(hits)
    for values in ([hit.dense for hit in hits], [hit.lexical for hit in hits]):
        known = [index for index, value in enumerate(values) if value is not None]
        for rank, index in enumerate(sorted(known, key=lambda index: -(values[index] or 0)), start=1):
            scores[index] += 1 / (60 + rank)
    return scores


SEARCHES: dict[str, Score] = {
    "dense": lambda hits: fuse(hits, 1.0),
    "lexical": lambda hits: fuse(hits, 0.0),
    "reciprocal rank fusion": reciprocal_rank,
    f"weighted ({DENSE_WEIGHT:g} dense), as in the app": fuse,
}


def covered(hits: Sequence[Hit], scores: Sequence[float], references: list[dict], limit: int) -> float:
    """The share of the references' characters inside the best passages, which are cut at `limit` characters."""
    got: set[int] = set()
    for _, hit in sorted(zip(scores, hits, strict=True), key=lambda pair: -pair[0]):
        fresh = [at for at in range(hit.chunk.start, hit.chunk.end) if at not in got][: limit - len(got)]
        got.update(fresh)
        if len(got) >= limit:
            break
    wanted = {at for reference in references for at in range(reference["start_index"], reference["end_index"])}
    return len(wanted & got) / len(wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--size", type=int, default=library.CHUNK_SIZE)
    parser.add_argument("--overlap", type=int, default=library.CHUNK_OVERLAP)
    parser.add_argument("--limit-chars", type=int, default=6000)
    options = parser.parse_args()
    library.CHUNK_SIZE, library.CHUNK_OVERLAP = options.size, options.overlap
    embedder = Embedder()
    corpora = Library(embedder)
    names = {}
    for path in sorted(options.directory.glob("*.md")):
        names[path.stem] = corpora.add(path).document.id
    with (options.directory / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        questions = list(csv.DictReader(file))
    vectors = embedder.encode([question["question"] for question in questions])
    totals = dict.fromkeys(SEARCHES, 0.0)
    for question, vector in zip(questions, vectors, strict=True):
        hits = corpora.search(question["question"], vector)
        own = names[question["corpus_id"]]
        # Passages of another corpus take room without covering anything: they are moved out of reach.
        hits = [hit if hit.chunk.document_id == own else elsewhere(hit) for hit in hits]
        for name, score in SEARCHES.items():
            references = json.loads(question["references"])
            totals[name] += covered(hits, score(hits), references, options.limit_chars)
    shares = {name: total / len(questions) for name, total in totals.items()}
    print(table(["search", "covered"], [[name, f"{share:.3f}"] for name, share in shares.items()]))
    settings = {"size": options.size, "overlap": options.overlap, "limit_chars": options.limit_chars}
    write("retrieval", {**settings, "questions": len(questions), "covered": shares})


def elsewhere(hit: Hit) -> Hit:
    from dataclasses import replace

    far = 10_000_000 + int(hit.chunk.document_id[:6], 16) * 10_000_000
    return replace(hit, chunk=replace(hit.chunk, start=hit.chunk.start + far, end=hit.chunk.end + far))


if __name__ == "__main__":
    main()
