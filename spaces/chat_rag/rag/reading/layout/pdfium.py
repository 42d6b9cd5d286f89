"""PDFium's functions for characters, called for many characters at once.

pypdfium2's wrappers make a structure for each call. Here each call writes into a row of an array that stays, in half
the time. The callers hold PDFium's lock, so that one writes at a time.
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
_BATCH = 1024
_MOST_COVERS, _MOST_OBJECTS = 200, 2_000  # a map has 100,000


class _Object(ctypes.c_void_p):
    """The address of an object of a page, as what other functions take without a conversion."""


def address(handle: Any) -> int:
    """Return the address behind a handle of pypdfium2."""
    return ctypes.cast(handle, _POINTER).value or 0


def text(text_page: int, count: int) -> str:
    """Return the text of the first `count` characters."""
    buffer = (ctypes.c_ushort * (2 * count + 1))()
    written = _function("FPDFText_GetText")(_POINTER(text_page), 0, count, buffer)
    return bytes(buffer)[: 2 * (written - 1)].decode("utf-16-le", errors="ignore") if written > 1 else ""


def loose_boxes(text_page: int, indexes: Sequence[int]) -> NDArray[np.float32]:
    """Return left, top, right and bottom of the place of each character; its height is that of the font's line."""
    return _rows(_function("FPDFText_GetLooseCharBox"), "f4", 4, indexes, text_page)


def tight_boxes(text_page: int, indexes: Sequence[int]) -> NDArray[np.float64]:
    """Return left, right, bottom and top of the ink of each character."""
    return _rows(_function("FPDFText_GetCharBox"), "f8", 4, indexes, text_page, apart=True)


def matrices(text_page: int, indexes: Sequence[int]) -> NDArray[np.float32]:
    """Return the six numbers of each character's matrix."""
    return _rows(_function("FPDFText_GetMatrix"), "f4", 6, indexes, text_page)


def origins(text_page: int, indexes: Sequence[int]) -> NDArray[np.float64]:
    """Return the x and y of each character's origin, which is on its baseline."""
    return _rows(_function("FPDFText_GetCharOrigin"), "f8", 2, indexes, text_page, apart=True)


def font_sizes(text_page: int, indexes: Sequence[int]) -> list[float]:
    """Return the font size of each character, before its matrix scales it."""
    return _each(_function("FPDFText_GetFontSize", ctypes.c_double), text_page, indexes)


def angles(text_page: int, indexes: Sequence[int]) -> list[float]:
    """Return the clockwise angle of each character, from 0 to 2π."""
    return _each(_function("FPDFText_GetCharAngle", ctypes.c_float), text_page, indexes)


def code_points(text_page: int, indexes: Sequence[int]) -> list[int]:
    """Return the code point of each character, or 0."""
    return _each(_function("FPDFText_GetUnicode", ctypes.c_uint), text_page, indexes)


def text_objects(text_page: int, indexes: Sequence[int]) -> NDArray[np.intp]:
    """Return the address of each character's text object; 0 for a space that PDFium has added."""
    import numpy as np

    call = _function("FPDFText_GetTextObject", ctypes.c_size_t)
    return np.fromiter(map(call, repeat(_POINTER(text_page)), indexes), np.intp, len(indexes))


def paints(objects: NDArray[np.intp]) -> tuple[NDArray[np.uint32], NDArray[np.intc]]:
    """Return red, green, blue and alpha, from 0 to 255, of text objects, and their render modes: 3 and 7 hide them."""
    import numpy as np

    addresses, handles = _handles()
    colors, modes = [np.zeros((0, 4), np.uint32)], [np.zeros(0, np.intc)]
    for start in range(0, len(objects), _BATCH):
        batch = objects[start : start + _BATCH]
        addresses[: len(batch)] = batch
        chosen = handles[: len(batch)]
        colors.append(_rows(_function("FPDFPageObj_GetFillColor"), "u4", 4, chosen, apart=True))
        modes.append(np.fromiter(map(_function("FPDFTextObj_GetTextRenderMode"), chosen), np.intc, len(batch)))
    return np.concatenate(colors), np.concatenate(modes)


