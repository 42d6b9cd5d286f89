"""Compares the figures of two quotes: of two cells, or of a cell and a sentence."""

from __future__ import annotations

import re

from rag.answering.evidence.tables.figures import FACTORS, read_figure
from rag.answering.numbers import CURRENCY_AFTER, CURRENCY_BEFORE, PERCENT
from rag.answering.quotes import Quote
from rag.search.bm25 import STOP_WORDS, stems

_CURRENCY = re.compile(rf"{CURRENCY_BEFORE}|{CURRENCY_AFTER}")
_PERCENT = re.compile(PERCENT)
_SCALES = {"": 1.0} | FACTORS


def is_other_figure(cell: Quote, other: Quote) -> bool:
    """Return whether two cells have different figures of one measure: not 1.2 in billions and $ 1,234 in millions."""
    first, second = read_figure(cell.answer), read_figure(other.answer)
    if not first or not second or not _has_same_measure(cell.answer, other.answer):
        return False
    scales = _SCALES[cell.unit], _SCALES[other.unit]
    if "" in (cell.unit, other.unit) and first[0] == second[0]:  # the unit of a table isn't always found
        return False
    difference = abs(first[0] * scales[0] - second[0] * scales[1])
    last_digit = max(first[1] * scales[0], second[1] * scales[1])
    return difference > 0.501 * last_digit  # one of them can be rounded


def says_same(cell: Quote, sentence: Quote) -> bool:
    """Return whether a sentence with the number of a cell has its unit, and a word of its label or a currency."""
    if cell.unit not in sentence.answer:
        return False
    words = {word for word in stems([cell.labels[0]]) if word not in STOP_WORDS and not word.isdigit()}
    is_money = bool(cell.unit and _CURRENCY.search(sentence.answer))
    return is_money or not words.isdisjoint(stems([sentence.text]))


def _has_same_measure(first: str, second: str) -> bool:
    """Return whether both figures are shares, or neither and of no two currencies: often one cell of many has "$"."""
    if bool(_PERCENT.search(first)) != bool(_PERCENT.search(second)):
        return False
    currencies = {match[0] for text in (first, second) if (match := _CURRENCY.search(text))}
    return len(currencies) < 2
