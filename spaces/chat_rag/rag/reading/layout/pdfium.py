"""PDFium's functions for characters, called for many characters at once.

pypdfium2's wrappers make a structure for each call. Here each call writes into a row of an array, in half the time.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int
_MATRIX_NUMBERS = 6
_BATCH = 4096


class _Object(ctypes.c_void_p):
    """The address of an object of a page, as what other functions take without a conversion."""


def address(handle: Any) -> int:
    """Return the address behind a handle of pypdfium2."""
    return ctypes.cast(handle, _POINTER).value or 0


def loose_boxes(text_page: int, indexes: Sequence[int]) -> NDArray[np.float32]:
    """Return left, top, right and bottom of the place of each character; its height is that of the font's line."""
    return _written_rows(_plain_function("FPDFText_GetLooseCharBox", _INT), text_page, indexes, 4)


def tight_boxes(text_page: int, indexes: Sequence[int]) -> NDArray[np.float64]:
    """Return left, right, bottom and top of the ink of each character."""
    import numpy as np

    boxes = np.zeros((len(indexes), 4))
    call = _function("FPDFText_GetCharBox", _INT, _POINTER, _INT, _POINTER, _POINTER, _POINTER, _POINTER)
    deque(map(call, repeat(text_page), indexes, *_columns(boxes)), 0)
    return boxes


def matrices(text_page: int, indexes: Sequence[int]) -> NDArray[np.float32]:
    """Return the six numbers of each character's matrix."""
    return _written_rows(_plain_function("FPDFText_GetMatrix", _INT), text_page, indexes, _MATRIX_NUMBERS)


def origins(text_page: int, indexes: Sequence[int]) -> NDArray[np.float64]:
    """Return the x and y of each character's origin, which is on its baseline."""
    import numpy as np

    points = np.zeros((len(indexes), 2))
    call = _function("FPDFText_GetCharOrigin", _INT, _POINTER, _INT, _POINTER, _POINTER)
    deque(map(call, repeat(text_page), indexes, *_columns(points)), 0)
    return points


def font_sizes(text_page: int, indexes: Sequence[int]) -> list[float]:
    """Return the font size of each character, before its matrix scales it."""
    return _each(_plain_function("FPDFText_GetFontSize", ctypes.c_double), text_page, indexes)


def angles(text_page: int, indexes: Sequence[int]) -> list[float]:
    """Return the clockwise angle of each character, from 0 to 2π."""
    return _each(_plain_function("FPDFText_GetCharAngle", ctypes.c_float), text_page, indexes)


def code_points(text_page: int, indexes: Sequence[int]) -> list[int]:
    """Return the code point of each character, or 0."""
    return _each(_plain_function("FPDFText_GetUnicode", ctypes.c_uint), text_page, indexes)


def text_objects(text_page: int, indexes: Sequence[int]) -> list[int]:
    """Return the address of each character's text object; 0 for a space that PDFium has added."""
    return _each(_plain_function("FPDFText_GetTextObject", ctypes.c_size_t), text_page, indexes)


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
    objects = _each(_plain_function("FPDFPage_GetObject", _Object), page, range(count))
    kinds = map(_plain_function("FPDFPageObj_GetType", _INT), objects)
    images = list(compress(objects, map(raw.FPDF_PAGEOBJ_IMAGE.__eq__, kinds)))
    boxes = np.zeros((len(images), 4), np.float32)
    call = _function("FPDFPageObj_GetBounds", _INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER)
    deque(map(call, images, *_columns(boxes)), 0)
    return boxes


def _each(call: Callable[..., Any], handle: int, indexes: Sequence[int]) -> list[Any]:
    return list(map(call, repeat(_POINTER(handle)), indexes))


def _written_rows(call: Callable[..., Any], handle: int, indexes: Sequence[int], columns: int) -> NDArray[np.float32]:
    """Return what a function writes for each index. The caller holds PDFium's lock, so that one writes at a time."""
    import numpy as np

    rows, places = _memory(columns)
    parts = [rows[:0]]
    for start in range(0, len(indexes), _BATCH):
        batch = indexes[start : start + _BATCH]
        rows[: len(batch)] = 0  # where a function fails, it writes nothing
        deque(map(call, repeat(_POINTER(handle)), batch, places), 0)
        parts.append(rows[: len(batch)].copy())
    return np.concatenate(parts)


@cache
def _memory(columns: int) -> tuple[NDArray[np.float32], list[ctypes.c_void_p]]:
    """Return an array that functions write into, and the address of each of its rows."""
    import numpy as np

    rows = np.zeros((_BATCH, columns), np.float32)
    first, step = rows.ctypes.data, rows.strides[0]
    return rows, list(map(_POINTER, range(first, first + step * _BATCH, step)))


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


@cache
def _plain_function(name: str, result: Any) -> Any:
    """Return a function that takes addresses as `c_void_p`; without types to convert to, a call takes half the time."""
    from pypdfium2 import raw

    return ctypes.PYFUNCTYPE(result)(address(getattr(raw, name)))
