"""PDFium's functions for characters, called for many characters at once.

pypdfium2's wrappers make a structure for each call. Here each call writes into a row of an array, in half the time.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Sequence
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int
_MATRIX_NUMBERS = 6


def address(handle: Any) -> int:
    """Return the address behind a handle of pypdfium2."""
    return ctypes.cast(handle, _POINTER).value or 0


def loose_boxes(text_page: int, indexes: Sequence[int]) -> NDArray[np.float32]:
    """Return left, top, right and bottom of the place of each character; its height is that of the font's line."""
    import numpy as np

    boxes = np.zeros((len(indexes), 4), np.float32)
    first = boxes.ctypes.data
    call = _function("FPDFText_GetLooseCharBox", _INT, _POINTER, _INT, _POINTER)
    deque(map(call, repeat(text_page), indexes, range(first, first + 16 * len(indexes), 16)), 0)
    return boxes


def tight_boxes(text_page: int, indexes: Sequence[int]) -> NDArray[np.float64]:
    """Return left, right, bottom and top of the ink of each character."""
    import numpy as np

    boxes = np.zeros((len(indexes), 4))
    call = _function("FPDFText_GetCharBox", _INT, _POINTER, _INT, _POINTER, _POINTER, _POINTER, _POINTER)
    deque(map(call, repeat(text_page), indexes, *_columns(boxes)), 0)
    return boxes


def matrices(text_page: int, indexes: Sequence[int]) -> NDArray[np.float32]:
    """Return the six numbers of each character's matrix."""
    import numpy as np

    rows = np.zeros((len(indexes), _MATRIX_NUMBERS), np.float32)
    first, step = rows.ctypes.data, 4 * _MATRIX_NUMBERS
    call = _function("FPDFText_GetMatrix", _INT, _POINTER, _INT, _POINTER)
    deque(map(call, repeat(text_page), indexes, range(first, first + step * len(indexes), step)), 0)
    return rows


def origins(text_page: int, indexes: Sequence[int]) -> NDArray[np.float64]:
    """Return the x and y of each character's origin, which is on its baseline."""
    import numpy as np

    points = np.zeros((len(indexes), 2))
    call = _function("FPDFText_GetCharOrigin", _INT, _POINTER, _INT, _POINTER, _POINTER)
    deque(map(call, repeat(text_page), indexes, *_columns(points)), 0)
    return points


def font_sizes(text_page: int, indexes: Sequence[int]) -> list[float]:
    """Return the font size of each character, before its matrix scales it."""
    return list(map(_function("FPDFText_GetFontSize", ctypes.c_double, _POINTER, _INT), repeat(text_page), indexes))


def angles(text_page: int, indexes: Sequence[int]) -> list[float]:
    """Return the clockwise angle of each character, from 0 to 2π."""
    return list(map(_function("FPDFText_GetCharAngle", ctypes.c_float, _POINTER, _INT), repeat(text_page), indexes))


def code_points(text_page: int, indexes: Sequence[int]) -> list[int]:
    """Return the code point of each character, or 0."""
    return list(map(_function("FPDFText_GetUnicode", ctypes.c_uint, _POINTER, _INT), repeat(text_page), indexes))


def text_objects(text_page: int, indexes: Sequence[int]) -> list[int]:
    """Return the address of each character's text object; 0 for a space that PDFium has added."""
    objects = map(_function("FPDFText_GetTextObject", _POINTER, _POINTER, _INT), repeat(text_page), indexes)
    return [found or 0 for found in objects]


def render_modes(objects: Sequence[int]) -> list[int]:
    """Return the text render mode of text objects: 3 and 7 are invisible."""
    return list(map(_function("FPDFTextObj_GetTextRenderMode", _INT, _POINTER), objects))


def fill_colors(objects: Sequence[int]) -> NDArray[np.uint32]:
    """Return red, green, blue and alpha, from 0 to 255, of text objects."""
    import numpy as np

    colors = np.zeros((len(objects), 4), np.uint32)
    call = _function("FPDFPageObj_GetFillColor", _INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER)
    deque(map(call, objects, *_columns(colors)), 0)
    return colors


def image_boxes(page: int, most: int) -> NDArray[np.float32]:
    """Return left, bottom, right and top of the pictures among the first `most` objects of a page."""
    import numpy as np
    from pypdfium2 import raw

    count = min(_function("FPDFPage_CountObjects", _INT, _POINTER)(page), most)
    objects = list(map(_function("FPDFPage_GetObject", _POINTER, _POINTER, _INT), repeat(page), range(count)))
    kinds = map(_function("FPDFPageObj_GetType", _INT, _POINTER), objects)
    images = [part for part, kind in zip(objects, kinds, strict=True) if kind == raw.FPDF_PAGEOBJ_IMAGE]
    boxes = np.zeros((len(images), 4), np.float32)
    call = _function("FPDFPageObj_GetBounds", _INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER)
    deque(map(call, images, *_columns(boxes)), 0)
    return boxes


def _columns(rows: NDArray[Any]) -> list[range]:
    """Return the addresses of the numbers of each column of an array."""
    start, step = rows.ctypes.data, rows.strides[0]
    size = rows.itemsize
    return [range(first, first + step * len(rows), step) for first in range(start, start + step, size)]


@cache
def _function(name: str, result: Any, *arguments: Any) -> Any:
    from pypdfium2 import raw

    # PYFUNCTYPE keeps Python's lock: the calls take less time than giving it back.
    return ctypes.PYFUNCTYPE(result, *arguments)(address(getattr(raw, name)))
