"""Hyphens at line ends: part of the word, or only where it was broken."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence

HYPHEN = "\ufffe"  # stands for a hyphen at a line end
# `\b` and `++`: a word is read once, not once from each of its characters.
_HYPHENATED = re.compile(rf"\b(\w++){HYPHEN}(\w++)")
_COMPOUND = re.compile(r"\b\w++(?:[-‐]\w++)++")
_WORD = re.compile(r"\w+")
_TENS = frozenset(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
_ONES = frozenset(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
_ORDINALS = frozenset(["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"])
# What is nearly always the first part of a compound with a hyphen, and how words go on that begin with it all the same.
_FIRST_PARTS = {
    "self": ("ish", "less", "same", "hood", "dom"),
    "non": ("sens", "chalan", "pareil", "plus", "descript", "ethel", "agenar", "etheless"),
    "well": ("ness", "ing", "spring", "head"),
    "cross": ("ing", "word", "road", "ed", "es", "over", "bow", "wise"),
    "half": ("way", "penny", "heart"),
    "high": ("er", "est", "ly", "light", "land", "way", "ness"),
    "long": ("er", "est", "ing", "itud", "shore", "evity", "hand"),
    "short": ("er", "est", "age", "ly", "en", "hand", "cut", "cake", "fall", "coming", "list"),
    "full": ("er", "est", "ness", "back"),
    "part": ("ner", "y", "i", "s", "ed", "ing", "ly", "ak", "ook", "ridge", "ur"),
    "third": ("ly",),
    "vice": (),
    "quasi": (),
}


def vocabulary(texts: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words, and the compounds with a hyphen, that some texts have inside of lines."""
    words: set[str] = set()
    compounds: set[str] = set()
    for text in texts:
        plain = _HYPHENATED.sub(" ", text).lower() if HYPHEN in text else text.lower()
        words.update(_WORD.findall(plain))
        if "-" in plain or "‐" in plain:
            with_hyphen = " ".join([word for word in plain.split() if "-" in word or "‐" in word])
            compounds.update(compound.replace("‐", "-") for compound in _COMPOUND.findall(with_hyphen))
    return frozenset(words), frozenset(compounds)


def keeps_hyphen(left: str, right: str, words: frozenset[str], compounds: frozenset[str]) -> bool:
    """Return whether two parts of a word at a line end belong together with a hyphen."""
    if left[-1:].isdigit() or right[:1].isdigit():
        return True
    if right[:1].isupper() and (left[-1:].islower() or right[1:2].islower()):
        return True  # E-Mail-Adresse, EU-Kommission
    left, right = left.lower(), right.lower()
    if not compounds.isdisjoint((f"{left}-{right}", f"{left}-{right}s", f"{left}-{right.removesuffix('s')}")):
        return True
    if left + right in words:
        return False
    if right in words or (len(right) > 4 and right.removesuffix("s") in words):
        return True
    if left in _TENS:
        return right in _ONES or right in _ORDINALS
    return left in _FIRST_PARTS and not right.startswith(_FIRST_PARTS[left])


def resolve_hyphens(texts: Sequence[str]) -> tuple[list[str], list[Callable[[int], int]]]:
    """Return the texts with each hyphen at a line end kept or removed, and for each its map of old positions."""
    if not any(HYPHEN in text for text in texts):
        return list(texts), [unmoved] * len(texts)
    words, compounds = vocabulary(texts)
    resolved = [_resolve(text, words, compounds) if HYPHEN in text else (text, unmoved) for text in texts]
    return [text for text, _ in resolved], [moved for _, moved in resolved]


def _resolve(text: str, words: frozenset[str], compounds: frozenset[str]) -> tuple[str, Callable[[int], int]]:
    removed: list[int] = []
    parts, position = [], 0
    while (hyphen := text.find(HYPHEN, position)) >= 0:
        parts.append(text[position:hyphen])
        left, right = _word_before(text, hyphen), _word_after(text, hyphen)
        if left and right and not keeps_hyphen(left, right, words, compounds):
            removed.append(hyphen)
        else:
            parts.append("-")
        position = hyphen + 1
    return "".join([*parts, text[position:]]), lambda old: old - bisect_left(removed, old)


def _word_before(text: str, end: int) -> str:
    start = end
    while start and end - start < 60 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return text[start:end]


def _word_after(text: str, hyphen: int) -> str:
    match = _WORD.match(text, hyphen + 1)
    return match[0][:60] if match else ""


def unmoved(position: int) -> int:
    """Return the position: nothing before it was removed."""
    return position
