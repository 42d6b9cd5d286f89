"""The bounds of numbers in an English sentence: "at least 18", "no more than five years", "up to $40"."""

from __future__ import annotations

import re

_UP = r"at least|minimum(?:\sof|\sis)?|exceed(?:s|ed|ing)?|above|over"
_DOWN = r"at most|maximum(?:\sof|\sis)?|up to|below|under|within"
_MORE = (
    r"(?:more|greater|higher|larger|longer|older|later|bigger|heavier|taller|deeper|faster|wider|farther|further|warmer"
    r"|hotter|stronger)\sthan"
)
_LESS = (
    r"(?:less|fewer|lower|smaller|shorter|younger|earlier|lighter|cheaper|sooner|narrower|thinner|closer|slower|colder"
    r"|cooler|weaker)\sthan"
)
_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred")
_VALUES = {word: value for value, word in enumerate(_WORDS)} | {word: 10 * at for at, word in enumerate(_TENS, 2)}
_NUMBER = rf"(?<![\w.,])(?P<number>\d[\d.,]*+|(?:{'|'.join(_VALUES)})\b)"
_BOUND = re.compile(
    rf"(?P<not>\b(?:no|not)\s(?P<between>(?:\w{{1,20}}\s){{0,3}}))?\b(?:(?P<up>{_UP})|(?P<down>{_DOWN})|(?P<more>{_MORE})"
    rf"|(?P<less>{_LESS}))\s(?:the\sage\sof\s|a\s|an\s|additional\s)*(?=[$€£]?\s?{_NUMBER})",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"{_NUMBER}\s(?:\w{{1,20}}\s)?(?:or|and)\s(?:(?P<up>more|older|over|above|longer|higher|greater)"
    rf"|(?P<down>less|fewer|under|below|younger|shorter|lower))\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"n['’]t\b")
Bound = tuple[bool, str]


def find_bounds(text: str) -> frozenset[Bound]:
    """Return the bounds of a sentence: whether the number may be higher, and the number in digits."""
    text = _NOT.sub(" not", text)
    before = ((bool(each["up"] or each["more"]) != bool(each["not"]), each["number"]) for each in _BOUND.finditer(text))
    after = ((bool(each["up"]), each["number"]) for each in _AFTER.finditer(text))
    return frozenset((is_up, _digits(number)) for is_up, number in (*before, *after))


def without_bounds(text: str) -> str:
    """Return a sentence without the words of its bounds: "no more than five" denies nothing."""
    return _BOUND.sub(lambda match: match["between"] or " ", _NOT.sub(" not", text))


def has_other_bound(sentence: str, source: str) -> bool:
    """Return whether a source has a number of the sentence with the opposite bound only: "at most" for "at least"."""
    own, theirs = find_bounds(sentence), find_bounds(source)
    return any((not is_up, number) in theirs and (is_up, number) not in theirs for is_up, number in own)


def _digits(number: str) -> str:
    number = number.lower()
    return str(_VALUES[number]) if number in _VALUES else number.replace(",", "").rstrip(".,")
