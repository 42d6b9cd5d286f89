"""Finds where the words of a PDF page that PDFium has joined are several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.reading.layout.text_lines import pdfium

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Indexes = NDArray[np.intp]
    Flags = NDArray[np.bool_]
    # Where words start and end, and left, top, right and bottom of the first and of the last character of each.
    Places = tuple[Indexes, Indexes, Numbers, Numbers]

_OTHER_SIZE = 0.12  # the share by which a superscript's height differs at least
# In units of the height of a line: a figure's step from digit to digit at most, and a gap that is more than a space.
_WIDEST_FIGURE, _WIDE_GAP = 0.5, 0.8
# The least gap between two letters that is a space, in the same units, and the most between others of the word: in a
# title whose letters are spaced, all are wide.
_LEAST_SPACE, _KERNING = 0.13, 0.07
_GAP_IN_WORD = 3.0  # letters may be spaced, as in a title


def script_cuts(page: int, is_digit: Flags, is_closing: Flags, objects: Indexes, places: Places) -> list[int]:
    """Return where the size of the characters changes in words with digits, as in 4,210³ and 10⁶."""
    import numpy as np

    starts, ends, first, last = places
    digits = np.zeros(len(is_digit) + 1, np.intp)
    is_digit.cumsum(out=digits[1:])
    height, end_height = first[:, 1] - first[:, 3], last[:, 1] - last[:, 3]
    differ = abs(height - end_height) > _OTHER_SIZE * height
    closed = is_closing[ends - 1]  # the script may be before a full stop
    words = ((digits[ends] > digits[starts]) & (ends - starts > 1) & (differ | closed)).nonzero()[0]
    # A superscript is another text object.
    last_objects = pdfium.text_objects(page, (ends[words] - 1).tolist()).tolist()
    spans = zip(starts[words].tolist(), ends[words].tolist(), objects[words].tolist(), last_objects, strict=True)
    indexes = [index for start, end, one, other in spans if one != other for index in range(start, end)]
    if not indexes:
        return []
    boxes = pdfium.loose_boxes(page, indexes)
    heights = (boxes[:, 1] - boxes[:, 3]).tolist()
    return [
        index
        for previous, index, before, height in zip(indexes, indexes[1:], heights, heights[1:], strict=False)
        if index == previous + 1 and abs(height - before) > _OTHER_SIZE * max(height, before)
    ]


def gap_cuts(page: int, is_digit: Flags, places: Places) -> list[int]:
    """Return where words have a wide gap: PDFium joins words of one character over any gap."""
    import numpy as np

    starts, ends, first, last = places
    # Turned text has the line's height in its width.
    height = np.maximum(abs(first[:, 1] - first[:, 3]), abs(first[:, 2] - first[:, 0]))
    width = np.maximum(abs(last[:, 0] - first[:, 0]), abs(last[:, 3] - first[:, 3]))
    count = ends - starts - 1
    least = np.where(is_digit[starts], _WIDE_GAP, _GAP_IN_WORD) * height
    cuts: list[int] = []
    for word in ((count > 0) & (width > _WIDEST_FIGURE * height * count + least)).nonzero()[0].tolist():
        indexes = range(int(starts[word]), int(ends[word]))
        gaps = _gaps(pdfium.loose_boxes(page, indexes).astype(float)).tolist()
        cuts += [index for index, gap in zip(indexes[1:], gaps, strict=True) if gap > least[word]]
    return cuts


def space_cuts(page: int, letters: Flags, objects: Indexes, places: Places) -> list[int]:
    """Return where words have a space that was drawn by moving on, and that PDFium finds too narrow for one.

    Such words are several text objects; `letters` says which characters are letters.
    """
    import numpy as np

    starts, ends = places[:2]
    last_objects = pdfium.text_objects(page, (ends - 1).tolist())
    several = ((last_objects != objects) & (ends - starts > 2)).nonzero()[0].tolist()
    indexes = [index for word in several for index in range(int(starts[word]), int(ends[word]))]
    if not indexes:
        return []
    left, top, right, bottom = pdfium.loose_boxes(page, indexes).astype(float).T
    of_word = np.repeat(several, ends[several] - starts[several])
    gaps = (left[1:] - right[:-1]) / np.maximum(top - bottom, 0.1)[1:]
    inside = of_word[1:] == of_word[:-1]
    spaced = set(of_word[1:][inside & (gaps > _KERNING) & (gaps < _LEAST_SPACE)].tolist())
    narrow = set(of_word[1:][inside & (gaps <= _KERNING)].tolist())
    places_of = np.array(indexes[1:])
    found = inside & (gaps >= _LEAST_SPACE) & letters[places_of]
    return [
        index
        for index, word in zip(places_of[found].tolist(), of_word[1:][found].tolist(), strict=True)
        if word in narrow and word not in spaced
    ]


def _gaps(boxes: Numbers) -> Numbers:
    """Return how far each box is from the one before it, in the direction in which they are further apart."""
    import numpy as np

    left, top, right, bottom = boxes.T
    across = np.maximum(left[1:] - right[:-1], left[:-1] - right[1:])
    upward = np.maximum(bottom[1:] - top[:-1], bottom[:-1] - top[1:])
    gaps: Numbers = np.maximum(across, upward)
    return gaps
