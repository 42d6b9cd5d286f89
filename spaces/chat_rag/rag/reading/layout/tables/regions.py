"""Finds the lines of a PDF page that are the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from rag.reading.layout.tables.second_headers import is_second_header
from rag.reading.layout.text_lines.lines import OVERLAPPING, Line, belongs_to_row, is_figure, is_next_line

_MOST_LABEL_LINES = 5  # lines without figures between two rows: labels of several lines, and titles of sections
_MOST_HEADER_LINES = 8
_GAP = 1.6
_TITLE = 1.3  # as many times larger than the rows below it
_SAME_CELL = 1.5  # the most that two lines of a cell are apart, in units of their height
_WIDEST_GAP = 3.5  # between two rows, in units of the height of a line


def table_regions(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return the spans of lines that may be tables, from top to bottom."""
    regions, index = [], 0
    while index < len(lines):
        if len(lines[index].segments) < 2 or _is_title(lines, index):
            index += 1
            continue
        end = _end(lines, index)
        regions.append((index, end))
        index = end
    return regions


def _is_title(lines: Sequence[Line], index: int) -> bool:
    """Return whether a line is much larger than the rows below it: the title of a page, with more at its right."""
    below = next((line for line in lines[index + 1 : index + 1 + _MOST_LABEL_LINES] if len(line.segments) > 1), None)
    return below is not None and lines[index].size > _TITLE * below.size


def is_header_like(line: Line, label_right: float) -> bool:
    """Return whether a line has only words or years, and nothing in the column of the labels."""
    return line.left > label_right and not any(is_figure(segment.text) for segment in line.segments)


def _end(lines: Sequence[Line], first: int) -> int:
    """Return the index after the last line of the table that begins with the line `first`."""
    last, left = first, lines[first].left  # the left edge of the lines from the first to the last one
    rest = first  # the last line that is nothing but the rest of a cell
    has_rows = any(is_figure(segment.text) for segment in lines[first].segments)
    for index in range(first + 1, len(lines)):
        line, previous = lines[index], lines[index - 1]
        if (
            previous.bottom - line.bottom > _WIDEST_GAP * max(line.size, previous.size)
            or index - max(last, rest) > _MOST_LABEL_LINES
        ):
            break
        if len(line.segments) > 1:
            figures = any(is_figure(segment.text) for segment in line.segments)
            if has_rows and not figures and (_is_after_gap(lines, index) or is_second_header(lines, first, index)):
                break
            label_right = left + 2 * line.size
            if has_rows and is_header_like(line, label_right) and not belongs_to_row(lines, index, line.left):
                break
            has_rows |= figures
            left = min(left, _left(lines[last + 1 : index + 1]))
            last = index
        elif index - 1 in (last, rest) and _is_rest(line, lines[max(first, index - 2) : index]):
            rest = index
        elif not has_rows and _is_header(line, lines[first : last + 1]):
            continue
        elif not (
            _is_label(line, lines, last, index)
            or _is_cell(line, lines, last, index)
            or _is_between_rows(lines, last, index)
        ):
            break
    return max(last, rest) + 1


def _is_rest(line: Line, above: Sequence[Line]) -> bool:
    """Return whether a line goes on with a cell above it, below the last row too: drawn next, at the same edge."""
    rest = line.segments[0]
    cells = [cell for other in above for cell in other.segments[len(other.segments) > 1 :]]  # without the labels
    return any(
        cell.bottom - rest.bottom <= _SAME_CELL * max(cell.size, rest.size)
        and is_next_line(cell, rest)
        and abs(cell.left - rest.left) < 1
        for cell in cells
    )


def _is_after_gap(lines: Sequence[Line], index: int) -> bool:
    """Return whether a line is further below the line before it than that one is below its own."""
    step = lines[index - 1].bottom - lines[index].bottom
    return index > 1 and step > _GAP * (lines[index - 2].bottom - lines[index - 1].bottom)


def _left(lines: Sequence[Line]) -> float:
    return min(line.left for line in lines)


def _is_cell(line: Line, lines: Sequence[Line], last: int, index: int) -> bool:
    """Return whether a line of one segment is a part of a cell after the label."""
    if line.left < data_left(lines[last], _left(lines[last : index + 1])) - line.size:
        return False
    return belongs_to_row(lines, index, line.left)


def _is_between_rows(lines: Sequence[Line], last: int, index: int) -> bool:
    """Return whether a line is a cell in the middle of two rows, which it spans: it is beside both of them."""
    if index - 1 != last or index + 1 == len(lines) or len(lines[index + 1].segments) < 2:
        return False
    above, line, below = lines[index - 1 : index + 2]
    closest = OVERLAPPING * line.size
    is_beside = above.bottom - line.bottom < closest and line.bottom - below.bottom < closest
    return is_beside and line.left > max(above.right, below.right)


def _is_header(line: Line, above: Sequence[Line]) -> bool:
    """Return whether a line of one segment, such as the unit of the figures, is over the columns of the lines above."""
    left, right = _left(above), max(row.right for row in above)
    return line.left > left - 2 * line.size and line.right < right + 2 * line.size


def _is_label(line: Line, lines: Sequence[Line], last: int, index: int) -> bool:
    """Return whether a line of one segment is a label, which ends before the columns, or the title of a section."""
    following = next((other for other in lines[index + 1 : index + 6] if len(other.segments) > 1), None)
    around = [lines[last], *([following] if following else [])]
    left = min(row.left for row in (line, *around))
    is_left = line.left < data_left(lines[last], left)
    if is_left and line.right <= max(data_left(row, left) for row in around) + line.size:
        return True
    is_title = line.text.rstrip().endswith(":") and line.left - left < 2 * line.size
    return is_title and following is lines[index + 1] if index + 1 < len(lines) else False


def data_left(row: Line, left: float) -> float:
    """Return where the first cell after the label begins, in a row or a line of headers."""
    figures = [segment.left for segment in row.segments[1:] if is_figure(segment.text)]
    if figures:
        return min(figures)
    return next((segment.left for segment in row.segments if segment.left > left + 2 * row.size), row.right)


def header_above(lines: Sequence[Line], least: int, first: int, left: float, right: float) -> int:
    """Return the first line of the headers above a table whose data columns reach from `left` to `right`.

    Titles of sections can stand between them and the first row.
    """
    top = first
    for index in range(first - 1, max(least, first - _MOST_HEADER_LINES) - 1, -1):
        line, below = lines[index], lines[index + 1]
        if line.bottom - below.bottom > _WIDEST_GAP * below.size or is_figure(line.text):
            break
        if line.left > left - 2 * line.size and line.right < right + 2 * line.size:
            top = index
        elif line.right > left:
            break
    while top < first and lines[top].text.strip().startswith("("):
        top += 1  # "(unaudited)" is a part of the caption
    return top
