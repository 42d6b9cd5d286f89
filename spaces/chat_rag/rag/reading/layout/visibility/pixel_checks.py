"""What a rendered PDF page shows where its words are."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag.reading.layout.text_lines import pdfium

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.reading.layout.text_lines.words import Indexes, Numbers

    Flags = NDArray[np.bool_]
    Pixels = NDArray[np.uint8]

_CONTRAST = 20  # of 255, between the darkest and the lightest point of a word's place
_MAX_PIXELS = 2_000_000


def have_contrast(page: Any, places: Numbers, chosen: Flags) -> Flags:
    """Return for the chosen words whether the rendered page has a contrast where they are."""
    return _have_contrast(page, _render(page), places, chosen)


def make_difference(page: Any, places: Numbers, objects: Indexes, groups: Iterable[Flags]) -> Flags:
    """Return for each word whether the page looks different without the text objects of each group that it's in."""
    import numpy as np

    picture = _render(page)
    result = np.ones(len(places), bool)
    for group in groups:
        seen = _have_contrast(page, picture, places, group)
        if seen.any():
            with _without(np.unique(objects[seen])):
                other = _render(page)
            change = np.maximum(picture, other) - np.minimum(picture, other)
            for index, part in _parts(page, change, places, seen):
                seen[index] = int(part.max()) > _CONTRAST
        result &= ~group | seen
    return result


def _have_contrast(page: Any, pixels: Pixels, places: Numbers, chosen: Flags) -> Flags:
    import numpy as np

    contrast = np.zeros(len(places), bool)
    for index, part in _parts(page, pixels, places, chosen):
        contrast[index] = int(part.max()) - int(part.min()) > _CONTRAST
    return contrast


def _render(page: Any) -> Pixels:
    width, height = page.get_size()
    scale = min(1.5, (_MAX_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        pixels: Pixels = bitmap.to_numpy()[:, : bitmap.width].copy()
    finally:
        bitmap.close()
    return pixels.reshape(pixels.shape[0], -1)


@contextmanager
def _without(objects: Indexes) -> Iterator[None]:
    """Leave objects out of what is rendered meanwhile."""
    switch = pdfium.function("FPDFPageObj_SetIsActive")
    handles = [ctypes.c_void_p(address) for address in objects.tolist() if address]
    try:
        for handle in handles:
            switch(handle, 0)
        yield
    finally:
        for handle in handles:
            switch(handle, 1)


def _parts(page: Any, pixels: Pixels, places: Numbers, chosen: Flags) -> Iterator[tuple[int, Pixels]]:
    """Yield the index of each chosen word, and the pixels where it is, if it has a place on the picture."""
    for index in chosen.nonzero()[0].tolist():
        left, top, right, bottom = _to_pixels(page, places[index], pixels.shape)
        part = pixels[max(0, top) : bottom + 1, max(0, left) : right + 1]
        if part.size:
            yield index, part


def _to_pixels(page: Any, place: Numbers, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a place in pixels; PDFium knows the page's rotation and crop."""
    from pypdfium2 import raw

    corners = []
    for x, y in ((place[0], place[1]), (place[2], place[3])):
        pixel_x, pixel_y = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page.raw, 0, 0, shape[1], shape[0], 0, x, y, pixel_x, pixel_y)
        corners.append((pixel_x.value, pixel_y.value))
    (x0, y0), (x1, y1) = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
