"""The words next to a figure: its unit, what it counts, and whether it's a bound."""

from __future__ import annotations

import re
from enum import StrEnum

from rag.answering.verification.sentences.figures import Figure

_POINTS = re.compile(
    r"\s?(?:percentage points?|pp\b|ppts?\b|%?-?points?\b|prozentpunkte?\w*|points? de pourcentage"
    r"|puntos porcentuales|个百分点)",
    re.IGNORECASE,
)
_BASIS_POINTS = re.compile(r"(?<![a-z])\s?(?:basis points?|(?<![a-z])bps?\b|basispunkte?\w*)", re.IGNORECASE)
_CENTS = re.compile(r"\s?(?:cents?\b|¢)", re.IGNORECASE)
_SYMBOL = re.compile(r"\s?(°\s?[cf]|k[gmw]|mw|cm|mm|lbs?|[mgt]b|[mµμ]g|ml|[gl])\b(?!['’])", re.IGNORECASE)
_NOUN = re.compile(r"\s(?!(?:and|but|or|for|from|while|with|which|that|was|were|compared|versus|due)\b)([a-z]{4,})\b")
_HALF_OF_DAY = re.compile(r"\s?([ap]\.?m)\b", re.IGNORECASE)
_BOUND = re.compile(
    r"\b(?:(?P<least>(?:no|not) (?:less|fewer) than|at least|(?:a )?minimum of|(?<!no )(?<!not )more than|over|above"
    r"|exceed(?:s|ed|ing)?|mindestens)"
    r"|(?P<most>(?:no|not) more than|at most|up to|(?:a )?maximum of|(?<!no )(?<!not )(?:less|fewer) than|under|below"
    r"|höchstens))\W{1,3}$",
    re.IGNORECASE,
)
MEASURES = frozenset(
    {"seconds", "minutes", "hours", "days", "weeks", "months", "years", "metres", "meters", "kilometres", "miles"}
    | {"°c", "°f", "kg", "km", "kw", "mw", "cm", "mm", "lb", "mb", "gb", "tb", "mg", "g", "µg", "ml", "l"}
)
_SAME_MEASURES = {"lbs": "lb", "meters": "metres"}


class Unit(StrEnum):
    """What a figure counts, where a figure of another unit isn't the same."""

    NONE = "none"  # as it is in a cell
    CURRENCY = "currency"
    PERCENT = "percent"
    POINTS = "points"
    TIME = "time"


def read_unit(figure: Figure, written: str, after: str) -> tuple[Unit, float, str]:
    """Return the unit of a figure, the factor of its unit, and its currency."""
    if _BASIS_POINTS.search(written) or _BASIS_POINTS.match(after):
        return Unit.POINTS, 0.01, ""
    if _POINTS.search(written) or _POINTS.match(after):
        return Unit.POINTS, 1.0, ""
    if figure.unit == "%":
        return Unit.PERCENT, 1.0, ""
    if _CENTS.match(after):
        return Unit.CURRENCY, 0.01, ""
    if figure.unit == ":":
        return Unit.TIME, 1.0, ""
    return (Unit.CURRENCY, 1.0, figure.unit) if figure.unit else (Unit.NONE, 1.0, "")


def read_noun(unit: Unit, after: str) -> str:
    """Return the word after a figure: what it counts, its measure, or the half of the day."""
    match = _HALF_OF_DAY.match(after) if unit is Unit.TIME else _SYMBOL.match(after) or _NOUN.match(after)
    if match is None:
        return ""
    word = re.sub(r"[\s.]", "", match[1].lower()).replace("μ", "µ")
    return _SAME_MEASURES.get(word, word)


def read_bound(before: str) -> int:
    """Return 1 if the text before a figure ends in "at least" or "more than", -1 for "at most", and 0 otherwise."""
    match = _BOUND.search(before[-30:])
    return 0 if match is None else 1 if match["least"] else -1
