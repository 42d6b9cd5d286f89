"""Lines of text that were recognized on a picture, and the text that they make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from rag.documents import RecognizedLine

_SAME_ROW = 0.5  # how far the middles of a row's pieces may be apart, in units of the height of a line
_PARAGRAPH = 1.4  # rows that are further apart than so many of the page's steps from row to row are two paragraphs
_COLUMN_ROWS = 4  # columns of prose are side by side in at least so many rows
_COLUMN_CHARACTERS = 20  # and half of their lines are at least so long: the cells of a table are shorter


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or a cell of a table, as an engine read it: its box in pixels, and how sure the engine is (0 to 1).

    `slope` is how much the line falls for each pixel to the right.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    score: float = 1.0
    slope: float = 0.0

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine read on a picture of this size, which it turned to the left by so many quarters."""

    pieces: Sequence[Piece]
    width: int
    height: int
    turns: int = 0


@dataclass(frozen=True, slots=True)
class RecognizedPage:
    """The text of a picture, where its lines are, and how sure the engine is of it (0 to 1)."""

    text: str = ""
    lines: tuple[RecognizedLine, ...] = ()
    score: float = 1.0


Row = list[Piece]


def write_page(reading: Reading) -> RecognizedPage:
    """Return the text of a picture: the pieces of a row on one line, and columns of prose one by one."""
    pieces = [piece for piece in reading.pieces if piece.text.strip()]
    if not pieces:
        return RecognizedPage()
    straight = _straighten(pieces)
    parts: list[str] = []
    lines: list[RecognizedLine] = []
    length = 0
    for separator, number in _ordered(straight):
        piece, text = pieces[number], pieces[number].text.strip()
        parts += [separator, text]
        start = length + len(separator)
        length = start + len(text)
        lines.append(RecognizedLine(start, length, *_box(piece, reading)))
    characters = sum(len(piece.text) for piece in pieces)
    score = sum(piece.score * len(piece.text) for piece in pieces) / characters
    return RecognizedPage("".join(parts), tuple(lines), score)


def _box(piece: Piece, reading: Reading) -> Iterator[float]:
    """Yield left, top, right and bottom of a piece in shares of the picture as it was before the engine turned it."""
    left, right = piece.left / reading.width, piece.right / reading.width
    top, bottom = piece.top / reading.height, piece.bottom / reading.height
    for _ in range(reading.turns):
        left, top, right, bottom = 1 - bottom, left, 1 - top, right
    yield from (round(min(max(share, 0.0), 1.0), 4) for share in (left, top, right, bottom))


def _straighten(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces where they would be if the page weren't tilted; a tilt of 2° moves a row by a line's height."""
    wide = [piece for piece in pieces if piece.right - piece.left > 4 * piece.height] or pieces
    slope = median(piece.slope for piece in wide)
    moved = []
    for piece in pieces:
        # A tilted line has a higher box: its middle is where its baseline is.
        shift = slope * (piece.left + piece.right) / 2
        height = max(piece.height - abs(slope) * (piece.right - piece.left), 1.0)
        middle = piece.middle - shift
        moved.append(replace(piece, top=middle - height / 2, bottom=middle + height / 2))
    return moved


def _ordered(pieces: Sequence[Piece]) -> Iterator[tuple[str, int]]:
    """Yield what comes before each piece, and its index."""
    numbers = {id(piece): number for number, piece in enumerate(pieces)}
    rows = list(_reading_order(_rows(pieces)))
    steps = [row[0].middle - previous[0].middle for previous, row in pairwise(rows)]
    step = median([step for step in steps if step > 0] or [0.0])
    breaks = ["", *("\n" if 0 < distance < _PARAGRAPH * step else "\n\n" for distance in steps)]
    for separator, row in zip(breaks, rows, strict=True):
        for place, piece in enumerate(row):
            yield " " if place else separator, numbers[id(piece)]


def _rows(pieces: Sequence[Piece]) -> list[Row]:
    """Return the pieces by rows from top to bottom, each from left to right."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        first = rows[-1][0] if rows else None
        if first and piece.middle - first.middle < _SAME_ROW * min(piece.height, first.height):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.left) for row in rows]


def _reading_order(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows, with columns of prose that are side by side one after the other."""
    index = 0
    while index < len(rows):
        end, middle = _columns(rows[index:])
        if middle is None:
            yield rows[index]
            index += 1
            continue
        for is_left in (True, False):
            column = [[piece for piece in row if (piece.left < middle) == is_left] for row in rows[index : index + end]]
            yield from _reading_order([row for row in column if row])
        index += end


def _columns(rows: Sequence[Row]) -> tuple[int, float | None]:
    """Return how many of the rows leave the same gap between two columns of prose, and the middle of the gap."""
    left = min(piece.left for row in rows for piece in row)
    right = max(piece.right for row in rows for piece in row)
    gaps, end = [(left, right)], 0
    for row in rows:
        common = [(max(one[0], other[0]), min(one[1], other[1])) for one in gaps for other in _gaps(row, left, right)]
        common = [(low, high) for low, high in common if high - low > row[0].height / 2]
        if not common:
            break
        gaps, end = common, end + 1
    middles = [(low + high) / 2 for low, high in gaps]
    return end, next((middle for middle in middles if _parts_prose(rows[:end], middle)), None)


def _gaps(row: Row, left: float, right: float) -> Iterator[tuple[float, float]]:
    """Yield what a row leaves free between the edges of the page's text."""
    for piece in row:
        yield left, piece.left
        left = piece.right
    yield left, right


def _parts_prose(rows: Sequence[Row], middle: float) -> bool:
    """Return whether there are lines of prose, not the cells of a table, on both sides."""
    for is_left in (True, False):
        lengths = [len(piece.text) for row in rows for piece in row if (piece.left < middle) == is_left]
        if len(lengths) < _COLUMN_ROWS or median(lengths) < _COLUMN_CHARACTERS:
            return False
    return True
