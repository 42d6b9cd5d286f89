"""Finds secrets in a text by the rules in `rules.toml`.

A shape is the form of a service's tokens. A pattern has keywords of which the text must contain one, the least entropy
of the secret, and whether placeholders such as `your_key` are ignored; its first group that isn't empty holds the
secret.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

ALPHABETS = {
    "alnum": "A-Za-z0-9",
    "azure": r"\w~.-",
    "base64": "A-Za-z0-9+/=_-",
    "dashed": "A-Z0-9-",
    "digit": "0-9",
    "django": r"\w!@#$%^&*()+=-",
    "dotted": r"\w.=-",
    "hex": "a-f0-9",
    "lower": "a-z0-9",
    "path": r"\w/+@-",
    "upper": "A-Z0-9",
    "url": r"\w=-",
    "uuid": "a-f0-9-",
    "word": r"\w",
}
SHORT_ENTROPY = 3.0  # of a token whose fixed text is short, such as 00: otherwise, 42 zeros would be one
_RANDOM = re.compile(r"<(\w+) (\d+)(\+|-\d+|)>")
# A match begins at most so far before a keyword and ends at most so far after it.
BEFORE, AFTER = 200, 6000
# Texts up to this length are remembered: 4,096 of them take 80 MB at most.
REMEMBERED_CHARACTERS = 20_000
# Also a path, and a piece of code.
PLACEHOLDER = re.compile(r"\$\{|<|\.\.\.|x{4,}|example|your[_-]|^/[\w.-]*/|\($", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """A secret matches `pattern` and has at least `entropy` bits per character."""

    name: str
    pattern: re.Pattern[str]
    keywords: tuple[str, ...]
    entropy: float = 0.0
    placeholders: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret at an offset in a text, and the name of its rule."""

    start: int
    rule: str
    secret: str


def find_secrets(text: str) -> Sequence[Finding]:
    """Return the secrets in a text, which may only have characters below 256: then lower case keeps all offsets."""
    return _remembered_secrets(text) if len(text) <= REMEMBERED_CHARACTERS else tuple(_secrets(text))


@lru_cache(4096)
def _remembered_secrets(text: str) -> Sequence[Finding]:
    """Return the secrets in a source file: Spaces share packages, and each of them is searched again."""
    return tuple(_secrets(text))


def _secrets(text: str) -> Iterator[Finding]:
    lower = text.lower()
    for rule in rules():
        keywords = [keyword for keyword in rule.keywords if keyword in lower]
        for start, end in _windows(lower, keywords) if keywords else ():
            for match in rule.pattern.finditer(text, start, end):
                secret = _secret(match)
                if entropy(secret) >= rule.entropy and not (rule.placeholders and PLACEHOLDER.search(secret)):
                    yield Finding(match.start(), rule.name, secret)


def entropy(text: str) -> float:
    """Return the bits per character: words have about 3, keys 4 and more."""
    return sum(count / len(text) * math.log2(len(text) / count) for count in Counter(text).values())


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules: those of shapes first, since they name the service."""
    table = tomllib.loads((Path(__file__).parent / "rules.toml").read_text(encoding="utf-8"))
    shapes = [shape_rule(name, shape) for name, shapes in table["shapes"].items() for shape in shapes]
    patterns = [
        Rule(
            name,
            re.compile(values["pattern"], re.ASCII),
            tuple(values["keywords"]),
            values.get("entropy", 0.0),
            values.get("placeholders", False),
        )
        for name, values in table["patterns"].items()
    ]
    return (*shapes, *patterns)


def shape_rule(name: str, shape: str) -> Rule:
    """Return the rule for a shape such as `demo_<alnum 36+>`. Its longest fixed text is the keyword."""
    pattern, fixed, position = "", [""], 0
    for piece in _RANDOM.finditer(shape):
        fixed.append(shape[position : piece.start()])
        pattern += re.escape(fixed[-1]) + f"[{ALPHABETS[piece[1]]}]{{{_length(piece[2], piece[3])}}}"
        position = piece.end()
    fixed.append(shape[position:])
    pattern += re.escape(fixed[-1])
    if not shape.startswith(("<", "/")):
        pattern = f"(?<![A-Za-z0-9]){pattern}"
    if shape.endswith(">") and not shape.endswith("+>"):
        pattern += "(?![A-Za-z0-9])"
    keyword = max(fixed, key=len)
    is_sure = len(keyword) >= 4 or keyword.endswith("_")
    return Rule(name, re.compile(pattern, re.ASCII), (keyword.lower(),), 0.0 if is_sure else SHORT_ENTROPY)


def _length(least: str, more: str) -> str:
    if more == "+":
        return f"{least},"
    return f"{least},{more[1:]}" if more else least


def _windows(lower: str, keywords: Sequence[str]) -> list[tuple[int, int]]:
    """Return the parts of a text in which a match can be, in order and without overlaps."""
    windows: list[tuple[int, int]] = []
    for position in sorted(position for keyword in keywords for position in _positions(lower, keyword)):
        start = max(position - BEFORE, 0)
        if windows and start <= windows[-1][1]:
            start = windows.pop()[0]
        windows.append((start, position + AFTER))
    return windows


def _positions(lower: str, keyword: str) -> Iterator[int]:
    position = lower.find(keyword)
    while position >= 0:
        yield position
        position = lower.find(keyword, position + len(keyword))


def _secret(match: re.Match[str]) -> str:
    """Return the first group that isn't empty, by default the whole match."""
    return next(filter(None, match.groups()), match[0])
