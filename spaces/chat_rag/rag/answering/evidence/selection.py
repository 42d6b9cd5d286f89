"""Selects the quotes that answer a question, or says why the documents don't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answering.abstention.abstain import (
    CHECKED_PASSAGES,
    Abstention,
    AbstentionKind,
    is_about_whole_documents,
    measure_evidence,
    missing_evidence,
)
from rag.answering.abstention.foreign_question import other_languages
from rag.answering.evidence.asked.kinds import Kind
from rag.answering.evidence.asked.mentions import are_meant, covered_years, documents_that_are_meant, find_missing
from rag.answering.evidence.asked.questions import Question
from rag.answering.evidence.asked.typos import read_question
from rag.answering.evidence.candidates import with_similarities
from rag.answering.evidence.comparison import compared_documents, question_to_each
from rag.answering.evidence.decision import (
    has_unknown_name,
    is_for_model,
    is_hardly_answered,
    is_refused,
    is_unsure,
    lacks_figure,
)
from rag.answering.evidence.features.names import NAMES
from rag.answering.evidence.features.questions import Situation
from rag.answering.evidence.features.units import Measurer
from rag.answering.evidence.model import packaged_model
from rag.answering.evidence.summary import has_key_sentences, key_sentences
from rag.answering.evidence.tables.cell_scope import without_levels, without_shorter_labels
from rag.answering.evidence.units.answer_spans import answer_span
from rag.answering.evidence.units.split import Unit, find_units
from rag.answering.quotes import Quote
from rag.documents import Document, Passage
from rag.search.embedding.embedders import Embedder

MAX_QUOTES = 3
# A further quote is at least this share as likely as the first one.
LEAST_SHARE = 0.1
# If the best unit is so much better than any that has the question's name, the documents answer for another name only.
_MAX_BEHIND = 2.0


@dataclass(frozen=True, slots=True)
class QuoteSelection:
    """The quotes that answer a question, best first; those of a summary are in the order of the text.

    With an `abstention`, `quotes` is empty and `nearest` has the quotes that come closest. `unsure` says that the
    quotes may well not answer.
    """

    quotes: tuple[Quote, ...] = ()
    nearest: tuple[Quote, ...] = ()
    abstention: Abstention | None = None
    unsure: bool = False


def find_quotes(
    question: str, passages: Sequence[Passage], documents: Mapping[str, Document], embedder: Embedder
) -> QuoteSelection:
    """Return the best quotes for `question` from `passages`, best first; `documents` has all documents by id.

    A question about whole documents gets key sentences of each, and one that compares documents a quote of each.
    """
    asked = read_question(question, passages)
    if documents and (whole := _whole_documents(question, documents)):
        summary = key_sentences(whole, embedder)
        return QuoteSelection(tuple(_quote(unit, asked, 1.0) for unit in summary))
    if compared := compared_documents(question, documents):
        return _compare(question, compared, passages, documents, embedder)
    evidence = measure_evidence(asked.text, passages)
    meant = documents_that_are_meant(asked, documents.values())
    units = find_units([passage for passage in passages if passage.document_id in meant], documents)
    units = without_shorter_labels(asked, without_levels(asked, units)) or units
    if not units:
        return QuoteSelection(abstention=Abstention(AbstentionKind.NO_PASSAGES, evidence))
    situation = Situation(asked, evidence, find_missing(asked, documents.values()))
    ranking = _rank(situation, units, embedder)
    decides = is_for_model(question, documents, embedder)
    if decides:
        is_answered = not is_refused(
            ranking.answered, packaged_model().questions.threshold, without_figure=ranking.without_figure
        )
    else:
        checked = with_similarities(passages[:CHECKED_PASSAGES], question, embedder)
        is_answered = missing_evidence(asked.text, checked) is None and not is_hardly_answered(
            question, ranking.answered, embedder
        )
    if is_answered and not ranking.is_other_period:
        unsure = is_unsure(
            question, ranking.answered, ranking.probability, embedder,
            decides=decides, without_figure=ranking.without_figure,
        )  # fmt: skip
        return QuoteSelection(ranking.likely, unsure=unsure or has_unknown_name(situation, documents))
    return QuoteSelection(nearest=ranking.quotes, abstention=_abstention(situation, ranking, documents, embedder))


def _whole_documents(question: str, documents: Mapping[str, Document]) -> list[Document]:
    """Return the documents that a question is about as a whole: those that it names, or all; often none."""
    named = [each for each in documents.values() if each.name in question and has_key_sentences(each)]
    for document in named:
        question = question.replace(document.name, " ")
    return (named or [*documents.values()]) if is_about_whole_documents(question) else []


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The quotes of the best units that can be meant, best first, and how likely the documents answer the question.

    The `likely` ones aren't far less likely than the first; `probability` is theirs together, with that of the same
    words in other places.
    `without_figure` says that the question asks for a figure that no quote has, `is_other_period` that the best unit is
    a figure for another time.
    """

    quotes: tuple[Quote, ...]
    likely: tuple[Quote, ...]
    probability: float
    answered: float
    without_figure: bool
    is_other_period: bool


