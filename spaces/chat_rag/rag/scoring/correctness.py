"""Marks an answer: right, wrong, or None if nothing is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.evidence.question_analysis.kinds import FIGURES, Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.scoring.figures.amounts import is_same_amount
from rag.scoring.figures.figure_answers import gold_amounts, mark_figures
from rag.scoring.figures.number_words import (
    is_number_word,
    is_quarter,
    is_small,
    with_digits,
    with_quarters,
    with_ranges,
    with_zeros,
)
from rag.scoring.figures.units import Unit
from rag.scoring.marks import Mark
from rag.scoring.questions import Gold
from rag.scoring.texts.date_answers import mark_dates
from rag.scoring.texts.dates import find_dates, is_date
from rag.scoring.texts.words import (
    MIN_SPAN_SHARE,
    is_identifier,
    mark_identifier,
    mark_words,
    normal,
    span_share,
)
from rag.scoring.texts.yes_no import is_yes_or_no, mark_yes_or_no
from rag.search.languages import ENGLISH, detect_language

# Four digits that aren't said to be a year: "2022 employees".
_COUNT = re.compile(
    r"(?<![\d,.])(?<!\bin )(?<!\bof )(?<!\bfor )(?<!\bby )(?<!\bsince )(?<!\bduring )(?<!\bfiscal )(?<!\byear )(?<!, )"
    r"(?:19|20)\d\d(?![\d,.]\d|\d)",
    re.IGNORECASE,
)
_DATE_ASKED = re.compile(
    r"\b(?:what|which)(?: is| was|['’]s)? the (?:\w{1,20} )?(?:year|date|day|month)\b", re.IGNORECASE
)
# "S&P 500" and "Boeing 737" are names; "About 500" isn't one.
_NUMBERED_NAME = re.compile(r"\b([A-Z][\w&.-]{0,40}) \d{1,4}(?:$|\s[A-Z])")
_ONE = re.compile(r"(?<![\d.,])1(?![\d.,])")
_ZERO = re.compile(r"\D*0(?:[.,]0{1,4})?\D*")
_QUALIFIER = re.compile(
    r"(?:about|approximately|around|roughly|nearly|almost|over|under|more|less|fewer|at|up|some|only|minimum|maximum|circa"
    r"|ca|etwa|rund|mindestens|höchstens)\b",
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
    if is_date(dates := with_ranges(gold)) and (_asks_date(question) or not gold.isdigit()):
        lines = with_ranges(text).splitlines()  # a sentence could end in the middle of "30. April"
        return mark_dates(question, find_dates(dates), lines)
    if _COUNT.fullmatch(gold):
        return _mark_number_like_a_year(question, gold, statements)
    if is_identifier(gold) or is_quarter(gold):
        return mark_identifier(with_quarters(gold), with_quarters(text))
    if _is_numbered_name(question, gold):
        return mark_words(question, gold, statements)
    gold, statements = _in_digits(question, gold, statements)
    if amounts := gold_amounts(gold):
        is_foreign = detect_language(text) != ENGLISH
        return mark_figures(question, amounts, statements, is_foreign=is_foreign)
    return mark_words(question, with_quarters(gold), [with_quarters(text) for text in statements])


def _asks_date(question: str) -> bool:
    return Question(question).kind is Kind.DATE or bool(_DATE_ASKED.search(question))


def _is_numbered_name(question: str, gold: str) -> bool:
    """Return whether a gold answer is a name with a number, and not a number that is asked for."""
    name = _NUMBERED_NAME.search(gold)
    if name is None or Question(question).kind in FIGURES or _QUALIFIER.match(gold):
        return False
    if normal(name[1]) in normal(question):  # "On which page?" "Page 12"
        return False
    return all(each.unit is Unit.NONE and not each.is_scaled for each in gold_amounts(gold))


def _in_digits(question: str, gold: str, statements: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return a gold answer and the statements of an answer with their small numbers as digits."""
    if normal(gold).strip(" .") in ("none", "nil") and Question(question).kind in FIGURES:
        gold = "0"
    written = with_digits(gold)
    if not is_small(written) or (not is_small(gold) and not is_number_word(gold)):
        return gold, statements
    statements = [with_digits(text, keep_one=not _ONE.search(written)) for text in statements]
    return written, [with_zeros(text) for text in statements] if _ZERO.fullmatch(written) else statements


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
