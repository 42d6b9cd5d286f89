"""Figures and periods of a text: "$1.28 billion" is 1,280 million dollars, "(1,234)" is negative, "Q3" is a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.answering.numbers import (
    CODE,
    CURRENCY_AFTER,
    CURRENCY_BEFORE,
    END,
    NUMBER,
    PERCENT,
    SCALE,
    SCALES,
    SIGNS,
    read_number,
)

_SCALES = {scale: re.compile(words, re.IGNORECASE) for scale, words in SCALES.items()}
_SCALE_LETTERS = {"k": 1e3, "t": 1e3, "m": 1e6, "b": 1e9}
_S = r"\s{0,3}"  # bounded, so that white space can't slow down a search
_CHAIN = r"\d{1,4}(?:[.,]\d{1,4}){2,7}"  # a date, a version, a list: it is compared as a whole
_FIGURE = re.compile(
    rf"(?<![\w.,])(?=[(\d.½⅓⅔¼¾⅛⅜⅝⅞−–-]|{CURRENCY_BEFORE})(?P<open>\({_S})?(?P<first>{CURRENCY_BEFORE})?{_S}(?P<sign>(?<!\d)(?<!\d[€%])(?<!\d\s[€%])[-−–])?{_S}"
    rf"(?P<second>{CURRENCY_BEFORE})?{_S}(?P<number>\d{{1,2}}:[0-5]\d(?![\d:])|{NUMBER}|(?P<chain>{_CHAIN}))"
    rf"(?:(?P<letter>(?<=\d)[kmb](?![\w$])|{_S}[kmt](?=€|eur\b))|(?:{_S}|-)(?P<scale>{SCALE}))?"
    rf"(?P<close>{_S}\))?{_S}(?P<percent>{PERCENT})?(?:{_S}(?P<third>{CURRENCY_AFTER}))?{END}(?!-[A-Z]\b)",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"[\d½⅓⅔¼¾⅛⅜⅝⅞]")
_CURRENCIES = {
    name: sign
    for sign, names in {
        "$": "us$ usd dollar", "€": "eur euro", "£": "gbp pound", "¥": "￥ jpy yen", "₹": "inr rs rupee",
        "chf": "fr franc franken", "zł": "pln", "r$": "brl", "kč": "czk", "ft": "huf", "₽": "rub", "₺": "try",
    }.items()
    for name in names.split()
}  # fmt: skip
_MEASURE = re.compile(r"\b(thousands|millions|billions|000s)\b", re.IGNORECASE)
_MEASURES = {"thousands": 1e3, "000s": 1e3, "millions": 1e6, "billions": 1e9}

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{0}>(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b)\.?"
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_LENGTHS = {"three": 3, "six": 6, "nine": 9, "twelve": 12, "thirteen": 3, "twenty-six": 6, "thirty-nine": 9}
# All begin with a word, and are tried there only: at each character, they took most of the time of reading passages.
_PERIOD = re.compile(
    rf"\b(?=\w)(?:{_MONTH.format('m1')}\s+(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*%)"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+{_MONTH.format('m2')}"
    rf"|(?P<iso>(?:19|20)\d\d-\d\d-\d\d)\b"
    rf"|q(?P<q>[1-4])(?!\w)"
    rf"|(?P<ordinal>first|second|third|fourth|[1-4](?:st|nd|rd|th))[\s-]+(?:fiscal\s+)?quarter\b"
    rf"|(?P<length>three|six|nine|twelve|thirteen|twenty-six|thirty-nine|3|6|9|12)[\s-]+(?:months?|weeks)\b"
    rf"|(?<![\d.,-])(?<!{SIGNS})(?<!{SIGNS}\s)(?<!\b{CODE}\s)(?:fy\s?'?)?(?P<year>(?:19|20)\d\d)\b"
    rf"(?![.,]\d|\s{{0,3}}(?:{PERCENT}|{SCALE}|{CURRENCY_AFTER}))"
    rf"|fy\s?'?(?P<short>\d\d)\b"
    rf"|(?P<before>year[\s-]+(?:ago|earlier|over[\s-]+year)|(?:prior|previous|last|preceding)[\s-]+(?:fiscal[\s-]+)?year)\b"
    rf"|(?P<last>sequential(?:ly)?|quarter[\s-]+over[\s-]+quarter|(?:prior|previous|last|preceding)[\s-]+quarter)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a text, where it stands, and its meaning.

    `value` is without `scale`, the factor of a word such as "million" (1 without one). `step` is the worth of the last
    digit. `unit` is "%", a currency sign or "". `text` has its digits as they are written.
    """

    start: int
    end: int
    text: str
    value: float
    step: float
    scale: float
    unit: str
    negative: bool


