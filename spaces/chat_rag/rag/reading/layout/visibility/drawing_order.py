"""Where the text objects of words are among the objects of a PDF page."""

from __future__ import annotations

import ctypes
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from rag.reading.layout.text_lines import pdfium

if TYPE_CHECKING:
    from rag.reading.layout.text_lines.words import Indexes


class Order(NamedTuple):
    """Objects in the order in which they are drawn: numbers and addresses of the texts of words, and of others.

    `known` are the indexes of the texts among those of the words.
    """

    texts: Indexes
    text_numbers: Indexes
    known: Indexes
    others: Indexes
    other_numbers: Indexes


def page_order(page: int, texts: Indexes) -> Order:
    """Return the order of the objects of a page, of which some are `texts`, the sorted addresses of words' texts."""
    handle = ctypes.c_void_p(page)
    return _order("FPDFPage", handle, max(0, pdfium.function("FPDFPage_CountObjects")(handle)), texts)


def form_order(form: int, texts: Indexes) -> Order:
    """Return the order of the objects of a form."""
    handle = ctypes.c_void_p(form)
    return _order("FPDFFormObj", handle, max(0, pdfium.function("FPDFFormObj_CountObjects")(handle)), texts)


def _order(kind: str, owner: ctypes.c_void_p, count: int, texts: Indexes) -> Order:
    import numpy as np

    get = pdfium.function(f"{kind}_GetObject", ctypes.c_size_t)
    objects = np.fromiter(map(get, repeat(owner), range(count)), np.intp, count)
    known = np.minimum(texts.searchsorted(objects), len(texts) - 1)
    is_text = texts[known] == objects
    numbers, other_numbers = is_text.nonzero()[0], (~is_text).nonzero()[0]
    return Order(objects[numbers], numbers, known[numbers], objects[other_numbers], other_numbers)
