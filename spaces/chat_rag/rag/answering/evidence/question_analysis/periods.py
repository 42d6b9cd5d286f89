"""Reads the periods of questions and of columns, by the calendar and by a company's fiscal years."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.answering.evidence.tables.figures import YEAR
from rag.search.bm25 import stems

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_DATE = re.compile(
    rf"\b({_MONTH})(?: (\d{{1,2}}))?,?[ -]((?:19|20)\d\d)\b|\b(\d{{1,2}}) ({_MONTH}) ((?:19|20)\d\d)\b", re.IGNORECASE
)
_ENDS = r"(?:ended|ending|ends)(?: on)?"
# "The last Saturday of September", "the Sunday closest to January 31".
_YEAR_ENDS = re.compile(
    rf"\byears? {_ENDS}(?: the(?: \w{{1,12}}){{1,4}} (?:of|in|to|nearest))? ({_MONTH})(?: (\d{{1,2}})\b)?",
    re.IGNORECASE,
)
_NUMBERED_YEAR = re.compile(
    rf"\bfiscal (?:year )?((?:19|20)\d\d),?(?: \w{{1,12}}){{0,4}} {_ENDS} ({_MONTH}) (\d{{1,2}}), ((?:19|20)\d\d)",
    re.IGNORECASE,
)
_SHORT_YEAR = re.compile(r"\b(?:FY|F|CY)\s?'?(\d\d)\b")
_QUARTER = re.compile(r"\b(?:(first|second|third|fourth)[ -](?:fiscal )?quarter|q([1-4]))\b", re.IGNORECASE)
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_LENGTHS = {
    3: r"\bthree[ -]months?\b|\b(?:thirteen|13) weeks\b|\bquarter(?:s|ly)?\b|\bq[1-4]\b",
    6: r"\bsix[ -]months?\b|\b(?:twenty[ -]six|26) weeks\b|\bfirst half\b",
    9: r"\bnine[ -]months?\b|\b(?:thirty[ -]nine|39) weeks\b",
    12: r"\btwelve[ -]months?\b|\b(?:fifty[ -](?:two|three)|5[23]) weeks\b|\b(?:fiscal|full) year|\byears? ended\b",
}
_LENGTH_PATTERNS = {months: re.compile(pattern, re.IGNORECASE) for months, pattern in _LENGTHS.items()}
_MONTHS_IN_WORDS = {"three": 3, "six": 6, "nine": 9}
_JOINED_LENGTH = re.compile(
    r"\b(three|six|nine)(?:[ -]months?)?(?: periods?)?,? and (?:six|nine|twelve)[ -]months?\b", re.IGNORECASE
)
PERIOD_STEMS = frozenset(
    stems(
        [
            "first second third fourth quarter fiscal year years month months three six nine twelve ended period",
            "q1 q2 q3 q4 january february march april may june july august september october november december",
            "as of at the end in on weeks thirteen twenty thirty fifty",
        ]
    )
)
# A year of 52 or 53 weeks ends some days before or after the end of its month.
_DRIFT = 7


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """The end of a period. Days compare by time."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class FiscalYears:
    """How a company counts its years: the month that ends one, and its number less the calendar year of that end."""

    last_month: int = 12
    offset: int = 0

    def quarter_of(self, end: Day) -> tuple[int, int]:
        """Return the fiscal year and quarter of a period that ends on a day."""
        year, month = _last_month(end)
        months = (month - self.last_month - 1) % 12
        return year + int(month > self.last_month) + self.offset, months // 3 + 1


CALENDAR = FiscalYears()


def find_fiscal_years(texts: Iterable[str]) -> FiscalYears:
    """Return how a document counts fiscal years, from what its parts say most often; the calendar's if they don't."""
    months: Counter[int] = Counter()
    offsets: Counter[int] = Counter()
    for text in texts:
        for match in _YEAR_ENDS.finditer(text):
            months[_last_month(Day(0, _month(match[1]), int(match[2] or 31)))[1]] += 1
        for match in _NUMBERED_YEAR.finditer(text):
            year, month = _last_month(Day(int(match[4]), _month(match[2]), int(match[3])))
            months[month] += 1
            offsets[int(match[1]) - year] += 1
    likely = [offset for offset, _ in offsets.most_common(1) if offset in (-1, 0)]
    return FiscalYears(months.most_common(1)[0][0] if months else 12, likely[0] if likely else 0)


def _last_month(end: Day) -> tuple[int, int]:
    """Return the year and the number of the month at whose end, more or less, a period of whole weeks ends."""
    if end.day > _DRIFT:
        return end.year, end.month
    return (end.year, end.month - 1) if end.month > 1 else (end.year - 1, 12)


def days_in(text: str) -> list[Day]:
    """Return the days in a text, each with its year; a month alone is its end."""
    return [_day(match) for match in _DATE.finditer(text)]


def length_in(text: str) -> int:
    """Return the months of the first period that a text names, 0 if it names none."""
    places = [
        (match.start(), months) for months, pattern in _LENGTH_PATTERNS.items() if (match := pattern.search(text))
    ]
    return min(places)[1] if places else 0


def lengths_in(text: str) -> frozenset[int]:
    """Return the months of all periods that a text names: 3 and 9 for "the three and nine months ended"."""
    joined = (_MONTHS_IN_WORDS[match[1].lower()] for match in _JOINED_LENGTH.finditer(text))
    return frozenset((*joined, *(months for months, pattern in _LENGTH_PATTERNS.items() if pattern.search(text))))


def last_day(header: str) -> Day | None:
    """Return the end of a column's period; a year alone is its end."""
    days = days_in(header) or [Day(int(year), 12, 31) for year in YEAR.findall(header)]
    return max(days, default=None)


def _day(match: re.Match[str]) -> Day:
    if match[5]:
        return Day(int(match[6]), _month(match[5]), int(match[4]))
    return Day(int(match[3]), _month(match[1]), int(match[2] or 31))


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def quarter_in(text: str) -> int:
    """Return the number of the first quarter that a text names, 0 if it names none."""
    return next(_quarters(text), 0)


def quarters_in(text: str) -> frozenset[int]:
    """Return the numbers of all quarters that a text names."""
    return frozenset(_quarters(text))


def _quarters(text: str) -> Iterator[int]:
    return (_QUARTERS[match[1].lower()] if match[1] else int(match[2]) for match in _QUARTER.finditer(text))


def years_of(text: str) -> frozenset[str]:
    """Return the years in a text, each with four digits."""
    return frozenset(YEAR.findall(text)) | {f"20{short}" for short in _SHORT_YEAR.findall(text)}
