"""Names and quoted phrases of a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_](?:[\w'’&.-]*\w)?")
_POSSESSIVE = re.compile(r"['’]s$|['’]$")
_PHRASE = re.compile(r"“([^”\n]{4,300})”|\"([^\"\n]{4,300})\"|«([^»\n]{4,300})»|„([^“\n]{4,300})“")
_GERMAN = re.compile(r"\b(?:der|das|und|ist|wurde|wurden|betrug|betrugen|im|den|dem|ein|eine|von|auf|mit|für|nicht)\b")
# FY24, Q1FY2024, H1'24; but H100 and H200 are products.
_PERIOD = re.compile(r"FY['’]?\d{0,4}|[QH][1-4](?:['’]\d\d|['’]?FY['’]?\d{0,4})?")
# Capitalized words of answers that aren't names.
_NO_NAMES = frozenset(
    """
    the a an in on at of to for from by with as and or but if it its this that these those there here he she they we i
    you yes no not both all each according based overall however additionally therefore thus also during between while
    when once total net sales revenue income q1 q2 q3 q4 fy january february march april may june july august september
    october november december monday tuesday wednesday thursday friday saturday sunday jan feb mar apr jun jul aug sep
    sept oct nov dec passage passages document documents report reports source sources note answer question company
    inc corp corporation ltd llc plc co us u.s usa usd eur gbp ceo cfo us$ mr mrs ms dr million billion fiscal quarter
    year
    """.split()  # noqa: SIM905  # a list with one word per line would be a page long
)


@dataclass(frozen=True, slots=True)
class Name:
    """A word of a name, normalized; one that `begins` a sentence may be an ordinary word."""

    word: str
    begins: bool


def find_names(sentence: str) -> list[Name]:
    """Return the words of a sentence's names. In German, where every noun has a capital, only those in capitals."""
    names = list(dict.fromkeys(_names(sentence)))
    if len(_GERMAN.findall(sentence)) < 2:
        return names
    return [name for name in names if name.word.upper() in sentence]


def find_phrases(sentence: str) -> list[str]:
    """Return the quoted phrases of two words or more, normalized."""
    phrases = (next(filter(None, match.groups())) for match in _PHRASE.finditer(sentence))
    return [normalize(phrase).strip(" .,;:!?") for phrase in phrases if " " in phrase.strip()]


def normalize(text: str) -> str:
    """Return the text in lower case on one line, with straight quotes."""
    text = text.lower().replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return " ".join(text.split())


def _names(sentence: str) -> Iterator[Name]:
    first = True
    for match in _WORD.finditer(sentence):
        is_first, first = first, False
        if not match[0][0].isupper():
            continue
        word = _POSSESSIVE.sub("", match[0]).rstrip(".")
        if len(word) < 2 or word.lower() in _NO_NAMES or _PERIOD.fullmatch(word):
            continue
        before = sentence[: match.start()].rstrip(' \t*_"“(')
        begins = is_first or before.endswith((".", "!", "?", ":", "\n", "-", "|"))
        if begins and (word.endswith("ly") or sentence[match.end() :].startswith(",")):
            continue
        yield Name(normalize(word), begins and not _POSSESSIVE.search(match[0]) and not word.isupper())
