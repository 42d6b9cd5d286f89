"""Scores answers: whether their citations resolve, and which sentences the cited spans support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.citations.markers import Marker, split_at_markers
from rag.answering.types import Citation
from rag.answering.verification.support import content_tokens, sentence_spans
from rag.documents import Passage

MIN_SUPPORT = 0.6
# A sentence with fewer content words makes no claim.
MIN_WORDS = 3


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


def mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
