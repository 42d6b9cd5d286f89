"""How models write the number of a passage: [1], [1, 2], [1-3], [[1]], [^1], [Passage 1], 【1†source】.

A number in round brackets is none: in accounts it is a loss, in prose the number of a list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = ("passages", "passage", "sources", "source", "documents", "document", "refs", "ref")
_SPACE = r"\s{0,3}"  # a bound, so that a model's white space cannot keep a search busy
_JOIN = rf"{_SPACE}(?:[,;&–—-]|and){_SPACE}"
_NUMBERS = rf"(?:[\^#]{_SPACE})?\d{{1,2}}(?:{_JOIN}(?:[\^#]{_SPACE})?\d{{1,2}}){{0,40}}"
_INSIDE = rf"{_SPACE}(?:(?:{'|'.join(_WORDS)}){_SPACE})?({_NUMBERS}){_SPACE}(?:†[^】\]\n]{{0,40}})?"
_MARKER = re.compile(rf"\[{_SPACE}\[{_INSIDE}\]{_SPACE}\]|[\[［【]{_INSIDE}[\]］】]", re.IGNORECASE)
_MAYBE_MARKER = re.compile(
    rf"[\[［【]{_SPACE}\[?{_SPACE}([a-z]{{0,9}}){_SPACE}[\d\s,;&^#–—and-]{{0,24}}(?:†[^】\]\n]{{0,40}})?\]?\s?$",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+)\s*[–—-]\s*(\d+)")
# What makes a link of a marker, or with a colon the definition of one.
_TARGET = re.compile(rf"\({_SPACE}(<[^<>\n]*>|[^\s()]*)(?:\s{{1,3}}[\"'][^\"'\n]*[\"'])?{_SPACE}\)")
_MAYBE_TARGET = re.compile(
    rf"\({_SPACE}(?:<[^<>\n]{{0,500}}>?|[^\s()]{{0,500}})(?:\s{{1,3}}(?:[\"'][^\"'\n]{{0,200}}[\"']?{_SPACE})?)?$"
)
_ADDRESS = re.compile(r"<|[a-z][a-z\d+.-]*:|[/#?]|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Written:
    """A marker as a model wrote it: the numbers it names, each once, and where it ends in the text."""

    text: str
    numbers: tuple[int, ...]
    spread: bool
    end: int


def written_at(text: str, at: int) -> Written | None:
    """The marker that begins at `at`; an interval from zero, such as [0, 1], is none."""
    match = _MARKER.match(text, at)
    if not match:
        return None
    named = match[1] or match[2]
    listed = _RANGE.sub(lambda pair: ",".join(map(str, range(int(pair[1]), int(pair[2]) + 1))) or pair[0], named)
    numbers = tuple(dict.fromkeys(map(int, re.findall(r"\d+", listed))))
    if len(numbers) > 1 and 0 in numbers:
        return None
    return Written(match[0], numbers, bool(_RANGE.search(named)), match.end())


def may_begin(text: str, at: int) -> bool:
    """Whether what stands from `at` to the end of the text could be the beginning of a marker."""
    match = _MAYBE_MARKER.match(text, at)
    return bool(match) and any(word.startswith(match[1].lower()) for word in _WORDS)


def address_end(text: str, at: int) -> int | None:
    """Where the address of a Markdown link ends that begins at `at`, or None where there is none."""
    match = _TARGET.match(text, at)
    return match.end() if match and (not match[1] or _ADDRESS.match(match[1])) else None


def may_be_address(text: str, at: int) -> bool:
    """Whether what stands from `at` to the end of the text could be the beginning of such an address."""
    return not _TARGET.match(text, at) and bool(_MAYBE_TARGET.match(text, at))
