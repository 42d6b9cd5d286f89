"""Marks an answer by the figures of a gold answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.verification.figures import find_figures, find_periods
from rag.scoring.amounts import Amount, amount, is_comparable, is_same_amount, scale_note, spaced
from rag.scoring.figure_roles import Asked, Mention, find_mentions, stands_beside
from rag.scoring.marks import Mark
from rag.scoring.signs import is_right_sign

_FISCAL = re.compile(r"\bfiscal\b|\bFY|geschäftsjahr|exercice|ejercicio|财年", re.IGNORECASE)


def gold_amounts(gold: str) -> list[Amount]:
    """Return the figures of a gold answer; a year or a date isn't one."""
    text = spaced(gold)
    return [amount(text, figure, scale_note(text)) for figure in find_figures(text)]


def mark_figures(question: str, gold: Sequence[Amount], statements: Sequence[str], *, is_foreign: bool) -> Mark:
    """Return whether an answer gives all of the gold figures, and no other one in the place of any."""
    mentions, asked = find_mentions(statements, is_foreign=is_foreign), Asked.of(question)
    if not mentions:
        return Mark(False, "the answer has no figure")
    for each in gold:
        mark = _mark(question, each, gold, mentions, asked)
        if not mark.correct:
            return mark
    return Mark(True, f"it says {', '.join(each.text for each in gold)}")


def _mark(question: str, gold: Amount, all_gold: Sequence[Amount], mentions: Sequence[Mention], asked: Asked) -> Mark:
    same = [mention for mention in mentions if is_same_amount(gold, mention.amount)]
    if not same:
        return Mark(False, f"no figure is {gold.text}")
    signed = [mention for mention in same if _has_sign(question, gold, mention)]
    if not signed:
        return Mark(False, f"{same[0].amount.text} has the other sign than {gold.text}")
    if all(mention.is_denied for mention in signed):
        return Mark(False, f"the answer says that it isn't {gold.text}")
    right = max(
        (mention for mention in signed if not mention.is_denied),
        key=lambda mention: (not mention.is_reference, asked.time(mention), asked.coverage(mention)),
    )
    others = [
        mention
        for mention in mentions
        if is_comparable(gold, mention.amount) and not any(is_same_amount(each, mention.amount) for each in all_gold)
    ]
    if other := next((mention for mention in others if stands_beside(mention, right, asked)), None):
        return Mark(False, f"{other.amount.text} answers as much as {gold.text}")
    if _is_of_other_year(question, right):
        return Mark(False, f"{gold.text} is said of another year")
    return Mark(True, f"it says {gold.text}")


def _has_sign(question: str, gold: Amount, mention: Mention) -> bool:
    return is_right_sign(
        question,
        gold_is_negative=gold.is_negative,
        is_negative=mention.amount.is_negative,
        before=mention.before,
        behind=mention.behind,
    )


def _is_of_other_year(question: str, mention: Mention) -> bool:
    """Return whether a figure is said of a year that isn't the question's; a fiscal year can have two numbers."""
    asked = {period.value for period in find_periods(question) if period.kind == "year"}
    own = {period.value for period in mention.periods if period.kind == "year"}
    is_fiscal = _FISCAL.search(f"{question} {mention.before} {mention.behind}")
    return bool(asked and own) and not asked & own and not is_fiscal
