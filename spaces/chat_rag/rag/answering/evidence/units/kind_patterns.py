"""The patterns of each kind of answer: what money, a date or a duration looks like in a text."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.numbers import CURRENCY_AFTER, CURRENCY_BEFORE, CURRENCY_WORD, END, NUMBER, PERCENT, SCALE, SIGNS

MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
# A day of the month stands before or after one of these: "15 Apr 2022", "October 29th, 2003".
_MONTH_OF_DAY = rf"(?:{MONTH}\b|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
FULL_DATE = (
    rf"(?:{_MONTH_OF_DAY}\s\d{{1,2}}(?:st|nd|rd|th)?(?![\w])(?:,?\s\d{{4}})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH_OF_DAY}(?:,?\s\d{{4}})?"
    r"|(?<![\w,.$-])(?:1[0-9]|20)\d\d-(?:0[1-9]|1[0-2])-[0-3]\d(?![\w-]))"
)
WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
WORD_NUMBER = (
    r"(?:one(?! (?:or|another|such)\b)(?! of [a-z]+ (?:most|[a-z]+est)\b)(?!(?<=\b(?:is|as) one) of\b)"
    r"(?!(?<=\b(?:was|are) one) of\b)(?!(?<=\bwere one) of\b)|two|three|four|five|six|seven|eight|nine|ten|eleven"
    r"|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozen|(?<!\bin )half)"
    r"(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"
)
_TO = r"\s?[-–—]\s?"
_SIGNED = (
    r"(?<![\w.,+])(?!\+\d{1,3}\s\d)(?:(?<!\d[€%])(?<!\d\s[€%])[-−–+])?"
    rf"{NUMBER}(?:\s?(?:{SIGNS}|%)?{_TO}(?!0\d){NUMBER})?"
)
_NUMERAL = rf"(?:{_SIGNED}(?:\s?{SCALE})?{END}|\b{WORD_NUMBER}\b)"
MEASURE = r"(?:°\s?[CF]|[kmc]?m²?|[km]?g|k?m/h|mph|m?l|k?Wh?|dB(?:\(A\))?|k?V|A|bar|[kKMGT]i?[Bb]|lbs?|kcal)"
# "350km" and "2Mb", but not "3A", which can be a room.
_GLUED = r"(?:°[CF]|[kmc]m²?|[km]g|k?m/h|mph|ml|kWh?|kV|[kKMGT]i?[Bb]|lbs?|kcal)"
_NAME = r"[A-Z][\w’'.-]*(?:\s(?:(?:of|the|de|von|van|al|and)\s)*[A-Z][\w’'.-]*)*"
TIME_UNIT = r"(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?|decades?|centuries|quarters?)"
PATTERNS: dict[Kind, str] = {
    Kind.MONEY: rf"(?<![\w.,])[-−–]?{CURRENCY_BEFORE}\s?\(?[-−–]?{NUMBER}(?:{_TO}{SIGNS}?(?!0\d){NUMBER})?"
    rf"\)?(?:\s?{SCALE}|[kKmMbB](?![\w$]))?"
    rf"|{_SIGNED}(?:\s?{SCALE})?\s?[kKmMT]?{CURRENCY_AFTER}|\b{WORD_NUMBER}\s{CURRENCY_WORD}\b"
    rf"|(?:{_NUMERAL}\s(?:cents|pence)|{_SIGNED}[pc¢])\b|\b(?:for free|free of charge|is free|no (?:charge|fee))\b",
    Kind.PERCENT: rf"(?:{_SIGNED}|{_NUMERAL})\s?{PERCENT}",
    Kind.NUMBER: rf"(?<!{SIGNS})(?<!{SIGNS}\s)(?!0\d){_NUMERAL}(?:\s?{MEASURE}(?!\w))?"
    rf"|(?<![\w.,+]){NUMBER}{_GLUED}(?!\w)",
    Kind.DURATION: rf"(?:{_NUMERAL}|\bseveral|\ba few|\ban?)[\s-](?:\w{{1,20}}\s)?{TIME_UNIT}(?:\sold)?"
    rf"(?:\sand\s{_NUMERAL}\s{TIME_UNIT})?"
    r"|\b(?:annual|month|week|dai|quarter|year)ly\b|\bannual basis\b|\b(?:each|every) \w+",
    Kind.DATE: rf"(?:{FULL_DATE}|{_MONTH_OF_DAY}\s\d{{4}}"
    r"|(?<![\w,.$])(?:1[0-9]|20)\d\d(?:s|[-–]\d{2,4})?(?![\w%]|,\d)"
    r"|\b\d{1,2}(?:st|nd|rd|th)[- ]century\b|(?<!\d)\d++ (?:BC|AD)\b"
    r"|(?<![\w.:])\d{1,2}(?::\d\d(?:\s?[ap]\.?m\b)?|\s?[ap]\.?m\b)"
    rf"|\b{WEEKDAY}\b|(?<=\b[Ii]n ){MONTH}\b|(?<=\bfrom ){MONTH}\b|(?<=\buntil ){MONTH}\b)",
    Kind.PERSON: _NAME,
    Kind.PLACE: _NAME,
    Kind.REASON: r"\b(?:because|due to|as a result|result(?:ed|ing)? (?:of|from)|caused|driven by|owing to|so that"
    r"|in order to|primarily|since|attributable|reflect\w*)\b(?s:.*)",  # lines end inside a sentence of a PDF
}
COMPILED = {kind: re.compile(pattern) for kind, pattern in PATTERNS.items()}
