"""Whether citations hold: each resolves to its exact span, and what it supports of an answer.

    python benchmarks/citations.py DIRECTORY [--questions 120] [--backend laptop]

DIRECTORY holds `spans/` (brandonstarxel/chunking_evaluation, MIT: questions with corpora) and `filings/` (three
quarterly reports as PDF). Of 120 questions 100 are drawn from the first with a fixed seed and 20 are ours about the
second; they go through `rag.answering.answer` at temperature 0.

A citation resolves if the document's text at the passage's span is the passage's text, and a span of support inside
it belongs to each of its markers. It supports its sentence if every number of the sentence and at least 0.6 of its
words of meaning (by their first five letters) stand in that span: a few sentences or rows, not the passage. The second
table counts the sentences that the model left without a marker: what an attribution of ours asks for varies, first
the least share of words, without and with figures, then the cosine of sentence and span where words do not decide.
"strictly" asks for 0.75 of the words in the span.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.tables import table, write

from backends import Backend, BackendError, Catalog, ChatRequest, Delta, Event
from backends.http import client as http
from chat_page.render import marker
from rag.answering.answer import Citation, Finished, Found, Rag
from rag.answering.cite import CLOSE, MIN_SHARE, MIN_SHARE_WITH_FIGURES, MIN_WORDS, OPEN, Citer
from rag.answering.support import sentences, tokens
from rag.documents import Passage
from rag.library.library import Library
from rag.search.embedders import Embedder

SEED, ENOUGH, STRICT = 7, 0.6, 0.75
ALIKE = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9)
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
_MARK = re.compile(rf"{OPEN}(\d+)(a?){CLOSE}")


class Keeping:
    """A backend that keeps what its model wrote, before anything is made of its markers."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.wrote = ""

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        self.wrote = ""
        async for event in self._backend.stream(request):
            if isinstance(event, Delta) and event.kind == "answer":
                self.wrote += event.text
            yield event

    def __getattr__(self, name: str):
        return getattr(self._backend, name)


@dataclass(frozen=True)
class Answer:
    question: str
    wrote: str
    shown: str
    passages: tuple[Passage, ...]
    citations: tuple[Citation, ...]
    removed: int


@dataclass(frozen=True)
class Said:
    """A sentence of an answer with its citations: the passage's number, whether it is ours, the cited text."""

    text: str
    cited: tuple[tuple[int, bool, str], ...]


async def ask(rag: Rag, keeping: Keeping, question: str) -> Answer:
    """One question on the real path; an answer that breaks off counts as far as it came."""
    shown, passages, end = "", (), None
    keeping.wrote = ""
    try:
        async for event in rag.answer(question, keeping, show=marker):
            if isinstance(event, Found):
                passages = event.passages
            elif isinstance(event, Finished):
                end = event
            elif event.kind == "answer":
                shown += event.text
    except BackendError as error:
        print(f"{question} {error}")
    citations, removed = (end.citations, end.removed) if end else ((), 0)
    return Answer(question, keeping.wrote, shown, passages, citations, removed)


def said(shown: str, spans: dict[int, Sequence[str]]) -> list[Said]:
    """The sentences that claim something; a marker belongs to the sentence that begins before it."""
    plain, marks, at = "", [], 0
    for found in _MARK.finditer(shown):
        plain += shown[at : found.start()]
        at = found.end()
        marks.append((len(plain), int(found[1]), bool(found[2])))
    plain += shown[at:]
    parts = list(sentences(plain))
    cited: list[list[tuple[int, bool, str]]] = [[] for _ in parts]
    seen: dict[int, int] = {}
    for where, number, ours in marks:
        index = max((index for index, (start, _) in enumerate(parts) if start < where), default=0)
        order = seen[number] = seen.get(number, -1) + 1
        if parts:
            cited[index].append((number, ours, spans[number][order]))
    told = [Said(plain[start:end], tuple(found)) for (start, end), found in zip(parts, cited, strict=True)]
    return [sentence for sentence in told if sentence.cited or len(set(tokens(sentence.text))) >= MIN_WORDS]


def supported(sentence: str, span: str, enough: float = ENOUGH) -> bool:
    """The rule of this file's docstring."""
    claimed, held = set(tokens(sentence)), set(tokens(span))
    words = {token[:5] for token in claimed if not token[0].isdigit()}
    numbers = {token for token in claimed if token[0].isdigit()}
    return numbers <= held and len(words & {token[:5] for token in held}) >= enough * len(words)


def resolves(citation: Citation, documents: dict[str, str], markers: int) -> bool:
    passage = citation.passage
    exact = documents[passage.document_id][passage.start : passage.end] == passage.text
    inside = all(0 <= start < end <= len(passage.text) for start, end in citation.spans)
    return exact and inside and len(citation.spans) == markers


