"""Marks an answer by the words of a gold answer: a name, a phrase, or a number with letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.answering.numbers import CODE, SCALE
from rag.answering.verification.support import content_tokens
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
_NEGATIVE = re.compile(r"\b(?:not|never|nicht|pas)\b|n't\b|\bexclu")  # "What does it not cover?"
_REFERENCE = re.compile(r"\b(?:than|versus|vs|unlike|except|compared (?:to|with))\W{1,3}(?:for |the |that of ){0,2}$")
_AND = re.compile(r",|;|\s(?:and|und|et|y)\s")
_ARTICLE = re.compile(r"^(?:the|an?)\s(?=\w{4}|\w{1,3}\s)")  # but "The Who"
_MIN_PLURAL = 4
_LEGAL_FORM = re.compile(r",?\s(?:inc|corp|corporation|llp|llc|ltd|plc|gmbh|ag|s\.?a|n\.?v|co)\.?$")
_OR_AFTER = re.compile(r"\W{1,3}(?:or|oder|ou|o|或|或者)\b\W?", re.IGNORECASE)
_OR_BEFORE = re.compile(r"\b(?:or|oder|ou|o)\W{1,3}$|或者?$", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[A-Za-z][-/.]?\d(?!.{0,3}%)|\d-[A-Za-z]|\d\(\d|\d\.\d+\.\d|\+\d|\d{3}-\d{3}")
_AMOUNT = re.compile(rf"\W{{0,3}}{CODE}\s?[(−-]?\d[\d.,]*\)?(?:\s?{SCALE})?\W{{0,3}}")
_LENGTH = re.compile(
    r"(?:an?\s)?\d{1,3}-(?:second|minute|hour|day|week|month|year)s?(?:\s[a-z]+){0,3}\W?", re.IGNORECASE
)
# What stands before and after another, longer identifier; "v2.10.3" is 2.10.3.
_IN_IDENTIFIER = re.compile(r"(?:[^\W_v]|[_+-]|[\w+-]v|\d[.,]v?)$")
_GOES_ON = re.compile(r"[\w-]|[.,(]\d")


def normal(text: str) -> str:
    """Return a text in one case, on one line, with plain quotes and dashes."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold()
    return " ".join(text.split())


def is_denied(text: str, at: int) -> bool:
    """Return whether a text says "not" right before a place."""
    return bool(_NEGATION.search(normal(text[max(0, at - _BEFORE) : at])))


def is_identifier(gold: str) -> bool:
    """Return whether a gold answer is a number with letters or parts: AB-1234-X, 17(3), 2.10.3, +1 408-486-2000."""
    if _AMOUNT.fullmatch(gold) or _LENGTH.fullmatch(gold):
        return False
    return bool(_IDENTIFIER.search(gold)) and not re.fullmatch(r"\D*\d{1,3}(?:\.\d{3})+(?:,\d+)?\D*", gold)


def mark_identifier(gold: str, text: str) -> Mark:
    """Return whether an answer has an identifier as it is."""
    wanted, text = normal(gold).strip(" ."), normal(text)
    pieces = text.split(wanted)
    held = any(
        not _IN_IDENTIFIER.search(before[-3:]) and not _GOES_ON.match(after) for before, after in pairwise(pieces)
    )
    return Mark(held, f"it {'says' if held else 'does not say'} {gold}")


def mark_words(question: str, gold: str, statements: Sequence[str]) -> Mark:
    """Return whether a statement of an answer has the words of a gold answer, without a denial or an alternative."""
    wanted, denied, alternative = _LEGAL_FORM.sub("", normal(gold).strip(" .!?\"'")), False, False
    is_negative = bool(_NEGATIVE.search(normal(question)))
    has_or = bool(re.search(r"\b(?:or|oder|ou)\b", normal(question)))
    for statement in map(normal, statements):
        for start, end in (place for each in _forms(wanted) for place in _places(each, statement)):
            before = statement[max(0, start - _BEFORE) : start]
            if (_NEGATION.search(before) and not is_negative) or _REFERENCE.search(before):
                denied = True
            elif not has_or and (_OR_AFTER.match(statement, end) or _OR_BEFORE.search(before)):
                alternative = True
            else:
                return Mark(True, f"it says {gold}")
    if denied or alternative:
        return Mark(False, f"the answer {'denies' if denied else 'has an alternative to'} {gold}")
    words = _stems(gold)
    if len(words) > 1 and any(
        words <= _stems(each) and (is_negative or not _NEGATION.search(normal(each))) for each in statements
    ):
        return Mark(True, f"it has the words of {gold}")
    parts = [part for part in _AND.split(gold) if part.strip()]
    if len(parts) > 1 and all(mark_words(question, part, statements).correct for part in parts):
        return Mark(True, f"it lists {gold}")
    return Mark(False, f"it doesn't say {gold}")


def span_share(span: str, answer: str) -> float:
    """Return the share of the words of a span that an answer has."""
    words = _stems(span)
    return len(words & _stems(answer)) / len(words) if words else 0.0


def _forms(wanted: str) -> list[str]:
    """Return words without their article, and a single word also in the plural."""
    bare = _ARTICLE.sub("", wanted)
    return [bare, f"{bare}s"] if bare.isalpha() and len(bare) >= _MIN_PLURAL else [bare]


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
