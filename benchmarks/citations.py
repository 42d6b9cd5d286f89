"""Measures citations: whether each one resolves to its exact span, and which sentences the spans support.

    python benchmarks/citations.py DIRECTORY [--questions 120] [--backend laptop]

DIRECTORY contains `spans/` (brandonstarxel/chunking_evaluation, MIT: questions with corpora) and `filings/` (three
quarterly reports as PDF). Of 120 questions 100 are a sample of the first set, with a fixed seed, and 20 are about the
reports; `rag.answering.answer` answers them at temperature 0.

A citation resolves if the document's text at the passage's span equals the passage's text, and each of its markers has
a span inside the passage. A marker supports its sentence if its span has every number of the sentence and at least 0.6
of its content words (by their first five letters); the span is a few sentences or rows, not the passage. The second
table covers the sentences that the model left without a marker. It varies the shares of words that an attribution
needs, for sentences without and with figures. "strictly" asks for 0.75 of the words in the span.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.tables import table, write

from backends import Backend, BackendError, Catalog, ChatRequest, Delta, Event
from backends.http.connections import close_connections
from rag.answering.answer import Rag
from rag.answering.cite import MIN_SHARE, MIN_SHARE_WITH_FIGURES, MIN_WORDS, Citer
from rag.answering.markers import Marker, split_at_markers
from rag.answering.support import content_tokens, sentence_spans
from rag.answering.types import AnswerEnd, Citation, Retrieval
from rag.documents import Passage
from rag.library.library import Library
from rag.search.embedders import Embedder

SEED, MIN_SUPPORT, STRICT_SUPPORT = 7, 0.6, 0.75
# Shares of words for sentences without and with figures.
THRESHOLDS = (
    (0.4, 0.3),
    (0.5, 0.3),
    (0.5, 0.4),
    (0.6, 0.4),
    (0.6, 0.5),
    (0.7, 0.5),
    (0.7, 0.6),
    (0.8, 0.7),
    (0.9, 0.8),
)
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


@dataclass(frozen=True)
class Answer:
    """An answer with its citations; `output` is the model's text before they were checked."""

    output: str
    text: str
    markers: tuple[Marker, ...]
    passages: tuple[Passage, ...]
    citations: tuple[Citation, ...]
    invalid_markers: int


@dataclass(frozen=True)
class SentenceCitation:
    """A marker of a sentence and the text that it cites."""

    marker: Marker
    span: str


@dataclass(frozen=True)
class Sentence:
    """A sentence of an answer with its citations."""

    text: str
    citations: tuple[SentenceCitation, ...]


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


def split_sentences(answer: str, markers: Sequence[Marker], spans: dict[int, Sequence[str]]) -> list[Sentence]:
    """Return the sentences that make a claim; a marker belongs to the last sentence that begins before it.

    `spans` has, by the number of a passage, the cited text of each of its markers.
    """
    text, positions = "", []
    for piece, marker in split_at_markers(answer, markers):
        text += piece
        if marker:
            positions.append((len(text), marker))
    parts = list(sentence_spans(text))
    citations: list[list[SentenceCitation]] = [[] for _ in parts]
    counts: dict[int, int] = {}
    for position, marker in positions:
        index = max((index for index, (start, _) in enumerate(parts) if start < position), default=0)
        order = counts[marker.number] = counts.get(marker.number, -1) + 1
        if parts:
            citations[index].append(SentenceCitation(marker, spans[marker.number][order]))
    sentences = [Sentence(text[start:end], tuple(own)) for (start, end), own in zip(parts, citations, strict=True)]
    return [each for each in sentences if each.citations or len(set(content_tokens(each.text))) >= MIN_WORDS]


def supports(span: str, sentence: str, min_share: float = MIN_SUPPORT) -> bool:
    """Return whether the span supports the sentence: it has every number and `min_share` of the words."""
    claim, evidence = set(content_tokens(sentence)), set(content_tokens(span))
    words = {token[:5] for token in claim if not token[0].isdigit()}
    numbers = {token for token in claim if token[0].isdigit()}
    return numbers <= evidence and len(words & {token[:5] for token in evidence}) >= min_share * len(words)


