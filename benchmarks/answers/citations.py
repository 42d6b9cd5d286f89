"""Measures citations: whether each one resolves to its exact span, and which sentences the spans support.

    python benchmarks/answers/citations.py DIRECTORY [--questions 120] [--backend laptop]

DIRECTORY contains `spans/` (brandonstarxel/chunking_evaluation, MIT: questions with corpora) and `filings/` (three
quarterly reports as PDF). Of 120 questions 100 are a sample of the first set, with a fixed seed, and 20 are about the
reports; `rag.answering.answer` answers them at temperature 0.

A citation resolves if the document's text at the passage's span equals the passage's text, and each of its markers has
a span inside the passage. A marker supports its sentence if its span has every number of the sentence and at least 0.6
of its content words (by their first five letters); the span is a few sentences or rows, not the passage.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.answers.citation_metrics import Answer, citation_metrics
from harness.tables import table, write

from backends import Backend, BackendError, Catalog, ChatRequest, Delta, Event
from backends.http.connections import close_connections
from rag.answering.answer import Rag
from rag.answering.citations.markers import Marker
from rag.answering.types import AnswerEnd, Retrieval
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

SEED = 7
FILINGS = (
    "What were Apple's total net sales in the quarter ended June 25, 2022?",
    "How much did Apple spend on research and development in the third quarter of 2022?",
    "What was Apple's net income for the third quarter of 2022?",
    "How much of its own stock did Apple repurchase during the third quarter of 2022?",
    "What were Apple's iPhone net sales in the third quarter of 2022?",
    "What was Apple's services gross margin percentage?",
    "What was Apple's effective tax rate for the third quarter of 2022?",
    "How did Apple's net sales in Greater China change?",
    "What was NVIDIA's revenue in the first quarter of fiscal year 2023?",
    "What was NVIDIA's Data Center revenue?",
    "What was NVIDIA's gross margin?",
    "How much did the Arm acquisition termination cost NVIDIA?",
    "What was NVIDIA's Gaming revenue and why did it change?",
    "How much cash did NVIDIA return to shareholders?",
    "What were Amazon's net sales in the second quarter of 2023?",
    "What was the operating income of AWS in the second quarter of 2023?",
    "What was Amazon's net income in the second quarter of 2023?",
    "How much did Amazon spend on fulfillment in the second quarter of 2023?",
    "What is the fair value of Amazon's investment in Rivian?",
    "How did Amazon's international segment perform?",
)


class RecordingBackend:
    """Records the model's raw output, before the citations are checked."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.output = ""

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        self.output = ""
        async for event in self._backend.stream(request):
            if isinstance(event, Delta) and event.kind == "answer":
                self.output += event.text
            yield event

    def __getattr__(self, name: str):
        return getattr(self._backend, name)


async def ask(rag: Rag, backend: RecordingBackend, question: str) -> Answer:
    """Return one answer; an interrupted answer counts as far as it came."""
    text, passages, end = "", (), None
    markers: list[Marker] = []
    backend.output = ""
    try:
        async for event in rag.answer(question, backend):
            if isinstance(event, Retrieval):
                passages = event.passages
            elif isinstance(event, AnswerEnd):
                end = event
            elif isinstance(event, Marker):
                markers.append(event)
            elif event.kind == "answer":
                text += event.text
    except BackendError as error:
        print(f"{question} {error}")
    citations, invalid_markers = (end.citations, end.invalid_markers) if end else ((), 0)
    return Answer(backend.output, text, tuple(markers), passages, citations, invalid_markers)


def sample_questions(directory: Path, count: int) -> list[str]:
    """Return a sample of the questions about the corpora, always the same one for a count."""
    with (directory / "spans" / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        questions = [row["question"] for row in csv.DictReader(file)]
    return random.Random(SEED).sample(questions, count)


def read_files(directory: Path, pattern: str, embedder: Embedder) -> Library:
    library = Library(embedder)
    for path in sorted(directory.glob(pattern)):
        summary = library.add(path).summary
        print(f"{summary.name}: {summary.chunks:,} chunks", flush=True)
    return library


async def measure(directory: Path, target: str, count: int) -> tuple[list[Answer], dict[str, str]]:
    """Return all answers, and the text of each document by its identifier."""
    filings = min(len(FILINGS), round(count / 6))
    sets = (("spans/*.md", sample_questions(directory, count - filings)), ("filings/*.pdf", FILINGS[:filings]))
    backend, embedder = RecordingBackend(Catalog.load().connect(target)), Embedder()
    answers: list[Answer] = []
    documents: dict[str, str] = {}
    for pattern, questions in sets:
        library = read_files(directory, pattern, embedder)
        documents |= {document.id: document.text for document in library.documents}
        answers += [await ask(Rag(embedder, [library]), backend, question) for question in questions]
        library.close()
    await close_connections()
    return answers, documents


def format_value(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--backend", default="laptop")
    arguments = parser.parse_args()
    answers, documents = asyncio.run(measure(arguments.directory, arguments.backend, arguments.questions))
    metrics = citation_metrics(answers, documents)
    print(table(["measured", "value"], [[name, format_value(value)] for name, value in metrics.items()]))
    setup = {"backend": arguments.backend, "questions": len(answers), "seed": SEED}
    write("citations", {**setup, **metrics})


if __name__ == "__main__":
    main()
