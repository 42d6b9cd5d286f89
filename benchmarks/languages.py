"""Share of questions whose paragraph the search puts first, or among the first three, in several languages.

    python benchmarks/languages.py FOLDER [--vectors FILE] [--every 1]

FOLDER has XQuAD (Artetxe et al., 2020; CC BY-SA 4.0) as `xquad.LANGUAGE.json`: the same 240 paragraphs and 1,190
questions in each language. Each paragraph is a document of one library. Questions are searched in the paragraphs of
their own language, and then in the English ones. Then each question is asked of half of the articles, once of those
with the answer (a refusal is wrong) and once of the others (a refusal is right). The embedding model is the one that
SPACEPORT_EMBEDDINGS names.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cached_embedder import CachedEmbedder
from harness.tables import table, write

from rag.answering.abstention.abstain import CHECKED_PASSAGES, missing_evidence
from rag.answering.retrieve import retrieve_passages
from rag.documents import Document
from rag.library.library import Library, ParsedFile
from rag.library.quota import UNLIMITED, Size
from rag.search.embedders import Embedder
from rag.search.fuse import DENSE_WEIGHT, MULTILINGUAL_WEIGHT, fuse
from rag.search.index import Hit

ENGLISH = "en"
ARMS = ("dense", "lexical", "fused")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the id of the paragraph that answers it."""

    text: str
    paragraph: str


def read_language(path: Path) -> tuple[dict[str, str], list[Question]]:
    """Return the paragraphs of a file by id, and its questions."""
    paragraphs, questions = {}, []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for each in article["paragraphs"]:
            name = f"p{len(paragraphs)}"
            paragraphs[name] = each["context"]
            questions += [Question(question["question"], name) for question in each["qas"]]
    return paragraphs, questions


def build_library(paragraphs: dict[str, str], embedder: Embedder) -> Library:
    """Return a library with one document a paragraph."""
    library = Library(embedder, quota=UNLIMITED)
    for name, text in paragraphs.items():
        document = Document(name, f"{name}.txt", text, (), "text/plain")
        library.store(ParsedFile(document, Size(1, 1, len(text)), b""))
    return library


def measure(library: Library, questions: Sequence[Question], embedder: Embedder) -> dict[str, dict[str, float]]:
    """Return for each way to search the share of questions whose paragraph is first, and among the first three."""
    arms = {"dense": 1.0, "lexical": 0.0, "fused": MULTILINGUAL_WEIGHT if embedder.multilingual else DENSE_WEIGHT}
    ranks: dict[str, list[int]] = {name: [] for name in ARMS}
    for question in questions:
        hits = library.search(question.text, embedder.encode_question(question.text))
        for name, weight in arms.items():
            ranks[name].append(_rank(hits, weight, question.paragraph))
    return {
        name: {"first": _share(values, 1), "first three": _share(values, 3), "questions": len(values)}
        for name, values in ranks.items()
    }


def measure_refusals(paragraphs: dict[str, str], questions: Sequence[Question], embedder: Embedder) -> dict[str, float]:
    """Return the share of questions that are refused, of those that the documents answer and of the others."""
    names = list(paragraphs)
    halves = names[: len(names) // 2], names[len(names) // 2 :]  # an article has five paragraphs: none is in both
    libraries = [build_library({name: paragraphs[name] for name in half}, embedder) for half in halves]
    refused = Counter[bool]()
    for question in questions:
        for half, library in zip(halves, libraries, strict=True):
            passages = retrieve_passages([library], question.text, embedder, limit=CHECKED_PASSAGES)
            refused[question.paragraph in half] += missing_evidence(question.text, passages) is not None
    return {"own refused": refused[True] / len(questions), "others refused": refused[False] / len(questions)}


def _rank(hits: Sequence[Hit], weight: float, paragraph: str) -> int:
    """Return the paragraph's rank among the paragraphs that the search found, from 1; 0 if it isn't one of them."""
    scored = sorted(zip(fuse(hits, weight), hits, strict=True), key=lambda pair: -pair[0])
    if not weight:  # a chunk without any of the words isn't found by words
        scored = [(score, hit) for score, hit in scored if hit.lexical]
    order = list(dict.fromkeys(hit.chunk.document_id for _, hit in scored))
    return order.index(paragraph) + 1 if paragraph in order else 0


def _share(ranks: Sequence[int], limit: int) -> float:
    return sum(0 < rank <= limit for rank in ranks) / len(ranks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vectors", type=Path, help="an .npz file that caches the vectors for the next run")
    parser.add_argument("--every", type=int, default=1, help="take only every Nth question (%(default)s)")
    options = parser.parse_args()
    embedder = CachedEmbedder(options.vectors)
    texts = {path.suffixes[0][1:]: read_language(path) for path in sorted(options.folder.glob("xquad.*.json"))}
    libraries = {language: build_library(paragraphs, embedder) for language, (paragraphs, _) in texts.items()}
    pairs = [(language, language) for language in texts] + [(each, ENGLISH) for each in texts if each != ENGLISH]
    results = []
    for asked, read in pairs:
        questions = texts[asked][1][:: options.every]
        results.append({"questions": asked, "paragraphs": read, **measure(libraries[read], questions, embedder)})
    refusals = [
        {"language": language, **measure_refusals(paragraphs, questions[:: options.every], embedder)}
        for language, (paragraphs, questions) in texts.items()
    ]
    embedder.save()
    print(table(["questions", "paragraphs", *(f"{arm}: first, in three" for arm in ARMS)], [*map(_row, results)]))
    rows = [[each["language"], f"{each['own refused']:.1%}", f"{each['others refused']:.1%}"] for each in refusals]
    print()
    print(table(["language", "answerable refused", "other articles' questions refused"], rows))
    write(
        "languages",
        {"embeddings": Path(embedder.name).name, "every": options.every, "searches": results, "refusals": refusals},
    )


def _row(result: dict[str, Any]) -> list[str]:
    arms = [result[name] for name in ARMS]
    return [
        result["questions"],
        result["paragraphs"],
        *(f"{arm['first']:.3f}, {arm['first three']:.3f}" for arm in arms),
    ]


if __name__ == "__main__":
    main()
