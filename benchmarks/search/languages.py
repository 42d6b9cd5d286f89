"""Share of questions whose paragraph the search puts first, or among the first three, in several languages.

    python benchmarks/search/languages.py FOLDER [--vectors FILE] [--every 1]

FOLDER has XQuAD (Artetxe et al., 2020; CC BY-SA 4.0) as `xquad.LANGUAGE.json`: the same 240 paragraphs and 1,190
questions in each language. Each paragraph is a document of one library. Questions are searched in the paragraphs of
their own language, and then in the English ones. Then each question is asked of half of the articles, once of those
with the answer (a refusal is wrong) and once of the others (a refusal is right). An article is a document, the
decision is the page's, and a quote is right if it has the answer. The embedding model is the one that
SPACEPORT_EMBEDDINGS names.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.cached_embedder import CachedEmbedder
from harness.tables import table, write

from rag.answering.answer import QUOTED_PASSAGES
from rag.answering.evidence.candidates import retrieve_candidates
from rag.answering.evidence.selection import find_quotes
from rag.documents import Document
from rag.library.incoming_files import ParsedFile
from rag.library.library import Library
from rag.library.quota import UNLIMITED, Size
from rag.search.embedding.embedders import Embedder
from rag.search.fuse import DENSE_WEIGHT, MULTILINGUAL_WEIGHT, fuse
from rag.search.index import Hit

ENGLISH = "en"
ARMS = ("dense", "lexical", "fused")
QUOTES = {
    "first": "first quote right",
    "in three": "one of three right",
    "own refused": "answerable refused",
    "others refused": "other articles' questions refused",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the id of the paragraph that answers it, and the answers."""

    text: str
    paragraph: str
    answers: tuple[str, ...]


def read_language(path: Path) -> tuple[dict[str, str], list[Question]]:
    """Return the paragraphs of a file by id, "ARTICLE-PARAGRAPH", and its questions."""
    paragraphs, questions = {}, []
    for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
        for place, each in enumerate(article["paragraphs"]):
            name = f"{number}-{place}"
            paragraphs[name] = each["context"]
            questions += [
                Question(question["question"], name, tuple(answer["text"] for answer in question["answers"]))
                for question in each["qas"]
            ]
    return paragraphs, questions


def article(paragraph: str) -> str:
    """Return the id of the article that has this paragraph."""
    return paragraph.partition("-")[0]


def build_library(texts: dict[str, str], embedder: Embedder) -> Library:
    """Return a library with a document for each text."""
    library = Library(embedder, quota=UNLIMITED)
    for name, text in texts.items():
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


def measure_quotes(paragraphs: dict[str, str], questions: Sequence[Question], embedder: Embedder) -> dict[str, float]:
    """Return the share of questions whose first quote is right, or one of three, and of those that are refused."""
    articles: dict[str, str] = {}
    for name, text in paragraphs.items():
        articles[article(name)] = f"{articles.get(article(name), '')}{text}\n\n"
    names = list(articles)
    halves = [{name: articles[name] for name in names[start::2]} for start in (0, 1)]
    libraries = [build_library(half, embedder) for half in halves]
    count = Counter[str]()
    for question in questions:
        for half, library in zip(halves, libraries, strict=True):
            passages = retrieve_candidates([library], question.text, embedder, limit=QUOTED_PASSAGES)
            documents = {document.id: document for document in library.documents}
            selection = find_quotes(question.text, passages, documents, embedder)
            if article(question.paragraph) not in half:
                count["others refused"] += selection.abstention is not None
                continue
            right = [any(answer in quote.text for answer in question.answers) for quote in selection.quotes]
            count["own refused"] += selection.abstention is not None
            count["first"] += right[:1] == [True]
            count["in three"] += any(right)
    return {name: count[name] / len(questions) for name in QUOTES}


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
    for question_language, read in pairs:
        questions = texts[question_language][1][:: options.every]
        results.append(
            {"questions": question_language, "paragraphs": read, **measure(libraries[read], questions, embedder)}
        )
    quotes = [
        {"language": language, **measure_quotes(paragraphs, questions[:: options.every], embedder)}
        for language, (paragraphs, questions) in texts.items()
    ]
    embedder.save()
    print(table(["questions", "paragraphs", *(f"{arm}: first, in three" for arm in ARMS)], [*map(_row, results)]))
    rows = [[each["language"], *(f"{each[name]:.1%}" for name in QUOTES)] for each in quotes]
    print()
    print(table(["language", *QUOTES.values()], rows))
    write(
        "languages",
        {"embeddings": Path(embedder.name).name, "every": options.every, "searches": results, "quotes": quotes},
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