def _rank(situation: Situation, units: Sequence[Unit], embedder: Embedder) -> _Ranking:
    import numpy as np

    model, question = packaged_model(), situation.question
    measurer = Measurer(question, units)
    meant = np.array(are_meant(question, units))
    # A multilingual model finds answers in another language, which have no word of the question.
    likely = list(range(len(units))) if embedder.multilingual else model.likely_units(measurer.words, meant)
    values, units, meant = measurer.table(embedder, likely), [units[at] for at in likely], meant[likely]
    scores = model.units.scores(values)
    is_near = meant.any() and scores[meant].max() > scores.max() - _MAX_BEHIND
    answered = model.answered(situation, values, scores, meant) if is_near else 0.0
    probabilities = answered * model.units.shares(scores)
    order = [at for at in (-scores).argsort(kind="stable") if meant[at] or not meant.any()]
    quotes = tuple(_quote(units[at], question, float(probabilities[at])) for at in order[:MAX_QUOTES])
    best = dict(zip(NAMES, values[order[0]].tolist(), strict=True))
    shown = _likely(quotes)
    words = {quote.text for quote in shown if not quote.labels}
    repeated = (float(probabilities[at]) for at, unit in enumerate(units) if not unit.cell and unit.text in words)
    probability = sum(repeated) + sum(quote.probability for quote in shown if quote.labels)
    without_figure = lacks_figure(question, values[order[: len(shown)]])
    is_other = _is_other_period(question, units[order[0]], best)
    return _Ranking(quotes, shown, probability, answered, without_figure, is_other)


def _is_other_period(question: Question, unit: Unit, features: Mapping[str, float]) -> bool:
    """Return whether a cell is of another time than the question's, or a sentence of a document about other years."""
    if unit.cell:
        return features["period"] < 0 or (bool(question.years) and features["cell year"] == -1)
    is_figure = question.kind in (Kind.MONEY, Kind.PERCENT)
    return is_figure and features["text year"] < 0 and not question.years & set(covered_years([unit.document]))


def _compare(
    question: str,
    compared: Sequence[str],
    passages: Sequence[Passage],
    documents: Mapping[str, Document],
    embedder: Embedder,
) -> QuoteSelection:
    """Return the first quote of each document, for what the comparison asks of each."""
    parts = [
        find_quotes(
            question_to_each(question),
            [passage for passage in passages if passage.document_id == document_id],
            {document_id: documents[document_id]},
            embedder,
        )
        for document_id in compared
    ]
    if quotes := [quote for part in parts for quote in part.quotes[:1]]:
        return QuoteSelection(tuple(quotes), unsure=any(part.unsure for part in parts))
    nearest = [quote for part in parts for quote in part.nearest[:1]]
    return QuoteSelection(nearest=tuple(nearest), abstention=parts[0].abstention)


def _likely(quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    """Return the quotes without those that are far less likely than the first one."""
    return tuple(quote for quote in quotes if quote.probability >= LEAST_SHARE * quotes[0].probability)


def _abstention(
    situation: Situation, ranking: _Ranking, documents: Mapping[str, Document], embedder: Embedder
) -> Abstention:
    """Return the reason why the documents don't answer."""
    question, missing, evidence = situation.question, situation.missing, situation.evidence
    languages = () if embedder.multilingual else other_languages(question.text, documents.values())
    if languages:
        return Abstention(AbstentionKind.OTHER_LANGUAGE, evidence, languages=languages)
    if missing.names:
        return Abstention(AbstentionKind.NOT_MENTIONED, evidence, names=question.whole_names(missing.names))
    covered = covered_years(documents.values())
    years = missing.years or (tuple(sorted(question.years - set(covered))) if ranking.is_other_period else ())
    if years:
        return Abstention(AbstentionKind.OTHER_YEARS, evidence, years=years, covered_years=covered)
    return Abstention(AbstentionKind.WEAK_EVIDENCE, evidence)


def _quote(unit: Unit, question: Question, probability: float) -> Quote:
    labels: tuple[str, ...] = ()
    if unit.cell:
        start, end = unit.cell.cell.start - unit.start, unit.cell.cell.end - unit.start
        section = unit.cell.section.rstrip(": ")  # "Operating income" of a segment isn't the company's
        label = (
            f"{section}: {unit.cell.row_label}" if section and unit.cell.row_label else unit.cell.row_label or section
        )
        labels = tuple(filter(None, (label, unit.cell.column_header, unit.measure)))
    else:
        start, end = answer_span(unit.text, question)
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
