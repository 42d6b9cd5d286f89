"""Scores answers: whether their citations resolve, and which sentences the cited spans support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.cite import MIN_SHARE, MIN_SHARE_WITH_FIGURES, MIN_WORDS, Citer
from rag.answering.markers import Marker, split_at_markers
from rag.answering.support import content_tokens, sentence_spans
from rag.answering.types import Citation
from rag.documents import Passage

MIN_SUPPORT, STRICT_SUPPORT = 0.6, 0.75
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
