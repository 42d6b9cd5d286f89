"""Dots that lead from a title to its page in a table of contents, or from the label of a row to its figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment, join_line, join_segments

_DOTS = re.compile(r"[.·…‥](?:[ \u00a0]{0,2}[.·…‥]){3,}")
_PAGE = re.compile(r"[A-Z]?-?\d{1,4}|[ivxlcIVXLC]{1,7}")
_LEAST_ENTRIES = 3
_SAME_EDGE = 2.0  # points by which page numbers end apart
_LEADER = " … "


def join_leaders(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with each title of a table of contents and its page as one segment, such as "Fees … 12".

    The dots after the labels of other rows are left out.
    """
    dotted = [_has_dots(line) for line in lines]
    if not any(dotted):
        return list(lines)
    entries = _entries(lines, dotted)
    return [
        Line([_entry(line)]) if is_entry else _without_dots(line) if has_dots else line
        for line, is_entry, has_dots in zip(lines, entries, dotted, strict=True)
    ]


def _has_dots(line: Line) -> bool:
    texts = [segment.text for segment in line.segments]
    return any(sign in text for text in texts for sign in ".·…‥") and bool(_DOTS.search(" ".join(texts)))


def _entries(lines: Sequence[Line], dotted: Sequence[bool]) -> list[bool]:
    """Return for each line whether it is one of a table of contents: pages, in their order, follow the dots."""
    entries = [has_dots and _page(line) is not None for line, has_dots in zip(lines, dotted, strict=True)]
    found = [line for line, is_entry in zip(lines, entries, strict=True) if is_entry]
    pages = [int(page) for line in found if (page := _page(line) or "").isdecimal()]
    falling = sum(1 for page, following in pairwise(pages) if following < page)
    if len(found) < _LEAST_ENTRIES or 10 * falling > len(pages):
        return [False] * len(lines)
    # The titles of chapters often have no dots.
    right = max(line.right for line in found)
    for order in (range(1, len(lines)), range(len(lines) - 2, -1, -1)):
        step = order.step
        for index in order:
            entries[index] = entries[index] or (entries[index - step] and _is_undotted(lines[index], right))
    return entries


def _page(line: Line) -> str | None:
    """Return the page after the last dots of a line, or None if there is something else, or nothing before them."""
    runs = list(_DOTS.finditer(line.text))
    page = line.text[runs[-1].end() :].strip()
    return page if runs[0].start() and _PAGE.fullmatch(page) else None


def _is_undotted(line: Line, right: float) -> bool:
    """Return whether a line without dots ends in a page below the other ones."""
    page = line.segments[-1]
    return len(line.segments) > 1 and abs(page.right - right) < _SAME_EDGE and bool(_PAGE.fullmatch(page.text.strip()))


def _entry(line: Line) -> Segment:
    """Return the title and the page of a line with one sign between them, as one segment."""
    *titles, page = line.segments
    if titles and not _DOTS.search(line.text):
        return join_segments(join_line(titles), page, _LEADER)
    return _collapsed(join_line(line.segments))


def _collapsed(segment: Segment) -> Segment:
    """Return a segment with one sign for each run of dots."""
    texts: list[str] = []
    indexes: list[int] = []
    spans = [run.span() for run in _DOTS.finditer(segment.text)]
    starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(segment.text)]
    for start, end in zip(starts, ends, strict=True):
        part = segment.text[start:end].strip()
        start += segment.text[start:end].find(part)
        texts.append(part)
        indexes += [*([-1] * len(_LEADER) if start else []), *segment.indexes[start : start + len(part)]]
    return replace(segment, text=_LEADER.join(texts), indexes=indexes, words=None)


def _without_dots(line: Line) -> Line:
    """Return a row without the dots at the ends of its cells."""
    *cells, last = line.segments
    kept = list[Segment]()
    for cell in cells:
        text = cell.text.rstrip()
        runs = [run for run in _DOTS.finditer(text) if run.end() == len(text)]
        length = len(text[: runs[0].start()].rstrip()) if runs else len(cell.text)
        if runs and length:
            kept.append(replace(cell, text=cell.text[:length], indexes=cell.indexes[:length], words=None))
        elif not runs:
            kept.append(cell)
    return Line([*kept, last])
