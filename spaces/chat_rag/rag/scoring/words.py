"""Marks an answer by the words of a gold answer: a name, a phrase, a date, or yes and no."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.answering.verification.support import content_tokens
from rag.scoring.dates import Date, find_dates
from rag.scoring.marks import Mark
from rag.search.bm25 import stems

# An answer with so many of the words of a span says the same.
MIN_SPAN_SHARE = 0.6
_BEFORE = 60  # how many characters before words can deny them
_QUOTES = str.maketrans("’‘“”„«»‐‑‒–—−", '\'\'"""""------')
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_NEGATION = re.compile(
    r"(?:\b(?:not|never|nor|neither|instead of|rather than|nicht|kein\w*|weder|pas|sino|no)|n't|不是|并非)"
    r"(?:\W+\w+)?\W{0,3}$"
)
_REFERENCE = re.compile(r"\b(?:than|versus|vs|unlike|except|compared (?:to|with))\W{1,3}(?:for |the |that of ){0,2}$")
_LEGAL_FORM = re.compile(r",?\s(?:inc|corp|corporation|llp|llc|ltd|plc|gmbh|ag|s\.?a|n\.?v|co)\.?$")
_OR_BEHIND = re.compile(r"\W{1,3}(?:or|oder|ou|o|或|或者)\b\W?", re.IGNORECASE)
_OR_BEFORE = re.compile(r"\b(?:or|oder|ou|o)\W{1,3}$|或者?$", re.IGNORECASE)
_YES = r"yes|yeah|yep|correct|true|ja|oui|si|sí|是的?|对|有"
_NO = r"no|nope|false|nein|non|不|不是|否|没有"
_YES_OR_NO_ALONE = re.compile(rf"(?:{_YES}|{_NO})\W*")
_YES_OR_NO = re.compile(
    rf"^\W*(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?!\w)(?P<rest>.*)|^\W*(?P<east>是的|是|对|不是|没有|否)",
    re.IGNORECASE | re.DOTALL,
)


_IDENTIFIER = re.compile(r"[A-Za-z][-/.]?\d(?!.{0,3}%)|\d-[A-Za-z]|\d\(\d|\d\.\d+\.\d|\+\d|\d{3}-\d{3}")
# What stands before and behind another, longer identifier; "v2.10.3" is 2.10.3.
_IN_IDENTIFIER = re.compile(r"(?:[^\W_v]|[_+-]|[\w+-]v|\d[.,]v?)$")
_GOES_ON = re.compile(r"[\w-]|[.,(]\d")


def normal(text: str) -> str:
    """Return a text in one case, on one line, with plain quotes and dashes."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold()
    return " ".join(text.split())


def is_yes_or_no(gold: str) -> bool:
    """Return whether a gold answer is yes or no alone."""
    return bool(_YES_OR_NO_ALONE.fullmatch(normal(gold)))


def mark_yes_or_no(gold: str, answer: str) -> Mark:
    """Return whether an answer begins with the same of yes and no."""
    said, right = _first_word(answer), _first_word(gold)
    if said is None:
        return Mark(False, "the answer says neither yes nor no at its beginning")
    return Mark(said == right, f"it says {'yes' if said else 'no'}")


def _first_word(text: str) -> bool | None:
    match = _YES_OR_NO.match(normal(text))
    if match is None:
        return None
    return match["yes"] is not None or match["east"] in ("是的", "是", "对")


def mark_dates(gold: Sequence[Date], lines: Sequence[str]) -> Mark:
    """Return whether the lines of an answer give all dates of a gold answer, and none as an alternative to one."""
    found = [(line, find_dates(line)) for line in lines]
    for each in gold:
        said = [(line, dates, at) for line, dates in found for at, date in enumerate(dates) if date.says(each)]
        if not said:
            return Mark(False, "the answer doesn't give the date")
        if all(_is_denied(line, dates[at].start) for line, dates, at in said):
            return Mark(False, "the answer says that it isn't this date")
        if any(_has_alternative(line, dates, at) for line, dates, at in said):
            return Mark(False, "the answer gives another date as well")
    return Mark(True, "it gives the date")


def _is_denied(text: str, at: int) -> bool:
    return bool(_NEGATION.search(normal(text[max(0, at - _BEFORE) : at])))


def _has_alternative(text: str, dates: Sequence[Date], at: int) -> bool:
    """Return whether another date stands on the other side of an "or"."""
    for first, second in pairwise(dates[max(0, at - 1) : at + 2]):
        is_same = first.says(second) or second.says(first)
        if not is_same and _OR_BEHIND.fullmatch(text, first.end, second.start):
            return True
    return False


def is_identifier(gold: str) -> bool:
    """Return whether a gold answer is a number with letters or parts: AB-1234-X, 17(3), 2.10.3, +1 408-486-2000."""
    return bool(_IDENTIFIER.search(gold)) and not re.fullmatch(r"\D*\d{1,3}(?:\.\d{3})+(?:,\d+)?\D*", gold)


def mark_identifier(gold: str, text: str) -> Mark:
    """Return whether an answer has an identifier as it is."""
    wanted, text = normal(gold).strip(" ."), normal(text)
    pieces = text.split(wanted)
    held = any(
        not _IN_IDENTIFIER.search(before[-3:]) and not _GOES_ON.match(behind) for before, behind in pairwise(pieces)
    )
    return Mark(held, f"it {'says' if held else 'does not say'} {gold}")


def mark_words(question: str, gold: str, statements: Sequence[str]) -> Mark:
    """Return whether a statement of an answer has the words of a gold answer, without a denial or an alternative."""
    wanted, denied, alternative = _LEGAL_FORM.sub("", normal(gold).strip(" .!?\"'")), False, False
    has_or = bool(re.search(r"\b(?:or|oder|ou)\b", normal(question)))
    for statement in map(normal, statements):
        for start, end in _places(wanted, statement):
            before = statement[max(0, start - _BEFORE) : start]
            if _NEGATION.search(before) or _REFERENCE.search(before):
                denied = True
            elif not has_or and (_OR_BEHIND.match(statement, end) or _OR_BEFORE.search(before)):
                alternative = True
            else:
                return Mark(True, f"it says {gold}")
    if denied or alternative:
        return Mark(False, f"the answer {'denies' if denied else 'has an alternative to'} {gold}")
    words = _stems(gold)
    if len(words) > 1 and any(words <= _stems(each) and not _NEGATION.search(normal(each)) for each in statements):
        return Mark(True, f"it has the words of {gold}")
    return Mark(False, f"it doesn't say {gold}")


def span_share(span: str, answer: str) -> float:
    """Return the share of the words of a span that an answer has."""
    words = _stems(span)
    return len(words & _stems(answer)) / len(words) if words else 0.0


def _stems(text: str) -> set[str]:
    return set(stems(content_tokens(normal(text))))


def _places(wanted: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text has these words as whole words; in Chinese and Japanese nothing separates words."""
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        if not (_joins(text[at - 1 : at], wanted[:1]) or _joins(wanted[-1:], text[end : end + 1])):
            yield at, end
        at = text.find(wanted, at + 1)


def _joins(first: str, second: str) -> bool:
    """Return whether two characters beside each other are in one word."""
    return first.isalnum() and second.isalnum() and not (_EAST_ASIAN.match(first) or _EAST_ASIAN.match(second))
