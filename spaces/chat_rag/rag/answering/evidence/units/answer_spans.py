"""Finds the words of a sentence that answer a question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.answer_candidates import SHORT_NAME, candidates, follows_change, stems_after
from rag.answering.evidence.units.numbered_names import spans_of_number
from rag.answering.evidence.units.series import Span, figures_of_period
from rag.search.bm25 import STOP_WORDS, stems

_WORD = re.compile(r"\w+")
# "Built by the Romans", "a copy of it, by Jane Doe": what was done stands in the same clause.
_BY, _BY_REACH = re.compile(r"\bby\s(?:the\s)?\Z"), 10
_BRACKETS = re.compile(r"\([^()]*\)")
_CLAUSE_END = re.compile(r"[(;:.]\s")
_IS = re.compile(r"\s(?:is|are|was|were)\s")


def answer_span(text: str, question: Question) -> Span:
    """Return the part of a sentence that answers: the candidate nearest to the question's words, or all of it."""
    spans = _without_other_counts(_spans(text, question), text, question)
    if not spans or _says_who(text, question):
        return 0, len(text)
    spans = spans_of_number(spans, text, question)
    if len(spans) > 1:
        of_period = figures_of_period(spans, text, question)
        if of_period == [] or (of_period is None and "respectively" in text):
            return 0, len(text)
        spans = of_period or spans
    places = [word.span() for word in _WORD.finditer(text) if set(stems([word[0]])) & set(question.stems)]
    return min(spans, key=lambda span: _distance(span, places))


def _spans(text: str, question: Question) -> list[Span]:
    """Return the parts of a sentence that have the kind of answer, or else another figure for a question for money."""
    spans = list(candidates(question.kind, text, question))
    if question.asks_change:
        amounts = [*spans, *candidates(Kind.PERCENT, text, question), *candidates(Kind.MONEY, text, question)]
        return [span for span in amounts if follows_change(text, span[0])]
    if not spans and question.may_be_money:
        return list(candidates(Kind.MONEY, text, question)) or list(candidates(Kind.PERCENT, text, question))
    if question.kind is Kind.PERSON:  # "Jane Doe: the PR is ready"
        spans = [span for span in spans if not SHORT_NAME.fullmatch(text, *span)] or spans
    if question.asks_doer:
        return [span for span in spans if _is_doer(text, span[0], question)] or spans
    if not spans and question.kind is Kind.MONEY:
        spans = list(candidates(Kind.PERCENT, text, question)) or list(candidates(Kind.NUMBER, text, question))
    return spans


def _is_doer(text: str, start: int, question: Question) -> bool:
    """Return whether "by" stands before a name, and words of the question before that in the clause."""
    by = _BY.search(text, max(0, start - _BY_REACH), start)
    before = _BRACKETS.sub(" ", text[: by.start()]).replace("(", "( ") if by else ""
    clause = _CLAUSE_END.split(before)[-1]
    return bool(set(stems([clause])) & set(question.stems))


def _says_who(text: str, question: Question) -> bool:
    """Return whether a sentence says who those are whom the question names: "The Picts were painters of stone"."""
    if question.kind is not Kind.PERSON or not question.name_stems or not (copula := _IS.search(text)):
        return False
    return set(stems([text[: copula.start()]])) - STOP_WORDS == set(question.stems) == question.name_stems


def _without_other_counts(spans: Sequence[Span], text: str, question: Question) -> Sequence[Span]:
    """Return the numbers without those that count something else: "272 incidents" aren't people, if others are."""
    others = set(question.stems) - question.counted
    if question.kind is not Kind.NUMBER or not question.counted:
        return spans
    rest = [span for span in spans if not others & stems_after(text, span[1], 1)]
    return rest or spans


def _distance(span: Span, places: Sequence[Span]) -> float:
    """Return the mean distance of the nearest three words of the question."""
    distances = sorted(max(start - span[1], span[0] - end, 0) for start, end in places)[:3]
    return sum(distances) / len(distances) if distances else 0.0
