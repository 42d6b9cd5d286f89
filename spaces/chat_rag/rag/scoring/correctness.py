"""Marks an answer: right, wrong, or None if nothing is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.evidence.asked.kinds import Kind
from rag.answering.evidence.asked.questions import Question
from rag.scoring.amounts import is_same_amount
from rag.scoring.dates import find_dates, is_date
from rag.scoring.figure_answers import gold_amounts, mark_figures
from rag.scoring.marks import Mark
from rag.scoring.questions import Gold
from rag.scoring.words import (
    MIN_SPAN_SHARE,
    is_identifier,
    is_yes_or_no,
    mark_dates,
    mark_identifier,
    mark_words,
    mark_yes_or_no,
    normal,
    span_share,
)
from rag.search.languages import ENGLISH, detect_language

# Four digits that aren't said to be a year: "2022 employees".
_COUNT = re.compile(
    r"(?<![\d,.])(?<!\bin )(?<!\bof )(?<!\bfor )(?<!\bby )(?<!\bsince )(?<!\bduring )(?<!\bfiscal )(?<!\byear )(?<!, )"
    r"(?:19|20)\d\d(?![\d,.]\d|\d)",
    re.IGNORECASE,
)


def mark_answer(question: str, gold: Gold, text: str, statements: Sequence[str], *, refused: bool) -> Mark:
    """Return the mark of an answer, given as plain text and as its statements.

    If the question isn't answerable, a refusal is right. Otherwise a refusal is wrong, and one of the gold answers or
    spans must be held.
    """
    if gold.answerable is False:
        return Mark(refused, "refused" if refused else "it answers what the documents don't")
    if not gold.answers and not gold.spans:
        return Mark(None, "refused" if refused else "no gold answer")
    if not text:
        return Mark(False, "the answer is empty")
    if refused:
        return Mark(False, "refused")
    marks = [_mark(question, answer, text, statements) for answer in gold.answers]
    marks += [_mark_span(span, text) for span in gold.spans]
    return next((mark for mark in marks if mark.correct), marks[0])


def _mark(question: str, gold: str, text: str, statements: Sequence[str]) -> Mark:
    if is_yes_or_no(gold):
        return mark_yes_or_no(gold, text)
    asks_date = Question(question).kind is Kind.DATE
    if is_date(gold) and (asks_date or not gold.isdigit()):
        return mark_dates(find_dates(gold), text.splitlines())  # a sentence could end in the middle of "30. April"
    if _COUNT.fullmatch(gold):
        return _mark_number_like_a_year(question, gold, statements)
    if is_identifier(gold):
        return mark_identifier(gold, text)
    if amounts := gold_amounts(gold):
        is_foreign = detect_language(text) != ENGLISH
        return mark_figures(question, amounts, statements, is_foreign=is_foreign)
    return mark_words(question, gold, statements)


def _mark_number_like_a_year(question: str, gold: str, statements: Sequence[str]) -> Mark:
    """Mark by a gold count such as 2022, which as a word of a sentence could be a year."""
    amounts = gold_amounts(_as_count(gold))
    return mark_figures(question, amounts, [_as_count(text) for text in statements], is_foreign=False)


def _as_count(text: str) -> str:
    return _COUNT.sub(lambda match: f"{int(match[0]):,}", text)


def _mark_span(span: str, text: str) -> Mark:
    """Mark by words of the document: the figures of the answer must be theirs, or most of their words in the answer."""
    gold, given = gold_amounts(span), gold_amounts(text)
    if given and gold:
        other = next((each for each in given if not any(is_same_amount(right, each) for right in gold)), None)
        return Mark(other is None, f"{other.text} isn't in the span" if other else "its figures are in the span")
    share = span_share(span, text)
    return Mark(normal(span) in normal(text) or share >= MIN_SPAN_SHARE, f"it has {share:.0%} of the span's words")
