"""Selects the key sentences of whole documents, for questions such as "What is this about?"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING

from rag.answering.evidence.features.vectors import encode
from rag.answering.evidence.units.document_structure import structure_of
from rag.answering.evidence.units.per_document import PerDocument
from rag.answering.evidence.units.sentences import split_sentences
from rag.answering.evidence.units.split import Unit
from rag.documents import Document, Span
from rag.search.bm25 import STOP_WORDS, stems
from rag.search.embedding.embedders import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Words choose the candidates, vectors the sentences: embedding a whole report takes seconds.
_CANDIDATES, _MAX_DOCUMENTS, _MAX_SENTENCES = 40, 8, 3_000
_WORDS = (8, 60)  # shorter ones are headings, longer ones lists and tables
_REPETITION = 0.7  # how much the likeness to a chosen sentence counts against a candidate
_LEAD = 0.15  # an author says what a text is about at its beginning


def key_sentences(documents: Sequence[Document], embedder: Embedder) -> list[Unit]:
    """Return the most central sentences of each document, in the order of the text: three of each, or one of many."""
    documents = documents[:_MAX_DOCUMENTS]
    count = 3 if len(documents) <= 3 else 1
    limit = max(10, _CANDIDATES * 2 // max(2, len(documents)))
    return [unit for document in documents for unit in _document_sentences(document, embedder, count, limit)]


def has_key_sentences(document: Document) -> bool:
    """Return whether a document has sentences; one of only tables has none."""
    return bool(_candidates.of(document))


def _document_sentences(document: Document, embedder: Embedder, count: int, limit: int) -> list[Unit]:
    import numpy as np

    candidates = _candidates.of(document)[:limit]
    if not candidates:
        return []
    units = [Unit(document, start, end, document.text[start:end]) for _, (start, end) in candidates]
    vectors = np.stack([encoded.vector for encoded in encode(embedder, [unit.text for unit in units])])
    centre = vectors.mean(axis=0)
    centrality = vectors @ (centre / np.linalg.norm(centre))
    scores = centrality + np.array([_LEAD / (1 + number / 10) for number, _ in candidates])
    return [units[at] for at in sorted(_choose(scores, vectors, count), key=lambda at: units[at].start)]


def _central_sentences(document: Document) -> tuple[tuple[int, Span], ...]:
    """Return the sentences whose words are the most central, the best first, each with its number and its span."""
    spans = _sentences(document)
    lexical = _lexical_centrality([document.text[start:end] for start, end in spans])
    order = sorted(range(len(spans)), key=lambda at: -(lexical[at] + _LEAD / (1 + at / 10)))[:_CANDIDATES]
    return tuple((at, spans[at]) for at in order)


_candidates = PerDocument(_central_sentences)


def _choose(scores: NDArray[np.float32], vectors: NDArray[np.float32], count: int) -> list[int]:
    """Return the best rows that don't repeat each other."""
    chosen: list[int] = []
    while len(chosen) < min(count, len(scores)):
        repeated = (vectors @ vectors[chosen].T).max(axis=1) if chosen else 0 * scores
        penalized = scores - _REPETITION * repeated
        penalized[chosen] = -9
        chosen.append(int(penalized.argmax()))
    return chosen


def _sentences(document: Document) -> list[Span]:
    """Return the spans of the sentences of a document that read as sentences, outside of its tables."""
    structure = structure_of(document)
    spans: list[Span] = []
    for start, end in split_sentences(document.text[: 400 * _MAX_SENTENCES]):
        text = document.text[start:end]
        is_sentence = text.endswith((".", "!", "。", "”", '."')) and "|" not in text
        words = len(text.split()) if not any(character > "\u3000" for character in text) else len(text) // 3
        if is_sentence and _WORDS[0] <= words <= _WORDS[1] and not structure.is_furniture(text):
            spans.append((start, end))
    return spans[:_MAX_SENTENCES]


def _lexical_centrality(texts: Sequence[str]) -> list[float]:
    """Return how much of the weight of the document's own words each sentence has, from 0 to 1."""
    words = [[stem for stem in stems([text]) if stem not in STOP_WORDS] for text in texts]
    counts = Counter(stem for stems_ in words for stem in stems_)
    # A word that half of the sentences have says as little as one that a single sentence has.
    weights = {stem: count * log(1 + len(texts) / count) for stem, count in counts.items()}
    sums = [sum(weights[stem] for stem in stems_) / (len(stems_) + 8) for stems_ in words]
    highest = max(sums, default=1.0) or 1.0
    return [total / highest for total in sums]
