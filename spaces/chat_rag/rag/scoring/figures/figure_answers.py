"""Marks an answer by the figures of a gold answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answering.verification.sentences.figures import find_figures, find_periods
from rag.scoring.figures.amounts import Amount, amount, is_comparable, is_same_amount, scale_note, spaced
from rag.scoring.figures.figure_roles import Mention, WantedFigure, find_mentions, stands_beside
from rag.scoring.figures.signs import FALL, RISE, change_sign, is_right_sign, says_minus
from rag.scoring.figures.units import Unit
from rag.scoring.marks import Mark

_FISCAL = re.compile(r"\bfiscal\b|\bFY|geschäftsjahr|exercice|ejercicio|财年", re.IGNORECASE)

_CHANGE_ASKED = re.compile(rf"(?<!\w)(?:{FALL}|{RISE}|chang\w*)(?!\w)", re.IGNORECASE)


def gold_amounts(gold: str) -> list[Amount]:
    """Return the figures of a gold answer; a year or a date isn't one.

    "A loss of 12" and "decreased by 12" are -12.
    """
    text = spaced(gold)
    note = scale_note(text)
    figures = find_figures(text)
    bounds = [0, *(figure.end for figure in figures), len(text)]
    starts = [*(figure.start for figure in figures[1:]), len(text)]
    amounts = []
    for at, figure in enumerate(figures):
        before, after = text[bounds[at] : figure.start], text[figure.end : starts[at]]
        value = amount(text, figure, note)
        is_count = value.unit is Unit.NONE and bool(value.noun)
        is_minus = says_minus(before, after, is_count=is_count)
        amounts.append(replace(value, has_minus=True) if is_minus else value)
    return amounts


def mark_figures(question: str, gold: Sequence[Amount], statements: Sequence[str], *, is_foreign: bool) -> Mark:
    """Return whether an answer gives all of the gold figures, and no other one in the place of any."""
    mentions, wanted_figure = find_mentions(statements, is_foreign=is_foreign), WantedFigure.of(question)
    if not mentions:
        return Mark(False, "the answer has no figure")
    for each in gold:
        mark = _mark(question, each, gold, mentions, wanted_figure)
        if not mark.correct:
            return mark
    return Mark(True, f"it says {', '.join(each.text for each in gold)}")


def _mark(
    question: str, gold: Amount, all_gold: Sequence[Amount], mentions: Sequence[Mention], wanted_figure: WantedFigure
) -> Mark:
    same = [mention for mention in mentions if is_same_amount(gold, mention.amount)]
    if not same:
        return Mark(False, _difference(gold, mentions))
    signed = [
        each
        for each in same
        if is_right_sign(question, gold, each.amount, each.before, each.after, is_first=each is mentions[0])
    ]
    if not signed:
        return Mark(False, f"{same[0].amount.text} has the other sign than {gold.text}")
    if all(mention.is_denied for mention in signed):
        return Mark(False, f"the answer says that it isn't {gold.text}")
    right = max(
        (mention for mention in signed if not mention.is_denied),
        key=lambda mention: (not mention.is_reference, wanted_figure.time(mention), wanted_figure.coverage(mention)),
    )
    others = [
        mention
        for mention in mentions
        if is_comparable(gold, mention.amount) and not any(is_same_amount(each, mention.amount) for each in all_gold)
    ]
    if not _add_up(others, gold) and (rival := _rival(question, right, others, mentions, wanted_figure)):
        return Mark(False, f"{rival.amount.text} answers as much as {gold.text}")
    if _is_of_other_year(question, right):
        return Mark(False, f"{gold.text} is said of another year")
    return Mark(True, f"it says {gold.text}")


def _rival(
    question: str, right: Mention, others: Sequence[Mention], mentions: Sequence[Mention], wanted_figure: WantedFigure
) -> Mention | None:
    """Return a figure that answers the question as much as the right one; a change is none to a level."""
    is_change = bool(_CHANGE_ASKED.search(question))
    levels = (each for each in others if is_change or not change_sign(each.before, each.after))
    return next(
        (
            each
            for each in levels
            if stands_beside(each, right, wanted_figure) or _are_alternatives(each, right, mentions)
        ),
        None,
    )


def _difference(gold: Amount, mentions: Sequence[Mention]) -> str:
    """Return how the figures of an answer differ from the gold one."""
    near = next((each.amount for each in mentions if _digits(each.amount) == _digits(gold)), None)
    if near and near.bound * gold.bound < 0:
        return f"{near.text} is a limit on the other side than {gold.text}"
    return f"{near.text} has another scale or unit than {gold.text}" if near else f"no figure is {gold.text}"


def _digits(amount: Amount) -> str:
    return re.sub(r"\D", "", amount.text).strip("0")


def _add_up(others: Sequence[Mention], gold: Amount) -> bool:
    """Return whether figures are the parts of the gold one."""
    signs = (-1 if each.amount.has_minus or each.amount.in_parentheses else 1 for each in others)
    total = sum(sign * each.amount.value for sign, each in zip(signs, others, strict=True))
    return len(others) > 1 and abs(total - gold.value) <= max(gold.step, *(each.amount.step for each in others))


def _are_alternatives(first: Mention, second: Mention, mentions: Sequence[Mention]) -> bool:
    """Return whether two figures have nothing but "or" between them."""
    places = sorted((mentions.index(first), mentions.index(second)))
    return places[1] - places[0] == 1 and mentions[places[1]].is_alternative


def _is_of_other_year(question: str, mention: Mention) -> bool:
    """Return whether a figure is said of a year that isn't the question's; a fiscal year can have two numbers."""
    years = {period.value for period in find_periods(question) if period.kind == "year"}
    own = {period.value for period in mention.periods if period.kind == "year"}
    is_fiscal = _FISCAL.search(f"{question} {mention.before} {mention.after}")
    return bool(years and own) and not years & own and not is_fiscal
