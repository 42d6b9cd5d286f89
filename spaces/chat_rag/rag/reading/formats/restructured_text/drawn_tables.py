"""Tables that reStructuredText draws with characters: grid tables and simple tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.reading.markdown.cells import GridCell

GRID_BORDER = re.compile(r"\+(?:[-=]+\+)+")
SIMPLE_BORDER = re.compile(r"=+(?: +=+)+")
_SPAN_LINE = re.compile(r"-+(?: +-+)* *")
_RUN = re.compile(r"[=-]+")
_MOST_STEPS = 1_000_000  # of the search for the corners of a table's cells
Box = tuple[int, int, int, int]  # the border around a cell: top, left, bottom, right


def grid_table(lines: Sequence[str]) -> list[GridCell]:
    """Return the cells of a table whose cells have borders all around; none if its borders don't close."""
    width = max(map(len, lines))
    lines = [line.ljust(width) for line in lines]
    boxes = _boxes(lines)
    rows = sorted({edge for top, _, bottom, _ in boxes for edge in (top, bottom)})
    columns = sorted({edge for _, left, _, right in boxes for edge in (left, right)})
    row_of, column_of = ({edge: number for number, edge in enumerate(edges)} for edges in (rows, columns))
    body = next((row for row in rows if set(lines[row]) <= {"+", "="}), 0)
    return [
        GridCell(
            row_of[top],
            column_of[left],
            " ".join(line[left + 1 : right].strip() for line in lines[top + 1 : bottom]),
            row_of[bottom] - row_of[top],
            column_of[right] - column_of[left],
            header=bottom <= body,
        )
        for top, left, bottom, right in boxes
    ]


def _boxes(lines: Sequence[str]) -> list[Box]:
    """Return the borders of all cells, found from the upper left corner on."""
    boxes: dict[tuple[int, int], Box] = {}
    corners, steps = [(0, 0)], 0
    while corners and steps < _MOST_STEPS:
        corner = corners.pop()
        if corner in boxes or corner[0] + 1 >= len(lines) or corner[1] + 1 >= len(lines[0]):
            continue
        for box in _candidates(lines, *corner):
            steps += 1
            if _is_closed(lines, box):
                boxes[corner] = box
                corners += [(corner[0], box[3]), (box[2], corner[1])]
                break
    return sorted(boxes.values()) if steps < _MOST_STEPS else []


def _candidates(lines: Sequence[str], top: int, left: int) -> Iterator[Box]:
    """Yield the boxes below and right of a corner that have an upper and a right border, the smallest first."""
    for right in range(left + 1, len(lines[top])):
        if lines[top][right] not in "+-=":
            return
        if lines[top][right] != "+":
            continue
        for bottom in range(top + 1, len(lines)):
            if lines[bottom][right] == "+":
                yield top, left, bottom, right
            elif lines[bottom][right] != "|":
                break


def _is_closed(lines: Sequence[str], box: Box) -> bool:
    """Return whether a box has a lower and a left border, too."""
    top, left, bottom, right = box
    below = lines[bottom][left : right + 1]
    beside = {line[left] for line in lines[top : bottom + 1]}
    return below[0] == "+" and len(below) > 1 and set(below) <= set("+-=") and beside <= set("+|")


def simple_table(lines: Sequence[str]) -> list[GridCell]:
    """Return the cells of a table with a line of = above and below, and perhaps below its header."""
    starts = [run.start() for run in _RUN.finditer(lines[0])]
    borders = [number for number, line in enumerate(lines) if SIMPLE_BORDER.fullmatch(line.strip())]
    header_end = borders[1] if len(borders) > 2 else 0
    cells: list[GridCell] = []
    row = 0
    block: list[str] = []
    for number, line in enumerate(lines[1:], 1):
        is_border = number in borders
        if not (is_border or _SPAN_LINE.fullmatch(line.strip() or " ")):
            block.append(line)
            continue
        spans = starts if is_border else [run.start() for run in _RUN.finditer(line)]
        for texts in _rows(block, spans):
            cells += _row_cells(row, texts, starts, spans, header=number <= header_end)
            row += 1
        block = []
    return cells


def _rows(lines: Sequence[str], spans: Sequence[int]) -> Iterator[list[str]]:
    """Yield the texts of each row; a line with nothing in the first column goes on with the row above."""
    row: list[str] = []
    for line in lines:
        ends = [*spans[1:], max(len(line), spans[-1])]
        texts = [line[start:end].strip() for start, end in zip(spans, ends, strict=True)]
        if texts[0] or not row:
            if any(row):
                yield row
            row = texts
        else:
            row = [f"{above} {text}".strip() for above, text in zip(row, texts, strict=True)]
    if any(row):
        yield row


def _row_cells(
    row: int, texts: Sequence[str], starts: Sequence[int], spans: Sequence[int], *, header: bool
) -> Iterator[GridCell]:
    edges = [*spans, 10**9]
    for text, (left, right) in zip(texts, pairwise(edges), strict=True):
        inside = [column for column, start in enumerate(starts) if left <= start < right]
        if inside and text not in ("", "\\"):
            yield GridCell(row, inside[0], text, 1, len(inside), header=header)
