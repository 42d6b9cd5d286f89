"""The words of a PDF page with their places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from rag.reading.layout.text_lines import pdfium
from rag.reading.layout.text_lines.characters import UNKNOWN, known_characters
from rag.reading.layout.text_lines.cuts import gap_cuts, script_cuts, space_cuts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Indexes = NDArray[np.intp]

HYPHEN = "\ufffe"  # a hyphen at a line end, which may be part of the word or not; PDFium's own mark for it is \x02
_HYPHENS = (0x02, 0xFFFE)
_SPACES = (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x3000)
_SAMPLES = 12
# Of a font without a line height, such as one of bitmaps.
_DESCENT, _HEIGHT = 0.2, 1.15
# Kinds of characters.
_SPACE, _DIGIT, _CURRENCY, _FIGURE_END, _HYPHEN, _CLOSING, _LETTER = 1, 2, 4, 8, 16, 32, 64


@dataclass(slots=True)
class Words:
    """The words of a page in the order in which they were drawn; a word and its superscript are two.

    `text` has a character for each index of PDFium. Places are in points of the page as it's read: lines are
    horizontal and y grows upwards. `bottom` is the lower edge of the line and `size` its height. `places` has left,
    bottom, right and top of each word on the page as it's stored, `objects` the address of its text object, `numbers`
    its number among all words of the page. `figures` is 2 for a word that begins with a currency sign, 1 for another
    one that may be a figure, and else 0. `turn` is the number of clockwise quarters by which most text is turned.
    """

    text: str
    starts: Indexes
    ends: Indexes
    objects: Indexes
    figures: NDArray[np.int8]
    left: Numbers
    right: Numbers
    bottom: Numbers
    size: Numbers
    places: Numbers
    angle: Numbers
    turn: int = 0
    numbers: Indexes = field(init=False)

    def __post_init__(self) -> None:
        import numpy as np

        self.numbers = np.arange(len(self.starts))

    def __len__(self) -> int:
        return len(self.starts)

    def select(self, keep: NDArray[np.bool_]) -> Words:
        """Return the words for which `keep` is true."""
        words = Words(
            self.text,
            self.starts[keep],
            self.ends[keep],
            self.objects[keep],
            self.figures[keep],
            self.left[keep],
            self.right[keep],
            self.bottom[keep],
            self.size[keep],
            self.places[keep],
            self.angle[keep],
            self.turn,
        )
        words.numbers = self.numbers[keep]
        return words

    def upright_places(self) -> Numbers:
        """Return left, bottom, right and top of each word on the page as it's read."""
        import numpy as np

        left, bottom, right, top = self.places.T
        sides = [
            (left, bottom, right, top),
            (-top, left, -bottom, right),
            (-right, -top, -left, -bottom),
            (bottom, -right, top, -left),
        ][self.turn]
        return np.column_stack(sides)


def read_words(text_page: Any, more_cuts: Sequence[int] = ()) -> Words:
    """Return the words of a pypdfium2 text page, which begin at the characters `more_cuts` too.

    The caller holds PDFium's lock.
    """
    import numpy as np

    page = pdfium.address(text_page.raw)
    text = known_characters(_characters(text_page, page))
    kinds = _kinds(text)
    starts, ends = _spans(kinds)
    objects = pdfium.text_objects(page, starts.tolist())
    first, last = _boxes(page, starts, ends)
    edges, is_digit = (starts, ends, first, last), kinds & _DIGIT > 0
    cuts = script_cuts(page, is_digit, kinds & _CLOSING > 0, objects, edges)
    cuts += gap_cuts(page, is_digit, edges) + space_cuts(page, kinds & _LETTER > 0, objects, edges)
    if cuts := sorted({*cuts, *more_cuts}):
        starts, ends = np.sort(np.append(starts, cuts)), np.sort(np.append(ends, cuts))
        objects = pdfium.text_objects(page, starts.tolist())
        first, last = _boxes(page, starts, ends)
    figures = _figures(kinds, starts, ends)
    places = np.minimum(first, last)[:, [0, 3, 2, 1]]
    np.maximum(first[:, 2:0:-1], last[:, 2:0:-1], out=places[:, 2:])
    turn = 0
    if _needs_matrices(page, starts, first, last):
        turn, *upright = _upright(page, starts, first, last)
    else:
        upright = [first[:, 0], last[:, 2], first[:, 3], first[:, 1] - first[:, 3], np.zeros(len(starts))]
    left, right, bottom, size, angle = upright
    return Words(text, starts, ends, objects, figures, left, right, bottom, size, places, angle, turn)


