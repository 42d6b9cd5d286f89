"""Finds words of a PDF page that nobody can see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag.reading.layout import pdfium
from rag.reading.layout.words import Words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.reading.layout.words import Numbers

_LIGHT = 200  # of 255: text in a lighter color may have no contrast to the page
_FAINT = 16  # of 255: an alpha below it
_SMALLEST_SIZE = 2.0  # points; nobody reads text of this height
_SMALLEST_SHARE = 1 / 300  # of the page's longer side, for pages that are small themselves
_CONTRAST = 20  # of 255, between the darkest and the lightest point of a word's place
_MAX_PIXELS = 2_000_000
_INSET = 1.0  # points: less than the distance of a cover's edge to the letters


def visible_words(page: Any, words: Words) -> NDArray[np.bool_]:
    """Return for each word whether a reader of the page sees it.

    White text on a dark field and the invisible text over a scanned picture stay: the page is rendered, only if it has
    words that may be invisible, or covered by what was drawn after all text, and their places are checked for contrast.
    The caller holds PDFium's lock.
    """
    import numpy as np

    left, bottom, right, top = _page_box(page)
    x, y = (words.places[:, 0] + words.places[:, 2]) / 2, (words.places[:, 1] + words.places[:, 3]) / 2
    on_page = (x > left - 1) & (x < right + 1) & (y > bottom - 1) & (y < top + 1)
    smallest = min(_SMALLEST_SIZE, max(right - left, top - bottom) * _SMALLEST_SHARE)
    visible: NDArray[np.bool_] = on_page & (words.size >= smallest)
    doubtful, places = _doubtful(words), words.places
    for cover in pdfium.covers(pdfium.address(page.raw), words.objects).tolist():
        inner = [side + _INSET * sign for side, sign in zip(cover, (1, 1, -1, -1), strict=True)]
        inside = (x > inner[0]) & (x < inner[2]) & (y > inner[1]) & (y < inner[3])
        if inside.any():
            doubtful |= inside
            places = np.where(inside[:, None], _clipped(places, inner), places)
    doubtful &= visible
    if doubtful.any():
        visible &= ~doubtful | _have_contrast(page, places, doubtful)
    return visible


def _clipped(places: Numbers, box: Sequence[float]) -> Numbers:
    """Return the parts of places that are in a box, whose edges have a contrast themselves."""
    import numpy as np

    left, bottom, right, top = box
    return np.clip(places, [left, bottom, left, bottom], [right, top, right, top])


def _page_box(page: Any) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of what a viewer shows of the page."""
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page.raw, box)
    return box.left, box.bottom, box.right, box.top


def _doubtful(words: Words) -> NDArray[np.bool_]:
    """Return for each word whether its text object is invisible, transparent or nearly white."""
    import numpy as np

    if not len(words):
        return np.zeros(0, bool)
    # Words of one object follow each other; one that PDFium has added has none.
    is_first = np.ones(len(words), bool)
    np.not_equal(words.objects[1:], words.objects[:-1], out=is_first[1:])
    colors, modes = pdfium.paints(words.objects[is_first])
    doubtful = (modes == 3) | (modes == 7) | (colors[:, 3] < _FAINT)
    doubtful |= (colors[:, :3].min(axis=1, initial=255) >= _LIGHT) & (modes == 0)
    result: NDArray[np.bool_] = doubtful[is_first.cumsum() - 1] & (words.objects != 0)
    return result


def _have_contrast(page: Any, places: Any, doubtful: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return for the doubtful words whether the rendered page has a contrast where they are."""
    import numpy as np

    width, height = page.get_size()
    scale = min(1.5, (_MAX_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        pixels = bitmap.to_numpy()[:, : bitmap.width].copy()
    finally:
        bitmap.close()
    pixels = pixels.reshape(pixels.shape[0], -1)
    contrast = np.zeros(len(places), bool)
    for index in np.flatnonzero(doubtful).tolist():
        left, top, right, bottom = _to_pixels(page, places[index], pixels.shape)
        part = pixels[max(0, top) : bottom + 1, max(0, left) : right + 1]
        contrast[index] = part.size > 0 and int(part.max()) - int(part.min()) > _CONTRAST
    return contrast


def _to_pixels(page: Any, place: Any, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a place in pixels; PDFium knows the page's rotation and crop."""
    import ctypes

    from pypdfium2 import raw

    corners = []
    for x, y in ((place[0], place[1]), (place[2], place[3])):
        pixel_x, pixel_y = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page.raw, 0, 0, shape[1], shape[0], 0, x, y, pixel_x, pixel_y)
        corners.append((pixel_x.value, pixel_y.value))
    (x0, y0), (x1, y1) = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
