"""Marks an answer by the words of a gold answer: a name, a phrase, a date, or yes and no."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from rag.answering.verification.support import content_tokens
from rag.scoring.dates import Date, find_dates
from rag.scoring.marks import Mark
from rag.search.bm25 import stems

# An answer with so many of the words of a span says the same.
MIN_SPAN_SHARE = 0.6
_QUOTES = str.maketrans("’‘“”„«»‐‑‒–—−", '\'\'"""""------')
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_NEGATION = re.compile(
    r"(?:\b(?:not|never|nor|neither|instead of|rather than|nicht|kein\w*|weder|pas|sino|no)|n't|不是|并非)"
    r"(?:\W+\w+)?\W{0,3}$"
)
_OR_BEHIND = re.compile(r"\W{1,3}(?:or|oder|ou|o|或|或者)\b\W?", re.IGNORECASE)
_OR_BEFORE = re.compile(r"\b(?:or|oder|ou|o)\W{1,3}$|或者?$", re.IGNORECASE)
_YES = r"yes|yeah|yep|correct|true|ja|oui|si|sí|是的?|对|有"
_NO = r"no|nope|false|nein|non|不|不是|否|没有"
_YES_OR_NO = re.compile(
    rf"^\W*(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?!\w)(?P<rest>.*)|^\W*(?P<east>是的|是|对|不是|没有|否)",
    re.IGNORECASE | re.DOTALL,
)


def normal(text: str) -> str:
    """Return a text in one case, on one line, with plain quotes and dashes."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold()
    return " ".join(text.split())


def is_yes_or_no(gold: str) -> bool:
    """Return whether a gold answer is yes or no alone."""
    return bool(re.fullmatch(rf"(?:{_YES}|{_NO})\W*", normal(gold)))


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
    for each in gold:
        said = [(text, date) for text in lines for date in find_dates(text) if date.says(each)]
        if not said:
            return Mark(False, "the answer doesn't give the date")
        if all(_NEGATION.search(normal(text[: date.start])) for text, date in said):
            return Mark(False, "the answer says that it isn't this date")
        if any(_is_alternative(text, date) for text, date in said):
            return Mark(False, "the answer gives another date as well")
    return Mark(True, "it gives the date")


def _is_alternative(text: str, date: Date) -> bool:
    """Return whether another date stands on the other side of an "or"."""
    others = [other for other in find_dates(text) if not other.says(date) and not date.says(other)]
    return any(
        (_OR_BEHIND.fullmatch(text[date.end : other.start]) if other.start >= date.end else None)
        or (_OR_BEHIND.fullmatch(text[other.end : date.start]) if date.start >= other.end else None)
        for other in others
    )


def mark_words(question: str, gold: str, statements: Sequence[str]) -> Mark:
    """Return whether a statement of an answer has the words of a gold answer, without a denial or an alternative."""
    wanted, denied, alternative = normal(gold).strip(" .!?\"'"), False, False
    has_or = bool(re.search(r"\b(?:or|oder|ou)\b", normal(question)))
    for statement in map(normal, statements):
        for start, end in _places(wanted, statement):
            if _NEGATION.search(statement[:start]):
                denied = True
            elif not has_or and (_OR_BEHIND.match(statement, end) or _OR_BEFORE.search(statement[:start])):
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