def _characters(text_page: Any, page: int) -> str:
    """Return the page's text with one character for each index of PDFium."""
    count = text_page.count_chars()
    text = pdfium.text(page, count)
    if len(text) != count:  # a character outside of the basic plane is two
        return "".join(map(chr, pdfium.code_points(page, range(count))))
    if HYPHEN in text:  # or a letter whose font doesn't say which one it is
        characters = list(text)
        places = [index for index, character in enumerate(characters) if character == HYPHEN]
        for index, code in zip(places, pdfium.code_points(page, places), strict=True):
            characters[index] = HYPHEN if code else UNKNOWN
        return "".join(characters)
    return text


def _kinds(text: str) -> NDArray[np.uint8]:
    """Return the kinds of each character."""
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds: NDArray[np.uint8] = _table()[np.minimum(codes, 0xFFFF)]
    return kinds


@cache
def _table() -> NDArray[np.uint8]:
    import numpy as np

    table = np.zeros(0x10000, np.uint8)
    table[list(_SPACES)] |= _SPACE
    table[list(_HYPHENS)] |= _HYPHEN
    for characters, kind in (("0123456789", _DIGIT | _FIGURE_END), (")%", _FIGURE_END), ("$€£¥₹", _CURRENCY)):
        table[list(map(ord, characters))] |= kind
    table[list(map(ord, ".,;:!?)]”’"))] |= _CLOSING
    # Of alphabets whose words have spaces between them, and whose letters stand side by side.
    table[[code for code in range(0x0530) if chr(code).isalpha()]] |= _LETTER
    return table


def _spans(kinds: NDArray[np.uint8]) -> tuple[Indexes, Indexes]:
    """Return the starts and ends of the words; a hyphen at a line end is the end of one."""
    import numpy as np

    inside = np.zeros(len(kinds) + 2, bool)
    inside[1:-1] = kinds & _SPACE == 0
    edges = (inside[1:] != inside[:-1]).nonzero()[0]
    hyphens = (kinds & _HYPHEN).nonzero()[0] + 1
    if not len(hyphens):
        return edges[0::2], edges[1::2]
    hyphens = np.setdiff1d(hyphens[inside[hyphens + 1]], edges)
    return np.sort(np.append(edges[0::2], hyphens)), np.sort(np.append(edges[1::2], hyphens))


def _boxes(page: int, starts: Indexes, ends: Indexes) -> tuple[Numbers, Numbers]:
    """Return left, top, right and bottom of the first and of the last character of each word."""
    import numpy as np

    indexes = np.empty(2 * len(starts), np.intp)
    indexes[0::2], indexes[1::2] = starts, ends - 1
    boxes = pdfium.loose_boxes(page, indexes.tolist()).astype(float)
    return boxes[0::2], boxes[1::2]


def _figures(kinds: NDArray[np.uint8], starts: Indexes, ends: Indexes) -> NDArray[np.int8]:
    import numpy as np

    may_be_figure = (kinds[ends - 1] & _FIGURE_END > 0) | (kinds[starts] & _DIGIT > 0)
    return np.where(kinds[starts] & _CURRENCY > 0, 2, may_be_figure).astype(np.int8)


def _needs_matrices(page: int, starts: Indexes, first: Numbers, last: Numbers) -> bool:
    """Return whether text is turned, or a font has no height, so that the loose boxes say too little."""
    if not len(starts):
        return False
    if (abs(first[:, 3] - last[:, 3]) > abs(first[:, 1] - first[:, 3]) / 2).any():
        return True
    sample = starts[:: max(1, len(starts) // _SAMPLES)].tolist()
    tight, loose = pdfium.tight_boxes(page, sample), first[:: max(1, len(starts) // _SAMPLES)]
    without_height = (abs(tight[:, 3] - loose[:, 1]) < 0.01) & (abs(tight[:, 2] - loose[:, 3]) < 0.01)
    return bool(without_height.any()) or any(pdfium.angles(page, sample))


def _upright(page: int, starts: Indexes, first: Numbers, last: Numbers) -> tuple[int, *tuple[Numbers, ...]]:
    """Return the turn that makes most lines horizontal, and left, right, bottom, size and angle after it."""
    import numpy as np

    indexes = starts.tolist()
    angle = np.array(pdfium.angles(page, indexes))
    quarters = np.rint(angle / (math.pi / 2)).astype(int) % 4
    turn = int(np.bincount(quarters, minlength=4).argmax())
    scale = np.hypot(*pdfium.matrices(page, indexes)[:, 2:4].T)
    size = np.array(pdfium.font_sizes(page, indexes)) * np.where(scale > 0, scale, 1)
    x, y = pdfium.origins(page, indexes).T
    left, right, base = [
        (np.minimum(first[:, 0], x), last[:, 2], y),
        (-first[:, 1], -last[:, 3], x),
        (-first[:, 2], -last[:, 0], -y),
        (first[:, 3], last[:, 1], -x),
    ][turn]
    return turn, left, right, base - _DESCENT * size, _HEIGHT * size, np.abs(angle - turn * math.pi / 2)
