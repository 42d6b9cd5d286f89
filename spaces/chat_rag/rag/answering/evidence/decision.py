"""Decides by the models whether documents answer a question, and how sure the quotes are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rag.answering.abstention.abstain import is_latin
from rag.answering.abstention.foreign_question import other_languages
from rag.answering.evidence.features.names import NAMES
from rag.answering.evidence.features.questions import Situation
from rag.answering.evidence.question_analysis.kinds import FIGURES
from rag.answering.evidence.question_analysis.questions import Question
from rag.documents import Document
from rag.search.embedding.embedders import Embedder
from rag.search.languages import ENGLISH, GERMAN, detect_language

# How likely documents must answer, by the model, a question in German, Spanish or another language with Latin letters
# than English (benchmarks/search/languages.py).
OTHER_LANGUAGES_THRESHOLD = 0.08
# The same for a question for a figure to which no quote has one. Up to here, of the questions that the documents answer
# none more is refused, and one near miss in 200. (benchmarks/answers/answers.py)
WITHOUT_FIGURE_THRESHOLD = 0.4
# Quotes below these are unsure: of those that an answerable question got there, the first one was right in 49 %.
SURE, SURE_WITHOUT_FIGURE = 0.3, 0.8
# The same in another language with Latin letters: of 171 quotes for German and Spanish questions that no document
# answers, 149 are below, and of 436 right ones 37 (a quarter of XQuAD, November 2026).
SURE_IN_OTHER_LANGUAGES = 0.25


def is_for_model(question: str, documents: Mapping[str, Document], embedder: Embedder) -> bool:
    """Return whether the model decides alone if the documents answer: it was trained on English questions only.

    It also decides for a question in a language that no document has, of which the words of a passage say nothing.
    """
    if not is_latin(question):
        return False
    if detect_language(question) == ENGLISH:
        return True
    return not embedder.multilingual and bool(other_languages(question, documents.values()))


def lacks_figure(question: Question, values: Any) -> bool:
    """Return whether a question asks for a figure that no quote has, by the features of the quotes, a row each."""
    return question.kind in FIGURES and bool(values[:, NAMES.index("lacks the kind")].all())


def is_refused(answered: float, threshold: float, *, without_figure: bool) -> bool:
    """Return whether documents are too unlikely to answer."""
    return answered < (max(threshold, WITHOUT_FIGURE_THRESHOLD) if without_figure else threshold)


def is_unsure(
    question: str, answered: float, probability: float, embedder: Embedder, *, decides: bool, without_figure: bool
) -> bool:
    """Return whether quotes may well not answer: their `probability` together is low, or they have no figure."""
    if decides:
        return probability < SURE or (without_figure and answered < SURE_WITHOUT_FIGURE)
    return _is_measured(question, embedder) and probability < SURE_IN_OTHER_LANGUAGES


def is_hardly_answered(question: str, answered: float, embedder: Embedder) -> bool:
    """Return whether the model finds an answer unlikely where it doesn't decide alone, but was measured."""
    return _is_measured(question, embedder) and answered < OTHER_LANGUAGES_THRESHOLD


def _is_measured(question: str, embedder: Embedder) -> bool:
    return is_latin(question) and not embedder.multilingual


def has_unknown_name(situation: Situation, documents: Mapping[str, Document]) -> bool:
    """Return whether a question also has a name that no document mentions: another company, town or product.

    With an invented name in place of one of several, 53 of 68 quotes were given as the answer (November 2026). Of 1,190
    questions that their document answers, 2 % have such a name. German writes all nouns with a capital letter, and
    documents in another language can have another name for the same.
    """
    question = situation.question.text
    is_unknown = situation.missing.some and detect_language(question) != GERMAN
    return is_unknown and not other_languages(question, documents.values())
