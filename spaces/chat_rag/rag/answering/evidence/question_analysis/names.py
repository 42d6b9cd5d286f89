"""Finds the names in a question, and how it writes them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from rag.search.bm25 import STOP_WORDS, stems

_NAME = re.compile(r"(?<![\w.])(?:[A-Z][\w&]*(?:[.’'][A-Za-z\d][\w&]*)*|[a-z][A-Z]\w+)")
# "--read-timeout", "max_retries"
_IDENTIFIER = re.compile(r"(?<![\w-])(?:--[a-z][\w-]*\w|[a-z][a-z\d]*(?:_[a-z\d]+)+)(?![\w-])", re.IGNORECASE)
_STREET = r"Street|Road|Lane|Avenue|Square|Close|Drive|Terrace|Boulevard"
_NO_NAME = re.compile(
    r"(?:FY|CY|F|Q)?'?\d+|[QH][1-4](?:['’]?\d\d)?|I['’](?:m|ve|d|ll)|Mrs?|Ms|Dr|January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
    r"|Corporation|Corp|Inc|Company|Group|Ltd|Limited|Holdings|Plc|Fiscal|Year|Quarter|Table|Note|Section"
    r"|Page|Figure|Chapter|Article|Item|Appendix|Exhibit|Part|PDF|USD|EUR|GBP"
    r"|English|German|Spanish|French|Chinese",
    re.IGNORECASE,
)
_IN_STREET = re.compile(rf"(?<![\w.’'-])[A-Z][\w.’'-]* (?:{_STREET})$")
_HOUSE_NUMBER = re.compile(r"\b\d{1,5}[A-Za-z]? $")
_TITLES = ("Mr.", "Mrs.", "Ms.", "Dr.")  # the point after one ends no sentence
_BEFORE = 40  # characters: a question can be long
_MAX_NAMES = 16  # each is looked for in the whole text of all documents
_OPENING = "¿¡\"'“”„«»‘([ \t\r\n"  # what can stand before the first word of a sentence
_POSSESSIVE = re.compile(r"[’']s?$")


@dataclass(frozen=True)
class NamesInQuestion:
    """A question's names, and its options and variables of programs."""

    text: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The first capitalized words that begin no sentence, without months and legal forms.

        "Street" isn't a name in "Dover Street", which any other street has as well.
        """
        return tuple(
            islice(
                dict.fromkeys(
                    name
                    for start, name in self._capitalized
                    if not _NO_NAME.fullmatch(name)
                    if not _IN_STREET.search(self.text, max(0, start - _BEFORE), start + len(name))
                ),
                _MAX_NAMES,
            )
        )

    @cached_property
    def identifiers(self) -> tuple[str, ...]:
        """The options and variables of a program, which no other words stand for."""
        return tuple(islice(dict.fromkeys(_IDENTIFIER.findall(self.text)), _MAX_NAMES))

    @cached_property
    def _capitalized(self) -> tuple[tuple[int, str], ...]:
        """The place and the text of each capitalized word that doesn't begin a sentence."""
        return tuple(
            (match.start(), name)
            for match in _NAME.finditer(self.text)
            if (before := self.text[: match.start()].rstrip(_OPENING))
            if before[-1] not in ".?!:" or before.endswith(_TITLES)
            if len(name := _POSSESSIVE.sub("", match[0])) > 1 and name.lower() not in STOP_WORDS
        )

    def whole_names(self, names: Collection[str]) -> tuple[str, ...]:
        """Return names as the question writes them: "Dover", of an address, is "12 Dover Street"."""
        asked = [(start, name) for start, name in self._whole_names if _parts(name) & set(names)]
        return tuple(dict.fromkeys(self._house_number(start, name) + name for start, name in asked))

    @cached_property
    def name_groups(self) -> tuple[frozenset[str], ...]:
        """The names that stand side by side, and so name one thing: "Biden" is who "President" is."""
        return tuple(_parts(name) & set(self.names) for _, name in self.names_in_place)

    @property
    def names_in_place(self) -> list[tuple[int, str]]:
        """The place and the text of each name; names that stand side by side are one."""
        return [(start, name) for start, name in self._whole_names if _parts(name) & set(self.names)]

    @cached_property
    def _whole_names(self) -> tuple[tuple[int, str], ...]:
        """The place and the text of capitalized words that stand side by side."""
        wholes: list[tuple[int, str]] = []
        for start, name in self._capitalized:
            first, before = wholes[-1] if wholes else (0, "")
            if before and self.text[first:start] in (f"{before} ", f"{before}-"):
                wholes[-1] = first, f"{before} {name}"
            else:
                wholes.append((start, name))
        return tuple(wholes)

    def _house_number(self, start: int, name: str) -> str:
        """Return the number of a house in a street, with the space after it; "" for another name."""
        number = _HOUSE_NUMBER.search(self.text, max(0, start - _BEFORE), start) if _IN_STREET.search(name) else None
        return number[0] if number else ""

    @cached_property
    def name_stems(self) -> frozenset[str]:
        """The stems of the words in its names."""
        return frozenset(stems(self.names))


def _parts(name: str) -> frozenset[str]:
    return frozenset(re.split("[ -]", name))
