"""Selects the quotes that answer a question, or says why the documents don't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answering.abstain import Abstention, AbstentionKind, is_about_whole_documents, measure_evidence
from rag.answering.abstain import missing_evidence as weak_evidence
from rag.answering.evidence.answers import answer_span
from rag.answering.evidence.comparison import compared_documents
from rag.answering.evidence.features import NAMES, Measurer
from rag.answering.evidence.mentions import covered_years, find_missing
from rag.answering.evidence.model import unit_model
from rag.answering.evidence.questions import Question
from rag.answering.evidence.summary import key_sentences
from rag.answering.evidence.units import Unit, find_units
from rag.answering.quotes import Quote
from rag.documents import Document, Passage
from rag.search.embedders import Embedder

MAX_QUOTES = 3


@dataclass(frozen=True, slots=True)
class QuoteSelection:
    """The quotes that answer a question, best first; those of a summary are in the order of the text.

    With an `abstention`, `quotes` is empty and `nearest` has the quotes that come closest.
    """

    quotes: tuple[Quote, ...] = ()
    nearest: tuple[Quote, ...] = ()
    abstention: Abstention | None = None


def find_quotes(
    question: str, passages: Sequence[Passage], documents: Mapping[str, Document], embedder: Embedder
) -> QuoteSelection:
    """Return the best quotes for `question` from `passages`, best first; `documents` has all documents by id.

    A question about whole documents gets key sentences of each, and one that compares documents a quote of each.
    """
    asked = Question(question)
    if documents and is_about_whole_documents(question):
        return QuoteSelection(
            tuple(_quote(unit, asked, 1.0) for unit in key_sentences([*documents.values()], embedder))
        )
    quotes = _rank(asked, find_units(passages, documents), embedder)
    if abstention := missing_evidence(asked, passages, documents):
        return QuoteSelection(nearest=tuple(quotes[:MAX_QUOTES]), abstention=abstention)
    if compared := compared_documents(question, documents):
        firsts = (next((quote for quote in quotes if quote.document_id == each), None) for each in compared)
        return QuoteSelection(tuple(filter(None, firsts)))
    return QuoteSelection(tuple(quotes[:MAX_QUOTES]))


def missing_evidence(
    question: Question, passages: Sequence[Passage], documents: Mapping[str, Document]
) -> Abstention | None:
    """Return why the documents can't answer a question, or None if they may."""
    missing = find_missing(question, documents.values())
    abstention = weak_evidence(question.text, passages)
    if missing.years and len(missing.years) == len(question.years):
        covered = covered_years(documents.values())
        evidence = measure_evidence(question.text, passages)
        return Abstention(AbstentionKind.OTHER_YEARS, evidence, years=missing.years, covered_years=covered)
    if abstention and abstention.kind is AbstentionKind.WEAK_EVIDENCE and missing.names:
        return Abstention(AbstentionKind.NOT_MENTIONED, abstention.evidence, names=missing.names)
    return abstention


def _rank(question: Question, units: Sequence[Unit], embedder: Embedder) -> list[Quote]:
    """Return a quote of each unit, best first."""
    if not units:
        return []
    model = unit_model()
    shares = model.shares(model.scores(Measurer(question, units, embedder).table(), NAMES))
    order = (-shares).argsort(kind="stable")
    return [_quote(units[at], question, float(shares[at])) for at in order]


def _quote(unit: Unit, question: Question, probability: float) -> Quote:
    start, end = answer_span(unit.text, question)
    labels: tuple[str, ...] = ()
    if unit.cell:
        start, end = unit.cell.cell.start - unit.start, unit.cell.cell.end - unit.start
        labels = tuple(filter(None, (unit.cell.row_label, unit.cell.column_header, unit.measure)))
    return Quote(
        document_id=unit.document.id,
        document=unit.document.name,
        page=unit.document.page_of(unit.start),
        heading=unit.heading,
        start=unit.start,
        end=unit.end,
        text=unit.text,
        answer_start=unit.start + start,
        answer_end=unit.start + end,
        probability=round(probability, 4),
        labels=labels,
        row=unit.cell.cell.row if unit.cell else None,
        column=unit.cell.cell.column if unit.cell else None,
    )
