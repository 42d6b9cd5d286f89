"""Dates as five languages write them: 30 April 2023, April 30th, 2023, 30.04.2023, 2023-04-30, 2023年4月30日."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MONTHS = (
    "jan(?:uary|uar|vier)?|enero|ene", "feb(?:ruary|ruar|rero)?|f[ée]vr(?:ier)?", "mar(?:ch|s|zo)?|märz",
    "apr(?:il)?|avr(?:il)?|abr(?:il)?", "may|mai|mayo", "jun[ei]?|juin|junio", "jul[yi]?|juil(?:let)?|julio",
    "aug(?:ust)?|ao[ûu]t|ago(?:sto)?", "sep(?:t(?:ember|embre|iembre)?)?", "o[ck]t(?:ober|obre|ubre)?",
    "nov(?:ember|embre|iembre)?", "de[cz](?:ember)?|déc(?:embre)?|dic(?:iembre)?",
)  # fmt: skip
_MONTH = rf"(?:{'|'.join(_MONTHS)})"
_MONTH_PATTERNS = [re.compile(month, re.IGNORECASE) for month in _MONTHS]
_YEAR = r"(?:1[5-9]|20)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_DATES = re.compile(
    rf"(?P<y1>{_YEAR})-(?P<m1>\d\d)-(?P<d1>\d\d)(?!\d)"
    rf"|(?P<y2>{_YEAR})年(?:(?P<m2>\d{{1,2}})月(?:(?P<d2>\d{{1,2}})[日号])?)?"
    rf"|(?<![\d.])(?P<d3>{_DAY})\.\s?(?P<m3>1[0-2]|0?[1-9])\.\s?(?P<y3>{_YEAR})(?!\d)"
    rf"|(?<![\d/])(?P<p4>\d{{1,2}})/(?P<q4>\d{{1,2}})/(?P<y4>{_YEAR})(?!\d)"
    rf"|(?<!\w)(?P<n5>{_MONTH})\.?\s+(?P<d5>{_DAY})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?P<y5>{_YEAR})(?!\d))?"
    rf"|(?<![\d.,])(?P<d6>{_DAY})(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?(?P<n6>{_MONTH})(?!\w)\.?(?:,?\s+(?:del?\s+)?(?P<y6>{_YEAR})(?!\d))?"
    rf"|(?<!\w)(?P<n7>{_MONTH})\.?,?\s+(?:del?\s+|of\s+)?(?P<y7>{_YEAR})(?!\d)"
    rf"|(?<![\w$€£¥.,-])(?P<y8>{_YEAR})(?![\w%]|[.,]\d|\s?(?:%|million|billion|thousand))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Date:
    """A date, or a part of one, in a text: what isn't said of it is None."""

    start: int
    end: int
    year: int | None
    month: int | None
    day: int | None

    def says(self, other: Date) -> bool:
        """Return whether this has all that the other date says."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(theirs is None or ours == theirs for ours, theirs in pairs)


def find_dates(text: str) -> list[Date]:
    """Return the dates of a text. 4/30/2023 and 30/4/2023 are the same; 4/5/2023 is May 4 and April 5."""
    return [date for match in _DATES.finditer(text) for date in _dates(match)]


def is_date(text: str) -> bool:
    """Return whether a text is a date and nothing else."""
    dates = find_dates(text)
    return bool(dates) and not re.search(r"\w{2}", text[: dates[0].start]) and not text[dates[-1].end :].strip(" .")


def _dates(match: re.Match[str]) -> Iterator[Date]:
    groups = {name: value for name, value in match.groupdict().items() if value}
    fields = {name[0]: value for name, value in groups.items()}
    year = int(fields["y"]) if "y" in fields else None
    day = int(fields["d"]) if "d" in fields else None
    month = int(fields["m"]) if "m" in fields else _month(fields["n"]) if "n" in fields else None
    if "p" in fields:
        first, second = int(fields["p"]), int(fields["q"])
        for each_month, each_day in {(first, second), (second, first)}:
            if each_month <= 12 and each_day <= 31:
                yield Date(*match.span(), year, each_month, each_day)
    else:
        yield Date(*match.span(), year, month, day)


def _month(name: str) -> int:
    return next(number for number, pattern in enumerate(_MONTH_PATTERNS, 1) if pattern.fullmatch(name))
