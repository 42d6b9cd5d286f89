"""Twelve plain questions about three quarterly reports, with answers that were looked up in the PDFs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rag.answering.evidence.candidates import retrieve_candidates
from rag.answering.evidence.selection import find_quotes
from rag.answering.quotes import Quote
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

# The question, and what its first quote says: words of the cell or, where there is none, of the sentence.
QUESTIONS = {
    "How much did Apple spend on research and development in the three months ended June 25, 2022?": ("6,797",),
    "How many shares did Apple repurchase during the nine months ended June 25, 2022?": ("408 million shares",),
    "What were Apple's Greater China net sales in the third quarter of 2022?": ("14,604",),
    "Why did Apple's Greater China net sales decrease during the third quarter of 2022?": (
        "lower net sales of iPhone",
    ),
    "What was NVIDIA's gross profit in the three months ended April 30, 2023?": ("4,648",),
    "How much did NVIDIA pay in cash dividends in the first quarter of fiscal year 2024?": ("$99 million",),
    "How much inventory did NVIDIA have on April 30, 2023?": ("4,611",),
    "What were NVIDIA's diluted earnings per share in the first quarter of fiscal 2024?": ("0.82",),
    "How much did Amazon pay for One Medical?": ("$3.5 billion",),
    "What share of Rivian does Amazon own?": ("17%",),
    "What was Amazon's operating income in the second quarter of 2023?": ("7,681", "7.7 billion in Q2 2023"),
    "What were AWS net sales in the three months ended June 30, 2023?": ("22,140",),
}


def is_right(quote: Quote, answers: tuple[str, ...]) -> bool:
    """Return whether a quote has one of the answers: a cell in the cell itself."""
    text = quote.answer if quote.row is not None else " ".join(quote.text.split())
    return any(answer in text for answer in answers)


def measure_filings(folder: Path) -> dict[str, Any]:
    """Ask the questions of the three reports in one library, and measure the time to the quotes."""
    embedder = Embedder()
    library = Library(embedder)
    for path in sorted(folder.glob("*.pdf")):
        library.add(path)
    documents = {document.id: document for document in library.documents}
    embedder.warm()
    results, milliseconds = [], []
    for question, answers in QUESTIONS.items():
        start = time.perf_counter()
        passages = retrieve_candidates([library], question, embedder)
        quotes = find_quotes(question, passages, documents, embedder).quotes
        milliseconds.append(1000 * (time.perf_counter() - start))
        first = quotes[0] if quotes else None
        text = " · ".join((*first.labels, first.answer)) if first else "(refused)"
        right = bool(first) and is_right(first, answers)
        results.append(
            {"question": question, "quote": " ".join(text.split())[:110], "right": right, "ms": milliseconds[-1]}
        )
    library.close()
    milliseconds.sort()
    p95 = milliseconds[-(-95 * len(milliseconds) // 100) - 1]
    return {"questions": results, "right": sum(each["right"] for each in results), "p95_ms": p95}
