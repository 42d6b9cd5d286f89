"""The layers (optional content) of a PDF page that its texts are on."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.reading.layout.text_lines.words import Indexes

_MOST_LAYERS = 20  # of a page; each is rendered, the others as one
_LONGEST_NAME = 200  # bytes


def layer_words(objects: Indexes) -> list[NDArray[np.bool_]]:
    """Return for each layer which words are on it; `objects` are the addresses of the words' texts.

    Layers of one name count as one. Words in a form that is on a layer have no mark that says so.
    """
    import numpy as np

    texts, places = np.unique(objects, return_inverse=True)
    names = [_layer(text) if text else None for text in texts.tolist()]
    known = list(dict.fromkeys(name for name in names if name is not None))
    numbers = {name: min(number, _MOST_LAYERS - 1) for number, name in enumerate(known)}
    layers = np.array([-1 if name is None else numbers[name] for name in names], np.intp)[places]
    return [layers == number for number in range(min(len(known), _MOST_LAYERS))]


def _layer(text: int) -> bytes | None:
    """Return the name of the layer of a text object, or None if it's on no layer; outer layers are part of the name."""
    from pypdfium2 import raw

    item = ctypes.cast(text, raw.FPDF_PAGEOBJECT)
    marks = [raw.FPDFPageObj_GetMark(item, index) for index in range(raw.FPDFPageObj_CountMarks(item))]
    names = [_string(raw.FPDFPageObjMark_GetParamStringValue, mark, b"Name") for mark in marks if _is_layer(mark)]
    return b"/".join(names) if names else None


def _is_layer(mark: Any) -> bool:
    from pypdfium2 import raw

    return _string(raw.FPDFPageObjMark_GetName, mark) == "OC".encode("utf-16-le")


def _string(function: Any, *arguments: Any) -> bytes:
    """Return the start of a text of PDFium as it is there."""
    from pypdfium2 import raw

    buffer, size = ctypes.create_string_buffer(_LONGEST_NAME), ctypes.c_ulong()
    place = ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR))
    function(*arguments, place, _LONGEST_NAME, ctypes.byref(size))
    return buffer.raw[: max(0, min(size.value, _LONGEST_NAME) - 2)]
