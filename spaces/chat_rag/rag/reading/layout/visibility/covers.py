"""Words of a PDF page over which something was drawn later."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rag.reading.layout.text_lines import pdfium
from rag.reading.layout.visibility.clips import Box
from rag.reading.layout.visibility.drawing import Drawing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.reading.layout.text_lines.words import Indexes, Numbers

    Flags = NDArray[np.bool_]

_INSET = 1.0  # points: less than the distance of a cover's edge to the letters
_WHOLE = 0.8  # of a word's width, which a cover needs: its edges are often a little too close
_SCAN_WORDS, _SCAN_AREA = 0.8, 0.5  # of the words or of the page: pictures over them are a scan with its text below
_MOST_PAIRS = 500_000  # of covers and words, in arrays of 8 bytes
_MOST_COVERS = 1_000  # that are over words


@dataclass(slots=True)
class Covered:
    """The words under shapes, and under pictures; `places` are the parts of all words where a cover hides them.

    `is_scan` says that the pictures show the words that are below them.
    """

    by_shape: Flags
    by_picture: Flags
    places: Numbers
    is_scan: bool


def find_covered(drawing: Drawing, places: Numbers, page_area: float) -> Covered | None:
    """Return which words are covered, or None if the page has no large shapes and pictures."""
    import numpy as np
    from pypdfium2 import raw

    if not len(drawing.covers):
        return None
    covered = Covered(np.zeros(len(places), bool), np.zeros(len(places), bool), places, is_scan=False)
    area = 0.0
    for index, words in islice(_overlaps(drawing, places), _MOST_COVERS):
        item, box = ctypes.c_void_p(int(drawing.covers[index])), drawing.cover_box(index)
        kind = pdfium.function("FPDFPageObj_GetType")(item)
        if kind == raw.FPDF_PAGEOBJ_PATH and not _is_filled(item):
            continue
        chosen = words[_inside(places[words], box)]
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            covered.by_picture[chosen] = True
            area += (box[2] - box[0]) * (box[3] - box[1])
        else:
            covered.by_shape[chosen] = True
        covered.places = _cut(covered.places, chosen, _inner(np.array(box)))
    covered.is_scan = bool(covered.by_picture.mean() >= _SCAN_WORDS or area >= _SCAN_AREA * page_area)
    return covered


def _overlaps(drawing: Drawing, places: Numbers) -> Iterator[tuple[int, Indexes]]:
    """Yield the index of each cover, and the words that were drawn before it and have their center inside, if any.

    The words are sorted by height, so that each cover is compared only with those beside it.
    """
    import numpy as np

    x, y = centers(places)
    by_height = y.argsort()
    x, y, numbers = x[by_height], y[by_height], drawing.numbers()[by_height]
    left, bottom, right, top = _inner(drawing.cover_boxes).T
    firsts = y.searchsorted(bottom, "right")
    counts = np.maximum(y.searchsorted(top) - firsts, 0)
    for start, end in batches(counts):
        part = counts[start:end]
        covers = np.arange(start, end).repeat(part)
        words = np.arange(len(covers)) + (firsts[start:end] - (part.cumsum() - part)).repeat(part)
        inside = (x[words] > left[covers]) & (x[words] < right[covers])
        inside &= numbers[words] < drawing.cover_numbers[covers]
        over, starts = np.unique(covers[inside], return_index=True)
        yield from zip(over.tolist(), np.split(by_height[words[inside]], starts[1:]), strict=False)


def batches(counts: Indexes) -> Iterator[tuple[int, int]]:
    """Yield spans of covers, each of one or of as many as have `_MOST_PAIRS` with words together at most."""
    ends, start = counts.cumsum(), 0
    while start < len(counts):
        most = _MOST_PAIRS + (ends[start - 1] if start else 0)
        end = max(start + 1, int(ends.searchsorted(most, "right")))
        yield start, end
        start = end


def _inside(places: Numbers, box: Box) -> Flags:
    """Return which places have their center in a cover."""
    import numpy as np

    left, bottom, right, top = _inner(np.array(box))
    x, y = centers(places)
    inside: Flags = (x > left) & (x < right) & (y > bottom) & (y < top)
    return inside


def centers(places: Numbers) -> tuple[Numbers, Numbers]:
    """Return the x and y of the middle of places."""
    return (places[:, 0] + places[:, 2]) / 2, (places[:, 1] + places[:, 3]) / 2


def cut_places(places: Numbers, box: Box) -> tuple[Numbers, Flags]:
    """Return the places, cut off at a box, and which of them have their center in it."""
    import numpy as np

    inside = _inside(places, box)
    return (_cut(places, inside.nonzero()[0], _inner(np.array(box))) if inside.any() else places), inside


def _inner(boxes: Numbers) -> Numbers:
    import numpy as np

    inner: Numbers = boxes + np.array([_INSET, _INSET, -_INSET, -_INSET])
    return inner


def _cut(places: Numbers, words: Indexes, box: Numbers) -> Numbers:
    """Return the places with those of the words cut off at the box, whose edges have a contrast themselves."""
    import numpy as np

    before = places[words]
    left, bottom, right, top = box
    inside = np.clip(before, [left, bottom, left, bottom], [right, top, right, top])
    whole = inside[:, 2] - inside[:, 0] >= _WHOLE * (before[:, 2] - before[:, 0])
    places = places.copy()
    places[words] = np.where(whole[:, None], inside, before)
    return places


def _is_filled(path: ctypes.c_void_p) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.function("FPDFPath_GetDrawMode")(path, ctypes.byref(fill), ctypes.byref(stroke))
    return bool(fill.value)
