"""A recognized page as the layout of PDF pages wants it, and back: where its lines are on the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from rag.documents import RecognizedLine
from rag.reading.layout.page_text import PageText
from rag.reading.layout.reader import ReadPage
from rag.reading.layout.text_lines.lines import group_by_baseline
from rag.reading.layout.text_lines.segments import Segment
from rag.reading.ocr.recognized_text import Piece, Reading

_SAME_ROW = 0.5  # how far the middles of a row's pieces may be apart, in units of their height
_PAGE_HEIGHT = 842.0  # points: sizes and places are comparable with those of a PDF, and between pages


@dataclass(frozen=True, slots=True)
class _Frame:
    """From the pixels of the page that the engine read to the points of the upright page that isn't tilted."""

    width: int
    height: int
    turns: int
    slope: float

    @property
    def scale(self) -> float:
        return _PAGE_HEIGHT / max(self.width, self.height)

    def box(self, segment: Segment) -> Iterator[float]:
        """Yield left, top, right and bottom of a segment in shares of the picture as it was before it was turned."""
        left, right = segment.left / self.scale, segment.right / self.scale
        falls = self.slope * left, self.slope * right
        top = self.height - segment.top / self.scale + min(falls)
        bottom = self.height - segment.bottom / self.scale + max(falls)
        left, right, top, bottom = left / self.width, right / self.width, top / self.height, bottom / self.height
        for _ in range(self.turns):
            left, top, right, bottom = 1 - bottom, left, 1 - top, right
        yield from (round(min(max(share, 0.0), 1.0), 4) for share in (left, top, right, bottom))


@dataclass(frozen=True, slots=True)
class RecognizedPage:
    """The segments of a page that was recognized; `score` is how sure the engine is of them, from 0 to 1."""

    page: ReadPage
    frame: _Frame
    score: float

    def mark(self, written: PageText) -> None:
        """Add to the text of the page where its lines are on the picture, on which its comments aren't."""
        for segment, (start, end) in zip(written.segments, written.spans, strict=True):
            if end <= written.comments[0] or start >= written.comments[1]:
                written.recognized.append(RecognizedLine(start, end, *self.frame.box(segment)))


def recognized_page(reading: Reading) -> RecognizedPage:
    """Return what an engine read, with the pieces of a row on one baseline."""
    pieces = [piece for piece in reading.pieces if piece.text.strip()]
    wide = [piece for piece in pieces if piece.right - piece.left > 4 * piece.height] or pieces
    slope = median([piece.slope for piece in wide] or [0.0])
    frame = _Frame(reading.width, reading.height, reading.turns, slope)
    rows = _rows([_straighten(piece, slope) for piece in pieces])
    segments: list[Segment] = []
    for row in rows:
        bottom, size = median(piece.bottom for piece in row), median(piece.height for piece in row)
        for piece in row:
            segments.append(
                Segment(
                    piece.text.strip(),
                    [-1] * len(piece.text.strip()),
                    piece.left * frame.scale,
                    piece.right * frame.scale,
                    (reading.height - bottom) * frame.scale,
                    size * frame.scale,
                    len(segments),
                )
            )
    characters = sum(len(piece.text) for piece in pieces)
    score = sum(piece.score * len(piece.text) for piece in pieces) / max(characters, 1)
    return RecognizedPage(ReadPage(segments, None, [], 0, group_by_baseline(segments)), frame, score if pieces else 1.0)


def _straighten(piece: Piece, slope: float) -> Piece:
    """Return a piece where it would be if the page weren't tilted; a tilt of 2° moves a row by the height of a line."""
    # A tilted line has a higher box, whose middle is the middle of the line.
    height = max(piece.height - abs(slope) * (piece.right - piece.left), 1.0)
    middle = piece.middle - slope * (piece.left + piece.right) / 2
    return replace(piece, top=middle - height / 2, bottom=middle + height / 2)


def _rows(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces by rows from top to bottom, each from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        first = rows[-1][0] if rows else None
        if first and piece.middle - first.middle < _SAME_ROW * min(piece.height, first.height):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.left) for row in rows]
