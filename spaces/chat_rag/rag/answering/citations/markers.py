"""Citation markers: how an answer writes them, how models write them, and how they become links.

Answers contain markers as `[n]`, where n is the number of a passage. Models also write [1, 2], [1-3], [[1]], [^1],
[Passage 1] and 【1†source】. A number in round brackets isn't a marker: in accounts it's a loss, in prose a list item.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_WORDS = ("passages", "passage", "sources", "source", "documents", "document", "refs", "ref")
_SPACE = r"\s{0,3}"  # bounded, so that a model's white space can't slow down a search
_JOIN = rf"{_SPACE}(?:[,;&–—-]|and){_SPACE}"
_NUMBERS = rf"(?:[\^#]{_SPACE})?\d{{1,2}}(?:{_JOIN}(?:[\^#]{_SPACE})?\d{{1,2}}){{0,40}}"
_CONTENT = rf"{_SPACE}(?:(?:{'|'.join(_WORDS)}){_SPACE})?({_NUMBERS}){_SPACE}(?:†[^】\]\n]{{0,40}})?"
_MARKER = re.compile(rf"\[{_SPACE}\[{_CONTENT}\]{_SPACE}\]|[\[［【]{_CONTENT}[\]］】]", re.IGNORECASE)
_MARKER_PREFIX = re.compile(
    rf"[\[［【]{_SPACE}\[?{_SPACE}([a-z]{{0,9}}){_SPACE}[\d\s,;&^#–—and-]{{0,24}}(?:†[^】\]\n]{{0,40}})?\]?\s?$",
    re.IGNORECASE,
)
_RANGE = re.compile(rf"(\d{{1,2}}){_SPACE}[–—-]{_SPACE}(\d{{1,2}})")
_NUMBER = re.compile(r"\d+")
# The part of a Markdown link, or with a colon of a link definition, that follows a marker.
_TARGET = re.compile(rf"\({_SPACE}(<[^<>\n]*>|[^\s()]*)(?:\s{{1,3}}[\"'][^\"'\n]*[\"'])?{_SPACE}\)")
_TARGET_PREFIX = re.compile(
    rf"\({_SPACE}(?:<[^<>\n]{{0,500}}>?|[^\s()]{{0,500}})(?:\s{{1,3}}(?:[\"'][^\"'\n]{{0,200}}[\"']?{_SPACE})?)?$"
)
_ADDRESS = re.compile(r"<|[a-z][a-z\d+.-]*:|[/#?]|www\.", re.IGNORECASE)
# A marker as an answer contains it, for the patterns of other modules.
MARKER_PATTERN = r"\s?\[\d{1,2}\]"
BRACKETS = frozenset("[［【")  # that a model's marker begins with
_BRACKET = re.compile(r"[\[［【]")
_WRITTEN = re.compile(MARKER_PATTERN)
# A bracketed number in a document, such as a footnote.
_DOCUMENT_NUMBER = re.compile(r"[\[［【](\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*)[\]］】]")


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation of passage `number` at character `start` of an answer.

    `attributed` is true if the marker was added to a sentence that the model left without one.
    """

    start: int
    number: int
    attributed: bool = False

    @property
    def text(self) -> str:
        return f"[{self.number}]"

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class ModelMarker:
    """A marker as a model wrote it: the passage numbers, each once, and where it ends in the text."""

    text: str
    numbers: tuple[int, ...]
    is_range: bool
    end: int


def parse_marker(text: str, start: int) -> ModelMarker | None:
    """Return the model's marker that begins at `start`. An interval from zero, such as [0, 1], isn't one."""
    match = _MARKER.match(text, start)
    if not match:
        return None
    content = match[1] or match[2]
    expanded = _RANGE.sub(lambda pair: ",".join(map(str, range(int(pair[1]), int(pair[2]) + 1))) or pair[0], content)
    numbers = tuple(dict.fromkeys(map(int, _NUMBER.findall(expanded))))
    if len(numbers) > 1 and 0 in numbers:
        return None
    return ModelMarker(match[0], numbers, bool(_RANGE.search(content)), match.end())


def is_marker_prefix(text: str, start: int) -> bool:
    """Whether the text from `start` to its end could be the beginning of a marker."""
    match = _MARKER_PREFIX.match(text, start)
    return match is not None and any(word.startswith(match[1].lower()) for word in _WORDS)


def link_target_end(text: str, start: int) -> int | None:
    """Return where the target of a Markdown link that begins at `start` ends, or None if there's no target."""
    match = _TARGET.match(text, start)
    return match.end() if match and (not match[1] or _ADDRESS.match(match[1])) else None


def is_link_target_prefix(text: str, start: int) -> bool:
    """Whether the text from `start` to its end could be the beginning of a link target."""
    return not _TARGET.match(text, start) and bool(_TARGET_PREFIX.match(text, start))


def without_markers(text: str) -> str:
    """Return an answer without its citation markers."""
    return _WRITTEN.sub("", text)


def without_model_markers(text: str) -> str:
    """Return a model's answer without its markers, the white space before them, and their link targets."""
    parts, start = list[str](), 0
    for bracket in _BRACKET.finditer(text):
        marker = parse_marker(text, bracket.start()) if bracket.start() >= start else None
        if marker:
            parts.append(text[start : bracket.start()].rstrip(" "))
            start = link_target_end(text, marker.end) or marker.end
    return "".join([*parts, text[start:]])


def up_to_last_marker(text: str) -> str:
    """Return an answer's text up to its last citation marker; "" if it has none."""
    ends = [match.end() for match in _WRITTEN.finditer(text)]
    return text[: ends[-1]] if ends else ""


def escape_markers(text: str) -> str:
    """Put the bracketed numbers of a document into round brackets, so that the model can't copy them as markers."""
    return _DOCUMENT_NUMBER.sub(r"(\1)", text)


def split_at_markers(answer: str, markers: Iterable[Marker]) -> Iterator[tuple[str, Marker | None]]:
    """Yield the pieces of an answer, each with the marker that follows it; the last piece has None.

    Markers beyond the end of the text are skipped: while an answer streams in, a marker arrives before its text.
    """
    start = 0
    for marker in markers:
        if marker.end > len(answer):
            break
        yield answer[start : marker.start], marker
        start = marker.end
    yield answer[start:], None


def anchors(
    markers: Iterable[Marker], turn: int, quoted: Mapping[int, int] | None = None
) -> Iterator[tuple[Marker, str]]:
    """Yield each marker with the id of its place in the source panel; `quoted` counts the quotes of each passage.

    The id of an attributed citation ends in `a`.
    """
    counts = Counter(quoted or {})
    for marker in markers:
        claim = counts[marker.number]
        counts[marker.number] += 1
        yield marker, f"{anchor(turn, marker.number, claim)}{'a' if marker.attributed else ''}"


def anchor(turn: int, number: int, claim: int) -> str:
    """Return the id of a place in the source panel: `source-TURN-NUMBER`, and of a passage's next places `…-CLAIM`.

    A passage's quotes come first, then its citations.
    """
    return f"source-{turn}-{number}{f'-{claim}' if claim else ''}"
