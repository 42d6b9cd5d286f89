"""The words of a PDF page with their places."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.reading.layout import pdfium

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

HYPHEN = "\ufffe"  # a hyphen at a line end, which may be part of the word or not; PDFium's own mark for it is \x02
_WORD = re.compile(r"[^\s\x02\ufffe]++[\x02\ufffe]?|[\x02\ufffe]")
_DIGIT = re.compile(r"\d")
_DIGITS = frozenset("0123456789")
_FIGURE_ENDS = frozenset("0123456789)%")
_CURRENCIES = frozenset("$€£¥₹")
_OTHER_SIZE = 0.12  # the share by which a superscript's height differs at least
_SAMPLES = 24
# Of a font without a line height, such as one of bitmaps.
_DESCENT, _HEIGHT = 0.2, 1.15


@dataclass(slots=True)
class Words:
    """The words of a page in the order in which they were drawn; a word and its superscript are two.

    `text` has a character for each index of PDFium. Places are in points of the page as it's read: lines are
    horizontal and y grows upwards. `bottom` is the lower edge of the line and `size` its height. `places` has left,
    bottom, right and top of each word on the page as it's stored, `numbers` its number among all words of the page.
    """

    text: str
    starts: list[int]
    ends: list[int]
    left: Numbers
    right: Numbers
    bottom: Numbers
    size: Numbers
    places: Numbers
    angle: Numbers | None = None
    numbers: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        import numpy as np

        self.numbers = np.arange(len(self.starts))

    def __len__(self) -> int:
        return len(self.starts)

    def figures(self) -> NDArray[np.int8]:
        """Return for each word 1 if it may be a figure, 2 if it's a currency sign or begins with one, and else 0."""
        import numpy as np

        text = self.text
        kinds = [
            2 if text[start] in _CURRENCIES else 1 if text[end - 1] in _FIGURE_ENDS or text[start] in _DIGITS else 0
            for start, end in zip(self.starts, self.ends)  # noqa: B905
        ]
        return np.array(kinds, np.int8)

    def select(self, keep: NDArray[np.bool_]) -> Words:
        """Return the words for which `keep` is true."""
        chosen = keep.nonzero()[0].tolist()
        words = Words(
            self.text,
            [self.starts[index] for index in chosen],
            [self.ends[index] for index in chosen],
            self.left[keep],
            self.right[keep],
            self.bottom[keep],
            self.size[keep],
            self.places[keep],
            None if self.angle is None else self.angle[keep],
        )
        words.numbers = self.numbers[keep]
        return words


def read_words(text_page: Any) -> Words:
    """Return the words of a pypdfium2 text page. The caller holds PDFium's lock."""
    page = pdfium.address(text_page.raw)
    text = _characters(text_page, page)
    spans = [match.span() for match in _WORD.finditer(text)]
    starts, ends = _split_scripts(page, text, [start for start, _ in spans], [end for _, end in spans])
    first, last = _boxes(page, starts, ends)
    if _needs_matrices(page, starts, first):
        return _upright(page, text, starts, ends)
    left, right, bottom, top = first[:, 0], last[:, 2], first[:, 3], first[:, 1]
    return Words(text, starts, ends, left, right, bottom, top - bottom, _places(first, last))


def _characters(text_page: Any, page: int) -> str:
    """Return the page's text with one character for each index of PDFium."""
    text: str = text_page.get_text_range()
    if len(text) != (count := text_page.count_chars()):
        text = "".join(map(chr, pdfium.code_points(page, range(count))))
    return text


def _boxes(page: int, starts: Sequence[int], ends: Sequence[int]) -> tuple[Numbers, Numbers]:
    """Return left, top, right and bottom of the first and of the last character of each word."""
    indexes = [index for start, end in zip(starts, ends, strict=True) for index in (start, end - 1)]
    boxes = pdfium.loose_boxes(page, indexes).astype(float)
    return boxes[0::2], boxes[1::2]


def _split_scripts(page: int, text: str, starts: list[int], ends: list[int]) -> tuple[list[int], list[int]]:
    """Split words with digits where the size of their characters changes, as in 4,210³ and 10⁶."""
    words = [
        number
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
        if end - start > 1 and _DIGIT.search(text, start, end)
    ]
    # A superscript is another text object.
    first_objects = pdfium.text_objects(page, [starts[number] for number in words])
    last_objects = pdfium.text_objects(page, [ends[number] - 1 for number in words])
    mixed = [number for number, a, b in zip(words, first_objects, last_objects, strict=True) if a != b]
    indexes = [index for number in mixed for index in range(starts[number], ends[number])]
    boxes = pdfium.loose_boxes(page, indexes)
    heights = (boxes[:, 1] - boxes[:, 3]).tolist()
    cuts = [
        index
        for previous, index, before, height in zip(indexes, indexes[1:], heights, heights[1:], strict=False)
        if index == previous + 1 and abs(height - before) > _OTHER_SIZE * max(height, before) and text[index] != HYPHEN
    ]
    inside = set(starts)
    cuts = [cut for cut in cuts if cut not in inside]
    return (sorted([*starts, *cuts]), sorted([*ends, *cuts])) if cuts else (starts, ends)


def _places(first: Numbers, last: Numbers) -> Numbers:
    import numpy as np

    return np.stack([*np.minimum(first, last)[:, [0, 3]].T, *np.maximum(first, last)[:, [2, 1]].T], axis=1)


def _needs_matrices(page: int, starts: Sequence[int], first: Numbers) -> bool:
    """Return whether text is turned, or a font has no height, so that the loose boxes say too little."""
    if not len(starts):
        return False
    step = max(1, len(starts) // _SAMPLES)
    sample = list(starts[::step])
    tight, loose = pdfium.tight_boxes(page, sample), first[::step]
    without_height = (abs(tight[:, 3] - loose[:, 1]) < 0.01) & (abs(tight[:, 2] - loose[:, 3]) < 0.01)
    return bool(without_height.any()) or any(pdfium.angles(page, sample))


def _upright(page: int, text: str, starts: list[int], ends: list[int]) -> Words:
    """Return the words by origin and matrix, turned so that most lines are horizontal."""
    import numpy as np

    angle = np.array(pdfium.angles(page, starts))
    quarters = np.rint(angle / (math.pi / 2)).astype(int) % 4
    turn = int(np.bincount(quarters, minlength=4).argmax())
    scale = np.hypot(*pdfium.matrices(page, starts)[:, 2:4].T)
    size = np.array(pdfium.font_sizes(page, starts)) * np.where(scale > 0, scale, 1)
    first, last = _boxes(page, starts, ends)
    x, y = pdfium.origins(page, starts).T
    left, right, base = [
        (np.minimum(first[:, 0], x), last[:, 2], y),
        (-first[:, 1], -last[:, 3], x),
        (-first[:, 2], -last[:, 0], -y),
        (first[:, 3], last[:, 1], -x),
    ][turn]
    own_angle = np.abs(angle - turn * math.pi / 2)
    bottom, height = base - _DESCENT * size, _HEIGHT * size
    return Words(text, starts, ends, left, right, bottom, height, _places(first, last), own_angle)
