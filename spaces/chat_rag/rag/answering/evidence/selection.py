"""Selects the quotes that answer a question, or says why the documents don't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answering.abstain import (
    Abstention,
    AbstentionKind,
    is_about_whole_documents,
    is_latin,
    measure_evidence,
    missing_evidence,
)
from rag.answering.evidence.answerable import Situation
from rag.answering.evidence.answers import answer_span
from rag.answering.evidence.comparison import compared_documents
from rag.answering.evidence.features import Measurer
from rag.answering.evidence.mentions import are_meant, covered_years, documents_that_are_meant, find_missing
from rag.answering.evidence.model import packaged_model
from rag.answering.evidence.questions import Question
from rag.answering.evidence.summary import key_sentences
from rag.answering.evidence.typos import read_question
from rag.answering.evidence.units import Unit, find_units
from rag.answering.quotes import Quote
from rag.documents import Document, Passage
from rag.search.embedders import Embedder

MAX_QUOTES = 3
# A further quote is at least this share as likely as the first one.
LEAST_SHARE = 0.1
# If the best unit is so much better than any that has the question's name, the documents answer for another name only.
_MAX_BEHIND = 2.0


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
    asked = read_question(question, passages)
    evidence = measure_evidence(asked.text, passages)
    if documents and is_about_whole_documents(question):
        summary = key_sentences([*documents.values()], embedder)
        return QuoteSelection(tuple(_quote(unit, asked, 1.0) for unit in summary))
    meant = documents_that_are_meant(asked, documents.values())
    units = find_units([passage for passage in passages if passage.document_id in meant], documents)
    if not units:
        return QuoteSelection(abstention=Abstention(AbstentionKind.NO_PASSAGES, evidence))
    situation = Situation(asked, evidence, find_missing(asked, documents.values()))
    quotes, is_answered = _rank(situation, units, embedder)
    if not is_latin(question):  # the model was trained on English questions only
        is_answered = missing_evidence(asked.text, passages) is None
    if quotes and is_answered:
        return QuoteSelection(_choose(question, quotes, documents))
    return QuoteSelection(nearest=tuple(quotes[:MAX_QUOTES]), abstention=_abstention(situation, documents))


def _rank(situation: Situation, units: Sequence[Unit], embedder: Embedder) -> tuple[list[Quote], bool]:
    """Return a quote of each unit that can be meant, best first, and whether the documents answer the question."""
    import numpy as np

    model, meant = packaged_model(), np.array(are_meant(situation.question, units))
    values = Measurer(situation.question, units, embedder).table()
    scores = model.units.scores(values)
    is_near = meant.any() and scores[meant].max() > scores.max() - _MAX_BEHIND
    answered = model.answered(situation, values, scores, meant) if is_near else 0.0
    probabilities = answered * model.units.shares(scores)
    order = [at for at in (-scores).argsort(kind="stable") if meant[at] or not meant.any()]
    quotes = [_quote(units[at], situation.question, float(probabilities[at])) for at in order]
    return quotes, answered >= model.questions.threshold


def _choose(question: str, quotes: Sequence[Quote], documents: Mapping[str, Document]) -> tuple[Quote, ...]:
    """Return the first quotes, or the first one of each document that the question compares."""
    compared = compared_documents(question, documents)
    firsts = [next((quote for quote in quotes if quote.document_id == each), None) for each in compared]
    likely = [quote for quote in quotes[:MAX_QUOTES] if quote.probability >= LEAST_SHARE * quotes[0].probability]
    return tuple(filter(None, firsts)) or tuple(likely)


def _abstention(situation: Situation, documents: Mapping[str, Document]) -> Abstention:
    """Return the reason why the documents don't answer."""
    missing, evidence = situation.missing, situation.evidence
    if missing.names:
        return Abstention(AbstentionKind.NOT_MENTIONED, evidence, names=missing.names)
    if missing.years:
        covered = covered_years(documents.values())
        return Abstention(AbstentionKind.OTHER_YEARS, evidence, years=missing.years, covered_years=covered)
    return Abstention(AbstentionKind.WEAK_EVIDENCE, evidence)


def _quote(unit: Unit, question: Question, probability: float) -> Quote:
    start, end = answer_span(unit.text, question)
    labels: tuple[str, ...] = ()
    if unit.cell:
        start, end = unit.cell.cell.start - unit.start, unit.cell.cell.end - unit.start
        section = unit.cell.section.rstrip(": ")  # "Operating income" of a segment isn't the company's
        label = (
            f"{section}: {unit.cell.row_label}" if section and unit.cell.row_label else unit.cell.row_label or section
        )
        labels = tuple(filter(None, (label, unit.cell.column_header, unit.measure)))
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
