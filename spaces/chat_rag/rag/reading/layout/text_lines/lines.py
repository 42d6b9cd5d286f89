"""Lines of a PDF page: segments that share a baseline, joined where only a space is between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from operator import attrgetter

from rag.reading.layout.text_lines.segments import (
    SPACE,
    WIDEST_SPACE,
    WIDEST_SPACE_BEFORE_CURRENCY,
    WIDEST_SPACE_OF_FIGURES,
    Segment,
    join_segments,
)

_SAME_LINE = 0.35  # how much the bottoms of a line's segments may differ, in units of the smaller one's height
_SMALL_CAPITALS = 0.25  # the same of the larger one's: small letters on its baseline, lower than an exponent
_SAME_CELL = 1.5  # the most that two lines of a cell are apart, in units of their height
OVERLAPPING = 0.95  # two lines that are closer, in units of their height, are beside each other
_CURRENCIES = frozenset("$€£¥₹")
_FIGURE_ENDS = frozenset("0123456789)%")
_BEFORE_FIGURE = {"(", "US$", *map("".join, product(("", "("), _CURRENCIES, ("", "(")))}
_AFTER_FIGURE = {"%", ")", "%%", "))", ")%", "%)"}
# A bullet, which may be a code of its font, or the number of a list item or of a heading, before its text.
_ENUMERATOR = re.compile(
    r"[^\w\s$€£¥₹%()+<>=#&/|~^\"'.,:;]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,6})[.)]|\d{1,3}(?:\.\d{1,3}){1,4}\.?"
)
# The number of a table or picture, which stands before its caption.
_CAPTION_NUMBER = re.compile(
    r"(?i:table|figure|fig|exhibit|chart|box|tab|abb|tabelle|abbildung|tableau|tabla|figura)\.? ?"
    r"[A-Z]?\d{1,3}(?:[.-]\d{1,3}){0,3}[.:]?"
)
FIGURE = re.compile(
    r"(?:[$€£¥₹]|US\$)? ?[(\[+−–-]? ?(?:[$€£¥₹]|US\$)? ?\d[\d.,'’ ]*+[)\]]? ?(?:%|‰|x|bn|m|k)?\)?(?: \(note \w\))?"
    r"|(?:[$€£¥₹]|US\$)? ?[—–−-]{1,2}+ ?%?|n/?[am]|N/?[AM]"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_left_of, _bottom_of = attrgetter("left"), attrgetter("bottom")


@dataclass(slots=True, eq=False)
class Line:
    """The segments of a line from left to right; those that are only a space apart are one."""

    segments: list[Segment]
    left: float = field(init=False)
    right: float = field(init=False)
    bottom: float = field(init=False)
    size: float = field(init=False)

    def __post_init__(self) -> None:
        first = self.segments[0]
        self.left, self.right, self.bottom, self.size = first.left, first.right, first.bottom, first.size
        for segment in self.segments[1:]:
            if segment.right > self.right:
                self.right = segment.right
            if segment.size > self.size:
                self.size = segment.size

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)


@lru_cache(maxsize=4096)  # each cell is looked at several times
def is_figure(text: str) -> bool:
    """Return whether a text is a figure such as $ 1,234.5, (12) or 7 %, or the dash that means none; no year."""
    text = text.strip()
    return bool(FIGURE.fullmatch(text)) and not _YEAR.fullmatch(text)


def goes_on_below(upper: Line, lower: Line) -> bool:
    """Return whether each cell of a line goes on in the line below: it's drawn next, and right below."""
    if upper.bottom - lower.bottom > _SAME_CELL * max(upper.size, lower.size):
        return False
    return all(any(is_next_line(above, cell) for cell in lower.segments) for above in upper.segments)


def belongs_to_row(lines: Sequence[Line], index: int, label_right: float) -> bool:
    """Return whether the cells of a line go on in the lines below, up to a row with a label."""
    while index + 1 < len(lines) and goes_on_below(lines[index], lines[index + 1]):
        index += 1
        if lines[index].left < label_right - 2 * lines[index].size:
            return True
    return False


def is_next_line(above: Segment, cell: Segment) -> bool:
    """Return whether a segment was drawn right after the one that it's below."""
    if cell.order - above.order != above.count or (is_figure(cell.text) and is_figure(above.text)):
        return False
    return min(cell.right, above.right) > max(cell.left, above.left)


def make_lines(segments: Iterable[Segment]) -> list[Line]:
    """Return the lines from top to bottom."""
    return join_lines(group_by_baseline(segments))


def join_lines(baselines: Iterable[list[Segment]]) -> list[Line]:
    """Return the lines of some segments by their baselines."""
    return [Line(_join_words(line)) for line in baselines]


def group_by_baseline(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Return the segments of each line from left to right, the lines from top to bottom."""
    lines: list[list[Segment]] = []
    for segment in sorted(segments, key=_bottom_of, reverse=True):
        if lines:
            last = lines[-1][0]
            small, large = sorted((last.size, segment.size))
            if last.bottom - segment.bottom <= max(_SAME_LINE * small, _SMALL_CAPITALS * large):
                lines[-1].append(segment)
                continue
        lines.append([segment])
    for line in lines:
        if len(line) > 1:
            line.sort(key=_left_of)
    return lines


def _join_words(segments: list[Segment]) -> list[Segment]:
    """Join neighbours that are only a space apart, currency signs with their figures, and list items' numbers."""
    if len(segments) == 1:
        return segments
    joined = [segments[0]]
    for segment in segments[1:]:
        previous = joined[-1]
        gap = segment.left - previous.right
        size = min(previous.size, segment.size)
        if gap < size * WIDEST_SPACE and gap < size * _widest_space(previous.text, segment.text):
            needs_space = gap > SPACE * size and not previous.text.endswith(" ") and not segment.text.startswith(" ")
            joined[-1] = join_segments(previous, segment, " " if needs_space else "")
        else:
            joined.append(segment)
    return _join_list_item(_join_signs(joined))


def _widest_space(before: str, after: str) -> float:
    """Return how wide a space between two texts can be, in units of the height; columns of figures can be closer."""
    if before[-1:] in _FIGURE_ENDS:
        if after[:1] in _CURRENCIES:
            return WIDEST_SPACE_BEFORE_CURRENCY
        if after[:1].isdigit():
            return WIDEST_SPACE_OF_FIGURES
    return WIDEST_SPACE


def _join_signs(segments: list[Segment]) -> list[Segment]:
    """Join a currency sign with the figure after it, and a bracket or per cent sign with the one before it."""
    joined = [segments[0]]
    for segment in segments[1:]:
        previous, text = joined[-1], segment.text.strip()
        if previous.text.strip() in _BEFORE_FIGURE and is_figure(text.lstrip("(")):
            joined[-1] = join_segments(previous, segment, "" if previous.text.strip().endswith("(") else " ")
        elif text in _AFTER_FIGURE and segment.left - previous.right < 2 * segment.size:
            joined[-1] = join_segments(previous, segment, "")
        else:
            joined.append(segment)
    return joined


def _join_list_item(segments: list[Segment]) -> list[Segment]:
    number = segments[0].text.strip()
    if len(segments) == 2 and (_ENUMERATOR.fullmatch(number) or _CAPTION_NUMBER.fullmatch(number)):
        first, second = segments
        if second.left - first.right < 4 * first.size and not is_figure(second.text):
            return [join_segments(first, second, " ")]
    return segments
