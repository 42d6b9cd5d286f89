"""PDFium's functions for characters, called for many characters at once.

pypdfium2's wrappers make a structure for each call. Here each call writes into a row of an array that stays, in half
the time. The callers hold PDFium's lock, so that one writes at a time.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int
_BATCH = 1024


class Handle(ctypes.c_void_p):
    """An address that other functions take without a conversion."""


def address(handle: Any) -> int:
    """Return the address behind a handle of pypdfium2."""
    return ctypes.cast(handle, _POINTER).value or 0


def text(text_page: int, count: int) -> str:
    """Return the text of the first `count` characters."""
    buffer = (ctypes.c_ushort * (2 * count + 1))()
    written = function("FPDFText_GetText")(_POINTER(text_page), 0, count, buffer)
    return bytes(buffer)[: 2 * (written - 1)].decode("utf-16-le", errors="ignore") if written > 1 else ""


def loose_boxes(text_page: int, indexes: Sequence[int]) -> NDArray[np.float32]:
    """Return left, top, right and bottom of the place of each character; its height is that of the font's line."""
    return read_rows(function("FPDFText_GetLooseCharBox"), "f4", 4, indexes, text_page)


def tight_boxes(text_page: int, indexes: Sequence[int]) -> NDArray[np.float64]:
    """Return left, right, bottom and top of the ink of each character."""
    return read_rows(function("FPDFText_GetCharBox"), "f8", 4, indexes, text_page, apart=True)


def matrices(text_page: int, indexes: Sequence[int]) -> NDArray[np.float32]:
    """Return the six numbers of each character's matrix."""
    return read_rows(function("FPDFText_GetMatrix"), "f4", 6, indexes, text_page)


def origins(text_page: int, indexes: Sequence[int]) -> NDArray[np.float64]:
    """Return the x and y of each character's origin, which is on its baseline."""
    return read_rows(function("FPDFText_GetCharOrigin"), "f8", 2, indexes, text_page, apart=True)


def font_sizes(text_page: int, indexes: Sequence[int]) -> list[float]:
    """Return the font size of each character, before its matrix scales it."""
    return read_each(function("FPDFText_GetFontSize", ctypes.c_double), text_page, indexes)


def angles(text_page: int, indexes: Sequence[int]) -> list[float]:
    """Return the clockwise angle of each character, from 0 to 2π."""
    return read_each(function("FPDFText_GetCharAngle", ctypes.c_float), text_page, indexes)


def code_points(text_page: int, indexes: Sequence[int]) -> list[int]:
    """Return the code point of each character, or 0."""
    return read_each(function("FPDFText_GetUnicode", ctypes.c_uint), text_page, indexes)


def text_objects(text_page: int, indexes: Sequence[int]) -> NDArray[np.intp]:
    """Return the address of each character's text object; 0 for a space that PDFium has added."""
    import numpy as np

    call = function("FPDFText_GetTextObject", ctypes.c_size_t)
    return np.fromiter(map(call, repeat(_POINTER(text_page)), indexes), np.intp, len(indexes))


def paints(objects: NDArray[np.intp]) -> tuple[NDArray[np.uint32], NDArray[np.intc]]:
    """Return red, green, blue and alpha, from 0 to 255, of text objects, and their render modes: 3 and 7 hide them."""
    import numpy as np

    colors, modes = [np.zeros((0, 4), np.uint32)], [np.zeros(0, np.intc)]
    for _, batch in handles(objects):
        colors.append(read_rows(function("FPDFPageObj_GetFillColor"), "u4", 4, batch, apart=True))
        modes.append(np.fromiter(map(function("FPDFTextObj_GetTextRenderMode"), batch), np.intc, len(batch)))
    return np.concatenate(colors), np.concatenate(modes)


def image_boxes(page: int, most: int) -> NDArray[np.float32]:
    """Return left, bottom, right and top of the pictures among the first `most` objects of a page."""
    from pypdfium2 import raw

    count = min(function("FPDFPage_CountObjects")(_POINTER(page)), most)
    objects = read_each(function("FPDFPage_GetObject", Handle), page, range(count))
    kinds = map(function("FPDFPageObj_GetType"), objects)
    images = list(compress(objects, map(raw.FPDF_PAGEOBJ_IMAGE.__eq__, kinds)))
    return bounds(images)


def bounds(objects: Sequence[Any]) -> NDArray[np.float32]:
    """Return left, bottom, right and top of objects."""
    return read_rows(function("FPDFPageObj_GetBounds"), "f4", 4, objects, apart=True)


def object_kinds(objects: NDArray[np.intp]) -> NDArray[np.intc]:
    """Return the kind of each object of a page."""
    import numpy as np

    kinds = [
        np.fromiter(map(function("FPDFPageObj_GetType"), batch), np.intc, len(batch)) for _, batch in handles(objects)
    ]
    return np.concatenate([np.zeros(0, np.intc), *kinds])


def read_each(call: Callable[..., Any], handle: int, indexes: Sequence[int]) -> list[Any]:
    return list(map(call, repeat(_POINTER(handle)), indexes))


def read_rows(
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


def handles(addresses: NDArray[np.intp]) -> Iterator[tuple[int, list[ctypes.c_void_p]]]:
    """Yield addresses as what functions take, some at a time, each time with the index of the first one.

    A list is overwritten by the next one.
    """
    memory, values = _handle_memory()
    for start in range(0, len(addresses), _BATCH):
        batch = addresses[start : start + _BATCH]
        memory[: len(batch)] = batch
        yield start, values[: len(batch)]


@cache
def _handle_memory() -> tuple[NDArray[np.intp], list[ctypes.c_void_p]]:
    """Return an array of addresses, and each of its numbers as what a function takes: it's made only once."""
    import numpy as np

    addresses = np.zeros(_BATCH, np.intp)
    buffer = addresses.data.cast("B")
    return addresses, [_POINTER.from_buffer(buffer, start) for start in range(0, addresses.nbytes, addresses.itemsize)]


@cache
def function(name: str, result: Any = _INT) -> Any:
    """Return a function that takes addresses as `c_void_p`; without types to convert to, a call takes half the time."""
    from pypdfium2 import raw

    # PYFUNCTYPE keeps Python's lock: the calls take less time than giving it back.
    return ctypes.PYFUNCTYPE(result)(address(getattr(raw, name)))
