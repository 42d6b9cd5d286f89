"""Reads a question: the kind of answer that it asks for, and the years and names in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import islice

from rag.answering.evidence.asked.periods import PERIOD_STEMS, Day, days_in, length_in
from rag.answering.evidence.tables.figures import YEAR
from rag.search.bm25 import STOP_WORDS, keywords, stems


class Kind(StrEnum):
    """What kind of answer a question asks for."""

    MONEY = "money"
    PERCENT = "percent"
    NUMBER = "number"
    DURATION = "duration"
    DATE = "date"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    YES_NO = "yes_no"
    OTHER = "other"


_MONEY_WORDS = (
    r"cost|price|pay|paid|spen[dt]|revenues?|sales|income|profit|loss(?:es)?|earn(?:ings|ed)?|expenses?|salary|worth|money|"
    r"budget|cash|debt|assets?|liabilit\w+|dividends?|charges?|fees?|dollars|value|amount"
)
_KINDS = [
    (
        Kind.PERCENT,
        r"\bpercent(?:age)?\b|\bwhat (?:share|proportion|fraction|portion|rate)\b|%"
        r"|\b(?:growth|tax|interest|discount) rate\b",
    ),
    (Kind.DURATION, r"\bhow (?:long|often|frequently|old)\b|\bwhat (?:is the )?(?:duration|term|period of time)\b"),
    (Kind.DATE, r"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:year|date|day|month|decade|century|quarter)s?\b"),
    (Kind.PERSON, r"\bwho(?:m|se)?\b|\bwhat (?:person|people|man|woman|actor|king|president)\b"),
    (Kind.PLACE, r"\bwhere\b|\b(?:what|which) (?:country|city|state|place|location|region|continent|town|area)\b"),
    (Kind.REASON, r"\bwhy\b|\bhow come\b|\bwhat (?:is the |was the )?(?:reason|caused?)\b"),
    (Kind.MONEY, rf"\bhow much\b|\bhow (?:high|large|big) (?:is|was|were|are)\b.{{0,200}}\b(?:{_MONEY_WORDS})\b"),
    (Kind.NUMBER, r"\bhow (?:many|large|big|high|far|tall|deep|fast)\b|\b(?:the|what) (?:total )?number of\b"),
    (Kind.MONEY, rf"^what (?:is|was|were|are|did)\b.{{0,200}}\b(?:{_MONEY_WORDS})\b"),
    (Kind.YES_NO, r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may)\b"),
]
_KIND_PATTERNS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS]
_SHORT_YEAR = re.compile(r"\b(?:FY|F|CY)\s?'?(\d\d)\b")
_QUARTER = re.compile(r"\b(?:(first|second|third|fourth)[ -](?:fiscal )?quarter|q([1-4]))\b", re.IGNORECASE)
_FISCAL = re.compile(r"\bfiscal\b|\bFY", re.IGNORECASE)
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_NAME = re.compile(r"(?<![\w.])(?:[A-Z][\w&]*(?:[.’'][A-Za-z\d][\w&]*)*|[a-z][A-Z]\w+)")
_NO_NAME = re.compile(
    r"(?:FY|CY|F|Q)?'?\d+|Q[1-4]|January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Corporation|Corp|Inc|Company|Group|Ltd|Limited|Holdings|Plc|Fiscal|Year|Quarter|Table|Note|Section",
    re.IGNORECASE,
)
_MAX_NAMES = 16  # each is looked for in the whole text of all documents
_POSSESSIVE = re.compile(r"[’']s?$")
_WANTS_WORDS = re.compile(
    r"^how (?:is|are|was|were|does|do|did|can|should|would)\b|^(?:why|who|where|describe|explain)\b"
    r"|^what (?:does|do|did)\b.{0,200}\b(?:mean|include|comprise|represent|consist|refer|relate|reflect)"
    r"|\breasons?\b|\bcauses?d?\b",
    re.IGNORECASE,
)
# In lower case: "Greater China" is a name.
_MOST = re.compile(r"\b(?:larg|high|great|bigg|most|max)\w*\b")
_LEAST = re.compile(r"\b(?:small|low|least|less|fewe|min)\w*\b")


@dataclass(frozen=True)
class Question:
    """A question, as the features read it."""

    text: str

    @cached_property
    def kind(self) -> Kind:
        """The kind of the answer."""
        return next((kind for kind, pattern in _KIND_PATTERNS if pattern.search(self.text)), Kind.OTHER)

    @cached_property
    def years(self) -> frozenset[str]:
        """The years, each with four digits: "FY19" is 2019."""
        return years_of(self.text)

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """The stems of the words that carry meaning, without years."""
        words = [word for word in keywords(self.text) if not YEAR.fullmatch(word)]
        return tuple(stems(words))

    @cached_property
    def period_stems(self) -> frozenset[str]:
        """The stems of the words that name a period, and of the days in it."""
        return frozenset(stem for stem in self.stems if stem in PERIOD_STEMS or (stem.isdigit() and len(stem) < 3))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The first capitalized words that begin no sentence, without months and legal forms."""
        return tuple(
            islice(
                dict.fromkeys(
                    name
                    for match in _NAME.finditer(self.text)
                    if match.start() and self.text[: match.start()].rstrip()[-1:] not in ".?!:"
                    if len(name := _POSSESSIVE.sub("", match[0])) > 1
                    if name.lower() not in STOP_WORDS and not _NO_NAME.fullmatch(name)
                ),
                _MAX_NAMES,
            )
        )

    @cached_property
    def extreme(self) -> int:
        """1 for a question for the largest, -1 for the smallest, otherwise 0."""
        if self.kind is not Kind.DATE and not re.match(r"(?:what|which)\b", self.text, re.IGNORECASE):
            return 0
        return 1 if _MOST.search(self.text) else -1 if _LEAST.search(self.text) else 0

    @cached_property
    def wants_words(self) -> bool:
        """Whether the question asks for an explanation, so that no figure answers it."""
        return bool(_WANTS_WORDS.search(self.text))

    @cached_property
    def months(self) -> int:
        """The length of the period that the question names, in months; 0 if it names none. "Fiscal 2023" is a year."""
        return length_in(self.text) or (12 if self.is_fiscal and self.years and not self.quarter else 0)

    @cached_property
    def quarter(self) -> int:
        """The number of the quarter that the question names, 0 if it names none."""
        match = _QUARTER.search(self.text)
        return (_QUARTERS[match[1].lower()] if match[1] else int(match[2])) if match else 0

    @cached_property
    def is_fiscal(self) -> bool:
        """Whether the question counts years as the company does."""
        return bool(_FISCAL.search(self.text))

    @cached_property
    def days(self) -> tuple[Day, ...]:
        """The days that the question names."""
        return tuple(days_in(self.text))


def years_of(text: str) -> frozenset[str]:
    """Return the years in a text, each with four digits."""
    return frozenset(YEAR.findall(text)) | {f"20{short}" for short in _SHORT_YEAR.findall(text)}