def resolves(citation: Citation, documents: dict[str, str], markers: int) -> bool:
    """Return whether a citation has the exact text of its document, and a span inside it for each of its markers."""
    passage = citation.passage
    exact = documents[passage.document_id][passage.start : passage.end] == passage.text
    inside = all(0 <= start < end <= len(passage.text) for start, end in citation.spans)
    return exact and inside and len(citation.spans) == markers


def citation_metrics(answers: Sequence[Answer], documents: dict[str, str]) -> dict[str, float | None]:
    """Return the metrics of the first table."""
    count = resolved = 0
    sentences: list[Sentence] = []
    for answer in answers:
        spans = {
            citation.passage.number: [citation.passage.text[start:end] for start, end in citation.spans]
            for citation in answer.citations
        }
        for citation in answer.citations:
            markers = sum(marker.number == citation.passage.number for marker in answer.markers)
            count += 1
            resolved += resolves(citation, documents, markers)
        if answer.passages and answer.output:
            sentences += split_sentences(answer.text, answer.markers, spans)
    metrics: dict[str, float | None] = {
        "citations": count,
        "resolve": resolved / count if count else None,
        "sentences": len(sentences),
        "with a citation": sum(bool(sentence.citations) for sentence in sentences) / max(1, len(sentences)),
        "removed markers": sum(answer.invalid_markers for answer in answers),
    }
    for name, attributed in (("by the model", False), ("by attribution", True)):
        results = [
            supports(citation.span, sentence.text)
            for sentence in sentences
            for citation in sentence.citations
            if citation.marker.attributed == attributed
        ]
        metrics |= {f"markers {name}": len(results), f"supported, {name}": mean(results)}
    return metrics


def attribution_metrics(
    answers: Sequence[Answer], min_share: float, min_share_with_figures: float
) -> dict[str, float | None]:
    """Return how many of the sentences without a marker get one with these shares, and how many have support."""
    sentence_count, pairs = 0, []
    for answer in answers:
        if not answer.passages or not answer.output:
            continue
        citer = Citer(answer.passages, min_share, min_share_with_figures)
        text = citer.feed(answer.output) + citer.flush()
        spans = {
            passage.number: [passage.text[start:end] for start, end in citer.spans(passage.number)]
            for passage in answer.passages
        }
        for sentence in split_sentences(text, [claim.marker for claim in citer.claims], spans):
            if all(citation.marker.attributed for citation in sentence.citations):
                sentence_count += 1
                pairs += [(citation.span, sentence.text) for citation in sentence.citations]
    return {
        "bare sentences": sentence_count,
        "attributed": len(pairs) / max(1, sentence_count),
        "supported": mean([supports(*pair) for pair in pairs]),
        "strictly": mean([supports(*pair, STRICT_SUPPORT) for pair in pairs]),
    }


def compare_thresholds(answers: Sequence[Answer]) -> dict[str, dict[str, float | None]]:
    """Return the rows of the second table: the same answers with other thresholds."""
    rows = {}
    for thresholds in THRESHOLDS:
        in_use = " (in use)" if thresholds == (MIN_SHARE, MIN_SHARE_WITH_FIGURES) else ""
        name = "words {:g}, with figures {:g}".format(*thresholds) + in_use
        rows[name] = attribution_metrics(answers, *thresholds)
    return rows


def mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


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
    metrics, thresholds = citation_metrics(answers, documents), compare_thresholds(answers)
    print(table(["measured", "value"], [[name, format_value(value)] for name, value in metrics.items()]))
    columns = ["attributed", "supported", "strictly"]
    rows = [[name, *(format_value(row[column]) for column in columns)] for name, row in thresholds.items()]
    print("\n" + table(["at least", *columns], rows))
    setup = {"backend": arguments.backend, "questions": len(answers), "seed": SEED}
    write("citations", {**setup, **metrics, "thresholds": thresholds})


if __name__ == "__main__":
    main()
