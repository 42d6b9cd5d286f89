"""Tables that a program wrote with bars between their columns, and its lines that a listing wrapped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.reading.layout.text_lines.lines import Line
from rag.reading.layout.text_lines.segments import Segment, join_line, split_at_words
from rag.reading.layout.text_lines.words import Words

_BARS = ("|", "│", "┃", "║")
_LEAST_LINES = 3  # with a bar in the same place
_RULE = re.compile(r"[-+=|─━═│┃║┼├┤┌┐└┘┬┴╪╬ ]{3,}")
_WRAPPED = ("˓→", "↪", "↳")  # what listings put in front of the rest of a long line
_SPACE = "␣"  # a space at the end of a line that is wrapped


def read_bars(lines: Sequence[Line], words: Words | None) -> list[Line]:
    """Return lines with bars that stand below each other as cells, if rules were drawn with them, or as whole lines.

    Nothing but a rule tells the names of such columns from the first row.
    """
    if words is None or not any(bar in words.text for bar in _BARS):
        return _unwrapped(lines)
    bars = [[place for segment in line.segments for place in _bars(segment, words)] for line in lines]
    counts = Counter(x for line in bars for x in {round(words.left[index]) for index in line})
    common = {x for x in counts if counts[x - 1] + counts[x] + counts[x + 1] >= _LEAST_LINES}
    found = [{index for index in line if round(words.left[index]) in common} for line in bars]
    read: list[Line] = []
    has_rule = False
    for number, line in enumerate(lines):
        is_rule = any(found[max(0, number - 1) : number + 2]) and bool(_RULE.fullmatch(line.text.strip()))
        has_rule = is_rule or (has_rule and bool(found[number])) or _is_above_rule(lines, number)
        if is_rule:
            continue
        if not found[number]:
            read.append(line)
        elif has_rule:
            cells = [cell for segment in line.segments for cell in _cells(segment, words, found[number])]
            read += [Line(cells)] if cells else []
        else:
            read.append(Line([join_line(line.segments)]))
    return _unwrapped(read)


def _is_above_rule(lines: Sequence[Line], number: int) -> bool:
    return number + 1 < len(lines) and bool(_RULE.fullmatch(lines[number + 1].text.strip()))


def _bars(segment: Segment, words: Words) -> Iterator[int]:
    """Yield the indexes of the words of a segment that are bars."""
    if segment.words is None or not any(bar in segment.text for bar in _BARS):
        return
    first, last = segment.words
    for index in range(first, last + 1):
        if words.text[words.starts[index] : words.ends[index]] in _BARS:
            yield index


def _cells(segment: Segment, words: Words, bars: set[int]) -> Iterator[Segment]:
    """Yield the parts of a segment between bars."""
    if segment.words is None:
        yield segment
        return
    first, last = segment.words
    inside = [index for index in range(first, last + 1) if index in bars]
    cuts = sorted({cut for index in inside for cut in (index, index + 1) if first < cut <= last})
    for part in split_at_words(segment, words, cuts):
        if part.words and part.words[0] not in bars:
            yield part


def _unwrapped(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with the rest of each one that a listing wrapped after its last cell."""
    groups: list[list[Line]] = []
    for line in lines:
        if groups and line.segments[0].text.lstrip().startswith(_WRAPPED):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [_with_rest(first, rest) if rest else first for first, *rest in groups]


def _with_rest(line: Line, rest: Sequence[Line]) -> Line:
    *cells, last = line.segments
    texts, indexes = [last.text], list(last.indexes)
    for segment in map(join_line, (part.segments for part in rest)):
        mark = next(mark for mark in _WRAPPED if mark in segment.text)
        start = segment.text.index(mark) + len(mark)
        if texts[-1].endswith(_SPACE):
            texts[-1], indexes[-1:] = texts[-1][:-1] + " ", [-1]
        texts.append(segment.text[start:])
        indexes += segment.indexes[start:]
    right = max(last.right, *(part.right for part in rest))
    count = last.count + sum(segment.count for part in rest for segment in part.segments)
    whole = replace(last, text="".join(texts), indexes=indexes, right=right, count=count, words=None)
    return Line([*cells, whole])