def image_boxes(page: int, most: int) -> NDArray[np.float32]:
    """Return left, bottom, right and top of the pictures among the first `most` objects of a page."""
    from pypdfium2 import raw

    count = min(_function("FPDFPage_CountObjects")(_POINTER(page)), most)
    objects = _each(_function("FPDFPage_GetObject", _Object), page, range(count))
    kinds = map(_function("FPDFPageObj_GetType"), objects)
    images = list(compress(objects, map(raw.FPDF_PAGEOBJ_IMAGE.__eq__, kinds)))
    return _rows(_function("FPDFPageObj_GetBounds"), "f4", 4, images, apart=True)


def covers(page: int, texts: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return left, bottom, right and top of the filled shapes and pictures that were drawn after all of the texts."""
    import numpy as np
    from pypdfium2 import raw

    found: list[ctypes.c_void_p] = []
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    last = _function("FPDFPage_CountObjects")(_POINTER(page)) - 1
    for index in range(last, max(last - _MOST_OBJECTS, -1), -1):
        item = _POINTER(_function("FPDFPage_GetObject", ctypes.c_size_t)(_POINTER(page), index))
        kind = _function("FPDFPageObj_GetType")(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            if (texts == item.value).any():
                break
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            _function("FPDFPath_GetDrawMode")(item, ctypes.byref(fill), ctypes.byref(stroke))
            found += [item] if fill.value else []
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            found.append(item)
        else:
            break  # the words can be in a form
        if len(found) == _MOST_COVERS:
            break
    return _rows(_function("FPDFPageObj_GetBounds"), "f4", 4, found, apart=True) if found else np.zeros((0, 4), "f4")


def _each(call: Callable[..., Any], handle: int, indexes: Sequence[int]) -> list[Any]:
    return list(map(call, repeat(_POINTER(handle)), indexes))


def _rows(
    call: Callable[..., Any],
    kind: str,
    columns: int,
    values: Sequence[Any],
    handle: int | None = None,
    *,
    apart: bool = False,
) -> NDArray[Any]:
    """Return what a function writes for each value: into one place, or each number into another one if `apart`."""
    import numpy as np

    rows, places = _memory(kind, columns, apart=apart)
    owner = () if handle is None else (repeat(_POINTER(handle)),)
    parts = [rows[:0]]
    for start in range(0, len(values), _BATCH):
        batch = values[start : start + _BATCH]
        rows[: len(batch)] = 0  # where a function fails, it writes nothing
        deque(map(call, *owner, batch, *places), 0)
        parts.append(rows[: len(batch)].copy())
    return np.concatenate(parts)


@cache
def _memory(kind: str, columns: int, *, apart: bool) -> tuple[NDArray[Any], list[list[ctypes.c_void_p]]]:
    """Return an array that functions write into, and the addresses of its rows, or of the numbers of each column."""
    import numpy as np

    rows = np.zeros((_BATCH, columns), kind)
    first, step = rows.ctypes.data, rows.strides[0]
    firsts = range(first, first + step, rows.itemsize if apart else step)
    return rows, [list(map(_POINTER, range(start, start + step * _BATCH, step))) for start in firsts]


@cache
def _handles() -> tuple[NDArray[np.intp], list[ctypes.c_void_p]]:
    """Return an array of addresses, and each of its numbers as what a function takes: it's made only once."""
    import numpy as np

    addresses = np.zeros(_BATCH, np.intp)
    buffer = addresses.data.cast("B")
    return addresses, [_POINTER.from_buffer(buffer, start) for start in range(0, addresses.nbytes, addresses.itemsize)]


@cache
def _function(name: str, result: Any = _INT) -> Any:
    """Return a function that takes addresses as `c_void_p`; without types to convert to, a call takes half the time."""
    from pypdfium2 import raw

    # PYFUNCTYPE keeps Python's lock: the calls take less time than giving it back.
    return ctypes.PYFUNCTYPE(result)(address(getattr(raw, name)))
