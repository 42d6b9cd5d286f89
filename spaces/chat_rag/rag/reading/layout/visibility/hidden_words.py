"""Finds words of a PDF page that nobody can see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.reading.layout.text_lines import pdfium
from rag.reading.layout.text_lines.words import Words, read_words
from rag.reading.layout.visibility.clips import Box
from rag.reading.layout.visibility.covers import centers, cut_places, find_covered
from rag.reading.layout.visibility.drawing import Drawing
from rag.reading.layout.visibility.layers import layer_words
from rag.reading.layout.visibility.overdrawn import backward_cuts
from rag.reading.layout.visibility.pixel_checks import have_contrast, make_difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.reading.layout.text_lines.words import Numbers

    Flags = NDArray[np.bool_]

_LIGHT = 200  # of 255: text in a lighter color may have no contrast to the page
_FAINT = 16  # of 255: an alpha below it
_SMALLEST_SIZE = 2.0  # points; nobody reads text of this height
_SMALLEST_SHARE = 1 / 300  # of the page's longer side, for pages that are small themselves
_MOST_ANNOTATIONS = 200  # that are compared with all words one by one
_MIDDLE = 0.25  # of a word's sides: what is visible only there isn't read


@dataclass(slots=True)
class _Doubts:
    """Words that may not be seen: pale ones need a contrast, compared ones make a difference on the page.

    Each layer is compared for itself: a word of another one can be at the same place. `places` are the parts of the
    words that are looked at.
    """

    pale: Flags
    compared: list[Flags]
    places: Numbers


def visible_words(page: Any, text_page: Any, words: Words, annotations: Sequence[Box]) -> tuple[Words, int]:
    """Return the words that a reader of the page sees, and how many others there are.

    `annotations` are the places of those that may cover words.

    White text on a dark field and the invisible text over a scanned picture stay: the page is rendered, only if it has
    words that may be invisible, clipped away or covered, and their places are checked. The caller holds PDFium's lock.
    """
    import numpy as np

    doubts = _find_doubts(page, words, annotations)
    if doubts.compared and (cuts := backward_cuts(text_page, words, np.logical_or.reduce(doubts.compared))):
        words = read_words(text_page, cuts)
        doubts = _find_doubts(page, words, annotations)
    visible = _large_words(page, words)
    pale = doubts.pale & visible
    if pale.any():
        visible &= ~pale | have_contrast(page, doubts.places, pale)
    if compared := [group & visible for group in doubts.compared if (group & visible).any()]:
        visible &= make_difference(page, doubts.places, words.objects, compared)
    hidden = int(len(words) - visible.sum())
    return words.select(visible) if hidden else words, hidden


def _large_words(page: Any, words: Words) -> Flags:
    """Return for each word whether it's on the page and not too small to be read."""
    left, bottom, right, top = _page_box(page)
    x, y = centers(words.places)
    smallest = min(_SMALLEST_SIZE, max(right - left, top - bottom) * _SMALLEST_SHARE)
    large: Flags = words.size >= smallest
    return large & (x > left - 1) & (x < right + 1) & (y > bottom - 1) & (y < top + 1)


def _find_doubts(page: Any, words: Words, annotations: Sequence[Box]) -> _Doubts:
    import numpy as np

    pale, invisible = _pale_words(words)
    drawing = Drawing(pdfium.address(page.raw), words)
    compared, scanned, places = np.zeros(len(words), bool), np.zeros(len(words), bool), words.places
    if clips := drawing.clips():
        (left, bottom, right, top), is_box = clips[0].T, clips[1]
        x, y = centers(places)
        compared = (x < left) | (y < bottom) | (x > right) | (y > top) | ~is_box
        places = _middle(places, compared)
    left, bottom, right, top = _page_box(page)
    if covered := find_covered(drawing, places, (right - left) * (top - bottom)):
        places, scanned = covered.places, covered.by_picture & covered.is_scan
        compared = compared | covered.by_shape | (covered.by_picture & (not covered.is_scan))
    for box in _merge_last(annotations):
        places, below = cut_places(places, box)
        compared = compared | below
    pale, groups = pale | scanned, [compared]
    if getattr(page.pdf, "has_hidden_layers", False):
        pale = np.ones(len(words), bool)
        groups += [layer & ~scanned for layer in layer_words(words.objects)]
    groups = [group & ~invisible for group in groups]
    return _Doubts(pale, [group for group in groups if group.any()], places)


def _merge_last(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes; if there are many, the box around the last ones instead of those."""
    first, last = boxes[:_MOST_ANNOTATIONS], boxes[_MOST_ANNOTATIONS:]
    if not last:
        return [*first]
    lefts, bottoms, rights, tops = zip(*last, strict=True)
    return [*first, (min(lefts), min(bottoms), max(rights), max(tops))]


def _middle(places: Numbers, chosen: Flags) -> Numbers:
    """Return the places, of the chosen ones only the middle."""
    if not chosen.any():
        return places
    margin = _MIDDLE * (places[:, 2:] - places[:, :2]) * chosen[:, None]
    middle = places.copy()
    middle[:, :2] += margin
    middle[:, 2:] -= margin
    return middle


def _page_box(page: Any) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of what a viewer shows of the page."""
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page.raw, box)
    return box.left, box.bottom, box.right, box.top


def _pale_words(words: Words) -> tuple[Flags, Flags]:
    """Return for each word whether it's invisible, transparent or nearly white, and whether its mode makes it so."""
    import numpy as np

    # Words of one object follow each other; one that PDFium has added has none.
    is_first = np.ones(len(words), bool)
    np.not_equal(words.objects[1:], words.objects[:-1], out=is_first[1:])
    colors, modes = pdfium.paints(words.objects[is_first])
    invisible = (modes == 3) | (modes == 7)
    doubtful = invisible | (colors[:, 3] < _FAINT)
    doubtful |= (colors[:, :3].min(axis=1, initial=255) >= _LIGHT) & (modes == 0)
    places, has_object = is_first.cumsum() - 1, words.objects != 0
    return doubtful[places] & has_object, invisible[places] & has_object
