"""Plain questions about three quarterly reports, with answers that were looked up in the PDFs."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answering.evidence.candidates import retrieve_candidates
from rag.answering.evidence.selection import QuoteSelection, find_quotes
from rag.answering.quotes import Quote
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

QUESTIONS = Path(__file__).parents[2] / "questions" / "filings_quotes.jsonl"


@dataclass(frozen=True, slots=True)
class FilingQuestion:
    """A question about a report, and what its first quote says; no answers if the report has none.

    `set` says when it was written: rules were made after the answers to those of the first two sets, and some after
    those to the third (docs/benchmarks.md).
    """

    set: str
    document: str
    question: str
    answers: tuple[str, ...]


def read_questions(path: Path = QUESTIONS) -> list[FilingQuestion]:
    """Return the questions of a file, one JSON object a line."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [FilingQuestion(**row | {"answers": tuple(row["answers"])}) for row in rows]


def is_right(quote: Quote, question: FilingQuestion) -> bool:
    """Return whether a quote of the report has one of the answers: a cell in the cell itself."""
    text = " ".join((quote.answer if quote.row is not None else quote.text).split())
    return quote.document == question.document and any(answer in text for answer in question.answers)


def measure_filings(folder: Path) -> dict[str, Any]:
    """Ask the questions of the three reports in one library, and measure the time to the quotes."""
    embedder = Embedder()
    library = Library(embedder)
    for path in sorted(folder.glob("*.pdf")):
        library.add(path)
    embedder.warm()
    results = [_ask(question, library, embedder) for question in read_questions()]
    library.close()
    milliseconds = sorted(each["ms"] for each in results)
    p95 = milliseconds[-(-95 * len(milliseconds) // 100) - 1]
    return {"questions": results, "outcomes": _count(results), "p95_ms": p95}


def _ask(question: FilingQuestion, library: Library, embedder: Embedder) -> dict[str, Any]:
    documents = {document.id: document for document in library.documents}
    start = time.perf_counter()
    passages = retrieve_candidates([library], question.question, embedder)
    selection = find_quotes(question.question, passages, documents, embedder)
    milliseconds = 1000 * (time.perf_counter() - start)
    first = selection.quotes[0] if selection.quotes else None
    text = " · ".join((*first.labels, first.answer)) if first else "(refused)"
    return {
        "set": question.set,
        "question": question.question,
        "quote": " ".join(text.split())[:110],
        "outcome": _outcome(question, selection),
        "ms": milliseconds,
    }


def _outcome(question: FilingQuestion, selection: QuoteSelection) -> str:
    """Return what became of a question: right, wrong with or without the note that it isn't sure, or refused."""
    if not selection.quotes:
        return "refused" if question.answers else "rightly refused"
    note = ", with the note" if selection.unsure else ""
    right = is_right(selection.quotes[0], question)
    return f"{'right' if right else 'wrong'}{note}" if question.answers else f"answered without an answer{note}"


def _count(results: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Return how often each outcome is, by set."""
    counts: dict[str, Counter[str]] = {}
    for each in results:
        counts.setdefault(each["set"], Counter())[each["outcome"]] += 1
    return {name: dict(count) for name, count in counts.items()}
