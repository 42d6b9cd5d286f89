"""Running heads, running feet and page numbers of a PDF."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.reading.layout.text_lines.segments import Segment

WINDOW = 4  # how many pages before and after a page are compared with it
_MOST_LINES = 3  # lines of a head or a foot
_SAME_PLACE = 6.0  # points
_LONGEST_PAGE_NUMBER = 30  # characters
_NUMBERS = re.compile(r"(\d+)")
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|p\.|pg\.?|s\.|página|pagina|sida|side|strona|стр\.?|第)\s*)?"
    r"(?P<number>\d{1,4}|[ivxlc]{1,7})(?:\s*(?:/|of|von|de|sur|av|z|из)\s*\d{1,4})?\W*(?:页)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class EdgeLine:
    """A line near the upper or lower edge of a page: its text without numbers, its numbers, and its height."""

    key: str
    numbers: tuple[str, ...]
    bottom: float
    is_page_number: bool
    is_row: bool  # of a table: the next line has as many cells
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Edges:
    """The first lines of a page from the top, and the last ones from the bottom."""

    head: tuple[EdgeLine, ...]
    foot: tuple[EdgeLine, ...]


def page_edges(lines: Sequence[list[Segment]]) -> Edges:
    """Return what is compared between pages; each line is its segments from left to right."""
    head, foot = lines[: _MOST_LINES + 1], lines[::-1][: _MOST_LINES + 1]
    return Edges(_edge_lines(head), _edge_lines(foot))


def _edge_lines(lines: Sequence[list[Segment]]) -> tuple[EdgeLine, ...]:
    next_lines: list[list[Segment]] = [*lines[1:], []]
    return tuple(
        _edge_line(line, is_row=len(line) > 1 and len(line) == len(inner))
        for line, inner in zip(lines[:_MOST_LINES], next_lines, strict=False)
    )


def _edge_line(line: Sequence[Segment], *, is_row: bool) -> EdgeLine:
    text = " ".join(" ".join(segment.text for segment in line).split())
    is_page_number = len(text) <= _LONGEST_PAGE_NUMBER and bool(_PAGE_NUMBER.fullmatch(text))
    parts = _NUMBERS.split(text)  # every second one is a number
    key, numbers = "#".join(parts[::2]).lower(), tuple(parts[1::2])
    return EdgeLine(key, numbers, line[0].bottom, is_page_number, is_row, tuple(line))


def find_furniture(edges: Edges, others: Sequence[tuple[int, Edges]]) -> tuple[list[EdgeLine], list[EdgeLine]]:
    """Return the lines of the head and of the foot, from top to bottom; `others` are pages by their distance."""
    head = _count(edges.head, [(distance, other.head) for distance, other in others])
    foot = _count(edges.foot, [(distance, other.foot) for distance, other in others])
    return list(edges.head[:head]), list(edges.foot[:foot][::-1])


def _count(lines: Sequence[EdgeLine], others: Sequence[tuple[int, Sequence[EdgeLine]]]) -> int:
    """Count the lines from the edge of the page that are on two other pages too, or on the only other one."""
    count = 0
    for number, line in enumerate(lines, 1):
        twins = list(_twins(line, others))
        counts_pages = any(line.numbers != twin.numbers for twin in twins)
        if not ((len(twins) >= 2 and (counts_pages or not line.is_row)) or (counts_pages and len(others) == 1)):
            break
        count = number
    return count


def _twins(line: EdgeLine, others: Sequence[tuple[int, Sequence[EdgeLine]]]) -> Iterator[EdgeLine]:
    """Yield the same line of other pages; its numbers are the same, or count the pages."""
    for distance, edge in others:
        for other in edge:
            if other.key != line.key or abs(other.bottom - line.bottom) > _SAME_PLACE:
                continue
            if line.numbers == other.numbers and (line.key.strip("# ") or not line.numbers) and not line.is_page_number:
                yield other
                break
            if _counts_pages(line.numbers, other.numbers, distance):
                yield other
                break


def _counts_pages(numbers: Sequence[str], others: Sequence[str], distance: int) -> bool:
    """Return whether exactly the page number differs."""
    changed = [(int(a), int(b)) for a, b in zip(numbers, others, strict=False) if a != b]
    return len(numbers) == len(others) and len(changed) == 1 and changed[0][1] - changed[0][0] == distance
