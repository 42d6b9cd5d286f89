"""Recognizes what kind of answer a question asks for."""

from __future__ import annotations

import re
from enum import StrEnum

from rag.answering.evidence.question_analysis.foreign_kinds import FOREIGN_KINDS
from rag.search.languages import detect_language


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


# Kinds whose answer has a number, or the name of a day or month.
FIGURES = frozenset({Kind.MONEY, Kind.PERCENT, Kind.NUMBER, Kind.DURATION, Kind.DATE})
_PAYING = r"costs?|pay|paid|spen[dt]|earn(?:ings|ed)?|charged?|owed?|worth"
# Verbs and nouns of money, as a part of a pattern.
MONEY_WORDS = (
    rf"{_PAYING}|prices?|revenues?|sales|income|profit|loss(?:es)?|expenses?|salar(?:y|ies)|wages?|money|budget|cash|debt"
    r"|assets?|liabilit\w+|dividends?|charges|fees?|dollars|euros|pounds|values?|amounts?|balances?|provisions?|allowances?"
    r"|deposit|rent|fine|premium|bonus|penalty"
)
_AUXILIARY = r"is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall|should|may|must"
_TIME_WORDS = r"time|notice|years?|months?|weeks?|days?|hours?|minutes?|seconds?"
# Words after which a noun isn't what is asked for: "the assumption on the value".
_NO_HEAD = r"(?:of|in|on|at|by|to|for|from|with|as|that|which|who|if|when|called|named)"
_EXPLAINING = (
    r"mean|includ|compris|represent|consist|refer|relate|reflect|contribut|influenc|based|determin|driven|affect"
)
_KINDS = [
    (Kind.REASON, r"\bwhy\b|\bhow come\b|\bwhat (?:is the |was the )?(?:reason|caused?)\b"),
    # "How is the tax rate determined?" asks for no rate.
    (
        Kind.OTHER,
        rf"^how (?:{_AUXILIARY})\b|^what (?:{_AUXILIARY})\b.{{0,200}}\b(?:{_EXPLAINING})|^(?:describe|explain)\b",
    ),
    (
        Kind.PERCENT,
        r"\bpercent(?:age)?\b|\bwhat (?:share|proportion|fraction|portion|rate)\b|%"
        r"|\b(?:growth|tax|vat|interest|discount) rate\b",
    ),
    (
        Kind.DURATION,
        r"\bhow (?:long|often|frequently|old|soon|quickly)\b|\bhow (?:much|many)"
        rf" (?:{_TIME_WORDS})\b|\bwhat (?:(?:is|was) the )?(?:duration|term of|period of time)\b",
    ),
    # "What happens when it rains?" asks for no date.
    (
        Kind.DATE,
        rf"\b(?:since|until|till|by|from) when\b|\bwhen(?:['’]s| exactly)? (?:{_AUXILIARY})\b|^\W*when\W*$"
        r"|\b(?:what|which) (?:\w+ )?(?:year|date|day|month|decade|century|quarter|time)s?\b",
    ),
    (Kind.PERSON, r"\bwho(?:m|se)?\b|\bwhat (?:person|people|man|woman|actor|king|president)\b"),
    (Kind.PLACE, r"\bwhere\b|\b(?:what|which) (?:country|city|state|place|location|region|continent|town|area)\b"),
    # "How much butter do I need?" asks for no money.
    (
        Kind.NUMBER,
        rf"\bhow much (?!(?:{_AUXILIARY}|more|less|higher|lower)\b)(?!.{{0,200}}\b(?:{MONEY_WORDS})\b)[a-z]"
        r"|\bhow much .{0,200}\bweighs?\b",
    ),
    (Kind.MONEY, rf"\bhow much\b|\bhow (?:high|large|big) (?:is|was|were|are)\b.{{0,200}}\b(?:{MONEY_WORDS})\b"),
    (
        Kind.NUMBER,
        r"\bhow (?:many|large|big|high|far|tall|deep|fast|wide|heavy|loud|hot|warm|cold)\b"
        r"|\b(?:the|what) (?:total )?number of\b",
    ),
    (
        Kind.MONEY,
        rf"^what(?:['’]s| is| was| were| are| did) (?:(?!{_NO_HEAD}\b)[\w&'’.,-]+ +){{0,8}}(?:{MONEY_WORDS})\b"
        rf"|^what (?:do|does|will|would|must|can)\b.{{0,200}}\b(?:{_PAYING})\b",
    ),
    (Kind.YES_NO, rf"^(?:{_AUXILIARY})\b"),
]
# "How much oil is used?" and "How much do they eat?" ask for no price.
ASKS_PRICE = re.compile(
    rf"^how (?:much|expensive)\b.{{0,200}}\b(?:{MONEY_WORDS})\b|^what (?:do|does|did|will|would)\b.{{1,200}}\bcost\b",
    re.IGNORECASE,
)
_KIND_PATTERNS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS]
_FOREIGN_PATTERNS = {
    language: [(Kind(kind), re.compile(pattern, re.IGNORECASE)) for kind, pattern in patterns.items()]
    for language, patterns in FOREIGN_KINDS.items()
}


def kind_of(question: str) -> Kind:
    """Return the kind of answer that a question asks for."""
    patterns = _FOREIGN_PATTERNS.get(detect_language(question), _KIND_PATTERNS)
    return next((kind for kind, pattern in patterns if pattern.search(question)), Kind.OTHER)