@dataclass(frozen=True, slots=True)
class Period:
    """A time of a text: its kind is "year", "day" (month and day), "quarter", "months" (a length) or "base".

    A base is what a change is measured from: the year (1) or the quarter (2) before.
    """

    start: int
    end: int
    kind: str
    value: int


def find_figures(text: str) -> list[Figure]:
    """Return the figures of a text without those of its dates."""
    return read_figures(text)[0]


def read_figures(text: str) -> tuple[list[Figure], list[Period]]:
    """Return the figures of a text without those of its dates, and its periods; neither if it has no digit."""
    if not _DIGIT.search(text):
        return [], []
    blank, periods = list(text), find_periods(text)
    for period in periods:
        blank[period.start : period.end] = " " * (period.end - period.start)
    return [_figure(match) for match in _FIGURE.finditer("".join(blank))], periods


def without_figures(text: str) -> str:
    """Return a text with an article, which says nothing, in the place of each figure and date."""
    figures, periods = read_figures(text)
    spans = sorted((each.start, each.end) for found in (figures, periods) for each in found)
    for start, end in reversed(spans):
        text = f"{text[:start]} the {text[end:]}"
    return text


def find_periods(text: str) -> list[Period]:
    """Return the years, days, quarters and lengths of time of a text."""
    return [period for match in _PERIOD.finditer(text) for period in _periods(match)]


def find_scale(text: str) -> float | None:
    """Return the factor that a caption or header names, as "in millions" does, or None."""
    match = _MEASURE.search(text)
    return _MEASURES[match[1].lower()] if match else None


def _figure(match: re.Match[str]) -> Figure:
    digits = match["number"]
    value, step = _value(match)
    scale = _SCALE_LETTERS[match["letter"].strip().lower()] if match["letter"] else _scale(match["scale"])
    currency = (match["first"] or match["second"] or match["third"] or "").lower().rstrip(".")
    currency = currency if currency in _CURRENCIES else currency.rstrip("s")
    unit = "%" if match["percent"] else ":" if ":" in digits else _CURRENCIES.get(currency, currency)
    negative = bool(match["sign"] or (match["open"] and match["close"]))
    start = match.start("number") if match["open"] and not match["close"] else match.start()
    return Figure(start, match.end(), digits, value, step, scale, unit, negative)


def _value(match: re.Match[str]) -> tuple[float, float]:
    digits = match["number"]
    if ":" in digits:  # a time of day
        hours, minutes = map(int, digits.split(":"))
        return 60.0 * hours + minutes, 1.0
    if match["chain"]:
        return float("".join(part.zfill(4) for part in re.split("[.,]", digits))), 1.0
    return read_number(digits, match[0])


def _scale(word: str | None) -> float:
    return next((scale for scale, words in _SCALES.items() if word and words.fullmatch(word)), 1.0)


def _periods(match: re.Match[str]) -> Iterator[Period]:
    start, end = match.span()
    if month := match["m1"] or match["m2"]:
        day = int(match["d1"] or match["d2"])
        yield Period(start, end, "day", 100 * (_MONTHS.index(month[:3].lower()) + 1) + day)
    elif match["iso"]:
        year, month_number, day = map(int, match["iso"].split("-"))
        yield Period(start, end, "year", year)
        yield Period(start, end, "day", 100 * month_number + day)
    elif match["q"] or match["ordinal"]:
        yield Period(start, end, "quarter", int(match["q"] or _ORDINALS[match["ordinal"].lower()]))
        yield Period(start, end, "months", 3)
    elif match["before"] or match["last"]:
        yield Period(start, end, "base", 1 if match["before"] else 2)
    elif length := match["length"]:
        yield Period(start, end, "months", _LENGTHS.get(length.lower()) or int(length))
    else:
        yield Period(start, end, "year", int(match["year"] or f"20{match['short']}"))
