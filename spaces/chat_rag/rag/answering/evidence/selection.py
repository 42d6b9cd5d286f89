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
from rag.answering.evidence.candidates import with_similarities
from rag.answering.evidence.comparison import compared_documents, question_to_each
from rag.answering.evidence.decision import (
    has_unknown_name,
    is_for_model,
    is_hardly_answered,
    is_refused,
    is_unsure,
)
from rag.answering.evidence.features.questions import Situation
from rag.answering.evidence.model import packaged_model
from rag.answering.evidence.question_analysis.abbreviations import spell_out
from rag.answering.evidence.question_analysis.mentions import covered_years, documents_that_are_meant, find_missing
from rag.answering.evidence.question_analysis.quantities import is_unknown_quantity
from rag.answering.evidence.question_analysis.typos import read_question
from rag.answering.evidence.ranking import Ranking, quote_of, rank_units
from rag.answering.evidence.summary import has_key_sentences, key_sentences
from rag.answering.evidence.tables.cell_scope import without_levels, without_shorter_labels
from rag.answering.evidence.units.split import find_units
from rag.answering.quotes import Quote
from rag.documents import Document, Passage
from rag.search.embedding.embedders import Embedder


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
    question = spell_out(question, documents.values())
    asked = read_question(question, passages)
    if documents and (whole := _whole_documents(question, documents)):
        summary = key_sentences(whole, embedder)
        return QuoteSelection(tuple(quote_of(unit, asked, 1.0) for unit in summary))
    if compared := compared_documents(question, documents):
        return _compare(question, compared, passages, documents, embedder)
    evidence = measure_evidence(asked.text, passages)
    meant = documents_that_are_meant(asked, documents.values())
    units = find_units([passage for passage in passages if passage.document_id in meant], documents)
    if not units:
        return QuoteSelection(abstention=Abstention(AbstentionKind.NO_PASSAGES, evidence))
    if not (units := without_shorter_labels(asked, without_levels(asked, units))):
        return QuoteSelection(abstention=Abstention(AbstentionKind.WEAK_EVIDENCE, evidence))
    situation = Situation(asked, evidence, find_missing(asked, documents.values()))
    ranking = rank_units(situation, units, embedder)
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
        unsure = (
            (unsure and not ranking.is_exact) or ranking.is_doubtful or is_unknown_quantity(asked, documents.values())
        )
        return QuoteSelection(ranking.likely, unsure=unsure or has_unknown_name(situation, documents))
    return QuoteSelection(nearest=ranking.quotes, abstention=_abstention(situation, ranking, documents, embedder))


def _whole_documents(question: str, documents: Mapping[str, Document]) -> list[Document]:
    """Return the documents that a question is about as a whole: those that it names, or all; often none."""
    named = []
    # The longest name first: "food.md" isn't a document of "seafood.md".
    for document in sorted(documents.values(), key=lambda each: -len(each.name)):
        if document.name in question and has_key_sentences(document):
            before, _, after = question.partition(document.name)
            if not before[-1:].isalnum() and before[-1:] not in ("-", ".", "_") and not after[:1].isalnum():
                named.append(document)
                question = f"{before} {after}"
    return (named or [*documents.values()]) if is_about_whole_documents(question) else []


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


def _abstention(
    situation: Situation, ranking: Ranking, documents: Mapping[str, Document], embedder: Embedder
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
