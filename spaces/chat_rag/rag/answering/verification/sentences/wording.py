"""The words of each language that change what a sentence says: negations, opposites, "only", pronouns."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rag.answering.verification.sentences.phrases import FRAMING, IGNORED, NOTHING
from rag.search.words import stem_tokens

_PATH = Path(__file__).with_name("wording.toml")
# One side of a group whose sides exclude each other: "allowed" and "forbidden", or one of the days of the week.
Side = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a language, in lower case; the keys of `sides` and the words of `articles` are stems.

    What `ignored` matches is left out of a sentence. A sentence needs the sides in `strict` from its source. `agents`
    stand before who does something in the passive, `splits` between the parts of a sentence. The words of `frame`, and
    what `framing` matches, say only where something is said.
    """

    negations: frozenset[str] = frozenset()
    not_negations: tuple[str, ...] = ()
    ignored: re.Pattern[str] = NOTHING
    only: frozenset[str] = frozenset()
    pronouns: frozenset[str] = frozenset()
    splits: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    auxiliaries: frozenset[str] = frozenset()
    articles: frozenset[str] = frozenset()
    frame: frozenset[str] = frozenset()
    exceptions: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    converses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    framing: re.Pattern[str] = NOTHING
    sides: Mapping[str, tuple[Side, ...]] = field(default_factory=dict)
    strict: frozenset[int] = frozenset()


@cache
def wording(language: str) -> Wording:
    """Return the words of a language; an unknown one has none."""
    lists = _lists().get(language)
    if lists is None:
        return Wording()
    keys = "negations", "only", "pronouns", "splits", "agents", "auxiliaries", "frame", "exceptions", "unless"
    words = {key: frozenset(lists.get(key, "").split()) for key in keys}
    opposites, values = lists["opposites"], lists.get("values", [])
    return Wording(
        **words,
        not_negations=tuple(lists.get("not_negations", "").split()),
        ignored=IGNORED.get(language, NOTHING),
        articles=frozenset(stem_tokens(lists.get("articles", "").split(), language)),
        framing=FRAMING.get(language, NOTHING),
        sides=_sides([*opposites, *values], language),
        converses=_converses(lists.get("converses", []), language),
        strict=frozenset(range(len(opposites), len(opposites) + len(values))),
    )


def _sides(groups: Iterable[str], language: str) -> dict[str, tuple[Side, ...]]:
    sides: dict[str, tuple[Side, ...]] = {}
    for group, text in enumerate(groups):
        for number, words in enumerate(text.split("/")):
            for stem in dict.fromkeys(stem_tokens(words.split(), language)):
                sides[stem] = (*sides.get(stem, ()), (group, number))
    return sides


def _converses(pairs: Iterable[str], language: str) -> dict[str, frozenset[str]]:
    """Return the stems of the verbs for what the other one does: who buys something has it sold to them."""
    converses: dict[str, frozenset[str]] = {}
    for pair in pairs:
        first, second = (frozenset(stem_tokens(words.split(), language)) for words in pair.split("/"))
        converses |= dict.fromkeys(first, second) | dict.fromkeys(second, first)
    return converses


@cache
def _lists() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_PATH.read_text(encoding="utf-8"))
