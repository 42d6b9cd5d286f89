"""Tells whether a text says how much, how many or how long; dates and references don't count."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.tables.figures import YEAR
from rag.answering.evidence.units.kind_patterns import (
    COMPILED,
    MEASURE,
    MONTH,
    PATTERNS,
    WEEKDAY,
    WORD_NUMBER,
)
from rag.answering.evidence.units.series import Span
from rag.answering.numbers import PERCENT, SCALE

_AMOUNT = (
    r"\b(?:no|none|free|included|once|twice|each|every|several|few|(?:annual|month|week|dai)ly|annual|centur(?:y|ies)"
    r"|decades?|indefinite(?:ly)?|permanent(?:ly)?|forever|unlimited)\b"
)
_PRICE_WORDS = re.compile(
    r"\b(?:free|nothing|(?<!not )included|complimentary|waived|without charge|no (?:charge|fee|cost)s?)\b",
    re.IGNORECASE,
)
_CALENDAR = re.compile(
    rf"{MONTH}\s\d{{1,2}}(?!\d)(?:,?\s\d{{4}})?|\d{{1,2}}\s{MONTH}(?:\s\d{{4}})?|{MONTH}\s\d{{4}}|\bQ[1-4]\s\d{{4}}"
    r"|\b(?:(?:in|of|since|by|until|from|year|years|fiscal|and|to|during|for|ended)\s)?"
    r"(?:19|20)\d\d\s?[-–]\s?(?:19|20)?\d\d\b(?!\s(?-i:[a-z]+s)\b)"
    r"|\b(?:in|of|since|by|until|from|year|years|fiscal|and|to|during|for|ended)\s(?:19|20)\d\d\b(?!\s(?-i:[a-z]+s)\b)",
    re.IGNORECASE,
)
# "Table 2", "[12]" and "cron(8)" say where something is, not how much. "Tables 2, 3 and 4" are three; of "Table 2, 45
# died" and "Tables 2 and 3, 45 died", the 45 is an amount.
_PLACE = rf"\d[\d.]*+(?!\s?(?:{PERCENT}|{SCALE}))"
_REFERENCE = re.compile(
    r"\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]|\(note \d+\)|(?<=[^\W\d_])\(\d[a-z]{0,2}\)"
    r"|\b(?:Table|Tab\.|Figure|Fig\.|Note|Section|Chapter|Appendix|Annex|Item|Exhibit|Equation|Eq\.)"
    rf"\s{_PLACE}(?:[–-]{_PLACE})?"
    r"|\b(?:Tables|Figures|Figs\.|Notes|Sections|Chapters|Items|Exhibits|Equations|Eqs\.)"
    rf"\s{_PLACE}(?:\s?,\s?{_PLACE}(?!\s(?!(?:and|to)\b)[^\W\d_]))*(?:,?\s(?:and|to)\s{_PLACE}|\s?[–-]\s?{_PLACE})?"
)
# So does the "(1)" of "5.7% died from stroke (1)."; "teachers (45) and nurses (30)" are counts.
_LAST_REFERENCE = re.compile(r"(?<=[a-z,;] )\(\d{1,2}(?:\s?[,–-]\s?\d{1,2})*\)[.;:]?\s*\Z")
_IN_BRACKETS = re.compile(r"\(\d")
# And the "(3)" of "(3) Lunch is paid apart."
_LIST_MARK = re.compile(r"\A[^\w(]{0,6}\(?\d{1,2}\)[^\w(]{1,4}(?=[^\W\d_])")
_AMOUNT_PATTERN = re.compile(_AMOUNT, re.IGNORECASE)
# "The kettle holds a litre" says how much.
_ONE_MEASURE = (
    r"\ban?\s(?:lit(?:re|er)|cup|(?:table|tea)spoon|pint|gallon|pound|ounce|kilo\w{0,8}|gram(?:me)?|ton(?:ne)?|met(?:re|er)"
    r"|mile|yard|foot|inch|hectare|acre|pair|third|quarter|fifth|tenth)\b"
)
_FIGURE = re.compile(
    rf"\d|\b(?:{WORD_NUMBER}|{MONTH}|{WEEKDAY})\b|{_AMOUNT}|{_ONE_MEASURE}|{PATTERNS[Kind.DURATION]}", re.IGNORECASE
)
_SHARE_WORDS = re.compile(
    rf"{PERCENT}|\b(?:fully|entirely|completely|half|none|majority|(?:all|most) of)\b", re.IGNORECASE
)
_PRICE = re.compile(rf"\d[.,]\d\d(?!\d|\s?(?:Uhr|o['’]clock)\b)|\d\s?{SCALE}")
_MEASURED = re.compile(rf"[\d\s]{MEASURE}$")


def has_figure(text: str) -> bool:
    """Return whether a text has any number, day or month: without one, it doesn't answer how much, how many or when."""
    return bool(_FIGURE.search(text))


def has_amount(text: str) -> bool:
    """Return whether a text has any number beside those of its dates and references: "2000 seats" has one."""
    last, mark = last_reference(text), _LIST_MARK.match(text)
    text = text[mark.end() if mark else 0 : last[0] if last else None]
    return has_figure(_CALENDAR.sub(" ", _REFERENCE.sub(" ", text)))


def says_amount(text: str) -> bool:
    """Return whether words say how much, how many or how long: "free", "unlimited"."""
    return bool(_AMOUNT_PATTERN.search(text))


def has_measure(number: str) -> bool:
    """Return whether a number has the symbol of its unit: "350 km"."""
    return bool(_MEASURED.search(number))


def says_share(text: str) -> bool:
    """Return whether a text says which share, in words or in percent: "fully", "most of", "drei Prozent"."""
    return bool(_SHARE_WORDS.search(text))


def says_price(text: str) -> bool:
    """Return whether words say what something costs: "free of charge"."""
    return bool(_PRICE_WORDS.search(text))


def has_bare_price(text: str) -> bool:
    """Return whether a text has a number that can be a price without its currency: "12.50", "3 million"."""
    return bool(_PRICE.search(text))


def no_amounts(text: str) -> list[Span]:
    """Return the dates with a month, the years, and the references; 1,500 can be a number."""
    dates = COMPILED[Kind.DATE].finditer(text)
    spans = [date.span() for date in dates if YEAR.match(date[0]) or any(map(str.isalpha, date[0]))]
    references = (*_REFERENCE.finditer(text), *_LIST_MARK.finditer(text))
    last = last_reference(text)
    return [*spans, *(match.span() for match in references), *([last] if last else [])]


def last_reference(text: str) -> Span | None:
    """Return the place of the numbers in brackets that end a sentence, if it has no others in brackets."""
    match = _LAST_REFERENCE.search(text)
    return match.span() if match and len(_IN_BRACKETS.findall(text)) == 1 else None