def judged(answers: Sequence[Answer], documents: dict[str, str]) -> dict[str, float | None]:
    """The figures of the first table."""
    shown = whole = 0
    told: list[Said] = []
    for answer in answers:
        spans = {
            citation.passage.number: [citation.passage.text[start:end] for start, end in citation.spans]
            for citation in answer.citations
        }
        for citation in answer.citations:
            markers = sum(int(found[1]) == citation.passage.number for found in _MARK.finditer(answer.shown))
            shown += 1
            whole += resolves(citation, documents, markers)
        if answer.passages and answer.wrote:
            told += said(answer.shown, spans)
    links = [(sentence.text, ours, span) for sentence in told for _, ours, span in sentence.cited]
    figures: dict[str, float | None] = {
        "citations": shown,
        "resolve": whole / shown if shown else None,
        "sentences": len(told),
        "with a citation": sum(bool(sentence.cited) for sentence in told) / max(1, len(told)),
        "removed markers": sum(answer.removed for answer in answers),
    }
    for name, ours in (("by the model", False), ("by attribution", True)):
        own = [supported(text, span) for text, by_us, span in links if by_us == ours]
        figures |= {f"markers {name}": len(own), f"supported, {name}": sum(own) / len(own) if own else None}
    return figures


def attributed(answers: Sequence[Answer], **thresholds: Any) -> dict[str, float | None]:
    """What `Citer` with these thresholds attributes of the sentences that the model left bare, and what of it holds."""
    bare, held = 0, []
    for answer in answers:
        if not answer.passages or not answer.wrote:
            continue
        citer = Citer(answer.passages, marker, **thresholds)
        text = citer.feed(answer.wrote) + citer.flush()
        spans = {
            passage.number: [passage.text[start:end] for start, end in citer.spans(passage.number)]
            for passage in answer.passages
        }
        for sentence in said(text, spans):
            if all(ours for _, ours, _ in sentence.cited):
                bare += 1
                held += [(sentence.text, span) for _, _, span in sentence.cited]
    return {
        "bare sentences": bare,
        "attributed": len(held) / max(1, bare),
        "supported": sum(supported(*pair) for pair in held) / len(held) if held else None,
        "strictly": sum(supported(*pair, STRICT) for pair in held) / len(held) if held else None,
    }


def traded(answers: Sequence[Answer]) -> dict[str, dict[str, float | None]]:
    """The second table: words alone with other thresholds, then with meaning beside the words as they are used."""
    embedder = Embedder()

    @cache
    def vector(text: str) -> list[float]:
        return embedder.encode([text])[0]

    def alike(one: str, other: str) -> float:
        return sum(a * b for a, b in zip(vector(one), vector(other), strict=True))

    lines = {}
    for plain, figures in THRESHOLDS:
        in_use = " (in use)" if (plain, figures) == (MIN_SHARE, MIN_SHARE_WITH_FIGURES) else ""
        name = f"words {plain:g}, with figures {figures:g}{in_use}"
        lines[name] = attributed(answers, min_share=plain, min_share_with_figures=figures)
    return lines | {f"or alike {least:g}": attributed(answers, alike=alike, min_alike=least) for least in ALIKE}


def drawn(directory: Path, count: int) -> list[str]:
    """The questions over the corpora, the same ones for the same count."""
    with (directory / "spans" / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        questions = [row["question"] for row in csv.DictReader(file)]
    return random.Random(SEED).sample(questions, count)


def read(directory: Path, files: str, embedder: Embedder) -> Library:
    library = Library(embedder)
    for path in sorted(directory.glob(files)):
        print(library.add(path).summary, flush=True)
    return library


async def measure(directory: Path, name: str, count: int) -> tuple[list[Answer], dict[str, str]]:
    """Every answer, and the text of every document by its identifier."""
    filings = min(len(FILINGS), round(count / 6))
    sets = (("spans/*.md", drawn(directory, count - filings)), ("filings/*.pdf", FILINGS[:filings]))
    keeping, embedder = Keeping(Catalog.load().connect(name)), Embedder()
    answers: list[Answer] = []
    documents: dict[str, str] = {}
    for files, questions in sets:
        library = read(directory, files, embedder)
        documents |= {document.id: document.text for document in library.documents}
        answers += [await ask(Rag(embedder, [library]), keeping, question) for question in questions]
        library.close()
    await http.aclose()
    return answers, documents


def shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--backend", default="laptop")
    options = parser.parse_args()
    answers, documents = asyncio.run(measure(options.directory, options.backend, options.questions))
    figures, trade = judged(answers, documents), traded(answers)
    print(table(["measured", "value"], [[name, shown(value)] for name, value in figures.items()]))
    rows = [
        [name] + [shown(line[column]) for column in ("attributed", "supported", "strictly")]
        for name, line in trade.items()
    ]
    print("\n" + table(["at least", "attributed", "supported", "strictly"], rows))
    asked = {"backend": options.backend, "questions": len(answers), "seed": SEED}
    write("citations", {**asked, **figures, "thresholds": trade})


if __name__ == "__main__":
    main()
