"""Figures as a reader takes them: the value with its scale, its unit, and how exact it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answering.numbers import CURRENCY_BEFORE, NUMBER, SCALE
from rag.answering.verification.sentences.figures import Figure, find_scale
from rag.scoring.figures.units import MEASURES, Unit, read_bound, read_noun, read_unit

_EAST_ASIAN = r"\u3040-\u30ff\u3400-\u9fff"
_SPACED = (
    (re.compile(r"(?<=\d)\s?Mds?\s?(?=€|EUR\b|d'euros)"), " milliards "),
    (re.compile(rf"(?<=[{_EAST_ASIAN}])(?=[\d$€£¥])"), " "),  # 为46.48
    (re.compile(rf"(?<=[万亿億])(?=[{_EAST_ASIAN}])"), " "),  # 亿美元
    (re.compile(r"(?<=\d)(?=(?:[mkµμ]g|[gl]|ml|[cmk]m|lbs?|[mgtMGT][bB]|k[wW])\b)"), " "),  # 5mg
    (re.compile(rf"({CURRENCY_BEFORE})\s?\((?=\d)"), r"(\1"),  # $(1,234)
    (re.compile(rf"\(({CURRENCY_BEFORE}?\s?{NUMBER})\s?\)\s?({SCALE})", re.IGNORECASE), r"(\1 \2)"),  # (1,234) million
)
_ONE_MARK = re.compile(r"(\d{1,3})[.,](\d{3})")

_HALF_DAY = 12 * 60  # minutes
_MAX_RATIO = 1000
_MAX_CELL = 1e6  # a table in millions has smaller figures
_APART = frozenset({Unit.PERCENT, Unit.POINTS, Unit.TIME})


@dataclass(frozen=True, slots=True)
class Amount:
    """A figure of a text, in full: 4.648 billion and 4,648 million are the same amount.

    `value` is never negative. `others` has what the same digits mean with the other decimal mark, if that's possible.
    `step` is the worth of the last digit, `digits` how many of them say something. `noun` is the word after it. In
    accounts, parentheses are a minus; in a sentence they may only repeat a figure. `bound` is 1 for "at least", -1 for
    "at most".
    """

    text: str
    value: float
    step: float
    digits: int
    unit: Unit
    currency: str
    is_scaled: bool
    has_minus: bool
    in_parentheses: bool
    noun: str
    others: tuple[float, ...] = ()
    bound: int = 0

    @property
    def is_rounded(self) -> bool:
        """Whether the figure may be a rounded one: it has a scale or is a percentage, and two digits or more."""
        return self.digits >= 2 and (self.is_scaled or self.unit in (Unit.PERCENT, Unit.POINTS))


def spaced(text: str) -> str:
    """Return a text in which figures stand by themselves, and a scale stands in the parentheses of its figure."""
    for pattern, replacement in _SPACED:
        text = pattern.sub(replacement, text)
    return text


def amount(text: str, figure: Figure, scale_note: float | None = None, *, is_foreign: bool = False) -> Amount:
    """Return the amount of a figure of a text.

    `scale_note` is what "in millions" says elsewhere. In a text that `is_foreign`, 4,648 can be 4.648 and the other
    way round: models copy figures of an English document as they are.
    """
    written, after = text[figure.start : figure.end], text[figure.end : figure.end + 30]
    unit, factor, currency = read_unit(figure, written, after)
    scale = figure.scale * factor
    if figure.scale == 1 and scale_note and unit in (Unit.NONE, Unit.CURRENCY):
        scale = scale_note
    one_mark = _ONE_MARK.fullmatch(figure.text) if is_foreign else None
    others = (float(f"{one_mark[1]}{one_mark[2]}"), float(f"{one_mark[1]}.{one_mark[2]}")) if one_mark else ()
    return Amount(
        " ".join(written.split()).strip(",;"),
        figure.value * scale,
        figure.step * scale,
        len(re.sub(r"\D", "", figure.text).lstrip("0")),
        unit,
        currency,
        scale != 1,
        figure.negative and not written.lstrip().startswith("("),
        _is_in_parentheses(text, figure),
        read_noun(unit, after),
        tuple(other * scale for other in others),
        read_bound(text[: figure.start]),
    )


def scale_note(text: str) -> float | None:
    """Return the factor of "in millions" in a text, or None."""
    return find_scale(text) if re.search(r"\bin (?:thousands|millions|billions)\b", text, re.IGNORECASE) else None


def _is_in_parentheses(text: str, figure: Figure) -> bool:
    inside = text[figure.start : figure.end].strip()
    if inside.startswith("("):
        return figure.negative
    return text[: figure.start].endswith("(") and text[figure.end :].startswith(")")


def is_same_amount(gold: Amount, given: Amount) -> bool:
    """Return whether an amount of an answer is the gold one, apart from its sign.

    It may be rounded, or more exact than a gold one that is rounded. A bare gold figure says nothing about the scale.
    """
    if not _is_same_unit(gold, given) or _has_other_measure(gold, given) or gold.bound * given.bound < 0:
        return False
    if gold.unit is Unit.TIME:
        return _is_same_time(gold, given)
    if any(_is_close(gold, given, value) for value in (given.value, *given.others)):
        return True
    is_cell = gold.unit is Unit.NONE and not gold.is_scaled and gold.digits >= 3 and gold.value < _MAX_CELL
    return (
        is_cell and given.is_scaled and any(_is_equal(gold.value * factor, given.value) for factor in (1e3, 1e6, 1e9))
    )


def _is_same_time(gold: Amount, given: Amount) -> bool:
    """Return whether two times of day are the same: 9:30 p.m., 21:30, and, for a gold 9:30 p.m., a bare 9:30."""
    is_bare = not given.noun and gold.noun == "pm" and given.value + _HALF_DAY == _minutes(gold)
    return given.unit is Unit.TIME and (is_bare or _minutes(gold) == _minutes(given))


def _minutes(time: Amount) -> float:
    return time.value % _HALF_DAY + _HALF_DAY * (time.noun == "pm") if time.noun else time.value


def _has_other_measure(gold: Amount, given: Amount) -> bool:
    return gold.noun != given.noun and {gold.noun, given.noun} <= MEASURES


def _is_close(gold: Amount, given: Amount, value: float) -> bool:
    if _is_equal(gold.value, value):
        return True
    step = given.step if given.is_rounded and given.step >= gold.step else 0.0
    step = gold.step if gold.is_rounded and gold.step > given.step else step
    return abs(gold.value - value) <= step / 2 * (1 + 1e-9)


def _is_equal(first: float, second: float) -> bool:
    return abs(first - second) <= 1e-9 * abs(first)


def _is_same_unit(gold: Amount, given: Amount) -> bool:
    if gold.unit is given.unit is Unit.CURRENCY:
        return gold.currency == given.currency or "" in (gold.currency, given.currency)
    if gold.unit is given.unit:
        return True
    if gold.unit in (Unit.PERCENT, Unit.POINTS):  # "What percentage …?" "64.6"
        return gold.unit is Unit.PERCENT and given.unit is Unit.NONE and not given.is_scaled and not given.noun
    if gold.unit is Unit.NONE:
        return given.unit is Unit.CURRENCY and not gold.noun
    return given.unit is Unit.NONE


def is_comparable(gold: Amount, given: Amount) -> bool:
    """Return whether an amount could be meant in the place of the gold one: two prices, two percentages, two counts."""
    if (gold.unit is not given.unit and _APART & {gold.unit, given.unit}) or _has_other_measure(gold, given):
        return False
    if max(gold.value, given.value) > _MAX_RATIO * min(gold.value, given.value) > 0:  # a total beside an amount a share
        return False
    if gold.unit in (Unit.PERCENT, Unit.POINTS):
        return True
    if gold.unit is Unit.NONE and gold.noun:
        return given.unit is Unit.NONE
    if gold.unit is Unit.TIME:  # from 9:30 to 17:00
        return False
    is_small = given.unit is Unit.NONE and not given.is_scaled and given.digits < 3 and given.step == 1
    if is_small and (gold.unit is not Unit.NONE or gold.is_scaled):  # a page, a note, a number in a list
        return False
    return not (gold.unit is Unit.CURRENCY and given.unit is Unit.NONE and given.noun)
