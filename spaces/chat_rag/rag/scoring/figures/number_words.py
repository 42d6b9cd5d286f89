"""Writes number words, lengths of time, quarters and ranges of years in one way: twenty-four as 24, Q3 as it is."""

from __future__ import annotations

import re

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_DIGIT_WORD = "|".join(_SMALL[1:10])
_NUMBER_WORD = re.compile(
    # "Hundred and three", "no one", "one of them", "twenty-first" and "two thirds" aren't numbers of this kind.
    rf"(?<![\w-])(?<!hundred )(?<!hundred and )(?<!thousand )(?<!\bno )(?<!\bany )(?<!\bthis )(?<!\bthat )(?<!\bwhich )"
    rf"(?:(?P<tens>{'|'.join(_TENS)})(?!\w)(?:[- ](?P<ones>{_DIGIT_WORD})(?!\w))?+|(?P<small>{'|'.join(_SMALL)})(?!\w))"
    r"(?![- ](?:hundred|dozen|half|halves|quarters?|first|second|thirds?|(?:four|fif|six|seven|eigh|nin|ten)ths?)\b)"
    r"(?!(?<=\bone)(?: (?:of|another|who|that|which|can|must|should)\b|['’]))",
    re.IGNORECASE,
)
_MAX_OTHERS = 4  # "three members of the board", but not a sentence
_NONE = re.compile(
    r"\b(?:none|nil)\b|\bno (?!(?:longer|one|more|less|fewer|doubt|other|later|earlier|matter)\b)(?=[a-z])",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"\b(\d{1,3})(?:-| )(second|minute|hour|day|week|month|year)s?\b(?!['’-])", re.IGNORECASE)
_QUARTER = re.compile(
    r"\b(?:the )?(?:(?P<ordinal>first|second|third|fourth|[1-4](?:st|nd|rd|th)) (?:fiscal )?quarter|q(?P<digit>[1-4]))"
    r"\b(?:,? (?:of |in )?(?:the )?(?:fiscal )?(?:year )?(?:fy ?)?(?=(?:19|20)\d\d\b))?",
    re.IGNORECASE,
)
_YEAR_ALONE = re.compile(r"(?:(?:19|20)\d\d)?\W{0,3}")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_YEARS = re.compile(r"(?<![\d-])((?:19|20)\d\d) ?[-–—] ?((?:19|20)\d\d)(?![\d-])")


def with_digits(text: str, *, keep_one: bool = False) -> str:
    """Return a text with the number words from zero to ninety-nine as digits, and "12-month" as "12 months".

    With `keep_one`, "one" stays a word, as in "12 cranes, the newest one from 2022".
    """
    text = _NUMBER_WORD.sub(lambda match: _digits(match, keep_one=keep_one), text)
    return _LENGTH.sub(lambda match: f"{match[1]} {match[2]}s", text)


def with_zeros(text: str) -> str:
    """Return a text with "none" as 0, and "no incidents" as "0 incidents"."""
    return _NONE.sub(lambda match: "0 " if match[0].endswith(" ") else "0", text)


def with_quarters(text: str) -> str:
    """Return a text with "the third quarter of 2022" as "Q3 2022"."""
    return _QUARTER.sub(lambda match: f"Q{match['digit'] or _ordinal(match['ordinal'])} ", text).strip()


def is_quarter(text: str) -> bool:
    """Return whether a text is a quarter, perhaps with its year, and nothing else."""
    match = _QUARTER.match(text)
    return match is not None and bool(_YEAR_ALONE.fullmatch(text, match.end()))


def with_ranges(text: str) -> str:
    """Return a text with "2021-2023" as "2021 to 2023"."""
    return _YEARS.sub(r"\1 to \2", text)


def is_number_word(text: str) -> bool:
    """Return whether a text is a number word, perhaps with what it counts: "three segments", but not "Three Mile"."""
    match = _NUMBER_WORD.search(text)
    if match is None:
        return False
    others = _NUMBER_WORD.sub("", text).split()
    return len(others) <= _MAX_OTHERS and not any(word[:1].isupper() for word in text[match.end() :].split())


def is_small(text: str) -> bool:
    """Return whether all numbers of a text have one or two digits, and it has one."""
    numbers = re.findall(r"\d+", text)
    return bool(numbers) and all(len(number) <= 2 for number in numbers)


def _digits(match: re.Match[str], *, keep_one: bool) -> str:
    words = (match[name] for name in ("tens", "ones", "small"))
    value = sum(_VALUES[word.lower()] for word in words if word)
    return match[0] if keep_one and value == 1 else str(value)


def _ordinal(word: str) -> int:
    return _ORDINALS.get(word.lower()) or int(word[0])
