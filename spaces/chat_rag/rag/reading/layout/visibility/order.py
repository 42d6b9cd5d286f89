"""Where the text objects of words are among the objects of a PDF page."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from rag.reading.layout import pdfium

if TYPE_CHECKING:
    from rag.reading.layout.words import Indexes, Words

_GLYPHS = 0.8  # objects for each character, from which on each glyph is an object
_WIDEST_SPACE = 0.5  # in units of the line's height
_MOST_STEPS = 500  # from one word to the next one


class Order(NamedTuple):
    """Objects in the order in which they are drawn: numbers and addresses of the texts of words, and of others.

    `known` are the indexes of the texts among those of the words.
    """

    texts: Indexes
    text_numbers: Indexes
    known: Indexes
    others: Indexes
    other_numbers: Indexes


def page_order(page: int, texts: Indexes, words: Words) -> Order:
    """Return the order of the objects of a page, of which some are `texts`, the sorted addresses of words' texts.

    Where each glyph is an object, as in many filings, only the objects around the words are looked at.
    """
    handle = ctypes.c_void_p(page)
    count = max(0, pdfium.function("FPDFPage_CountObjects")(handle))
    if count > _GLYPHS * (words.ends - words.starts).sum() and (order := _skip_glyphs(handle, count, texts, words)):
        return order
    return _order("FPDFPage", handle, count, texts)


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


def _skip_glyphs(page: ctypes.c_void_p, count: int, texts: Indexes, words: Words) -> Order | None:
    """Return the order without the glyphs inside of words, or None if words aren't where they should be."""
    import numpy as np

    numbers: dict[int, int] = {}
    others: list[int] = []  # numbers
    get, number, previous, is_sure = pdfium.function("FPDFPage_GetObject", ctypes.c_size_t), 0, -1, False
    # A space can be an object too. Behind a wider gap, such an object can be a shape.
    is_narrow = words.left[1:] - words.right[:-1] < _WIDEST_SPACE * words.size[1:]
    spaces = [0, *(is_narrow & (words.starts[1:] - words.ends[:-1] == 1)).tolist()]
    lengths = (words.ends - words.starts).tolist()
    for text, length, space in zip(words.objects.tolist(), lengths, spaces, strict=True):
        if text in numbers or not text:
            continue
        if get(page, number + space) == text:
            number += space
        elif get(page, number) != text:
            # Something can be among the glyphs of the word before.
            between = _numbers_before(page, text, previous + 1, count)
            if between is None:
                return None
            others += between
            number, is_sure = between.stop, False
        numbers[text] = previous = number
        # The text of a whole word or line can be one object, and shapes can follow it.
        is_sure = is_sure or (length > 1 and _are_texts(page, (number + 1, number + length - 1)))
        number += length if is_sure else 1
    others += range(min(number, count), count)
    found = np.array(list(numbers), np.intp)
    objects = np.fromiter(map(get, repeat(page), others), np.intp, len(others))
    return Order(found, np.array(list(numbers.values())), texts.searchsorted(found), objects, np.array(others, np.intp))


def _are_texts(page: ctypes.c_void_p, numbers: Sequence[int]) -> bool:
    get, kind = pdfium.function("FPDFPage_GetObject", pdfium.Handle), pdfium.function("FPDFPageObj_GetType")
    return all(kind(get(page, number)) == 1 for number in numbers)  # FPDF_PAGEOBJ_TEXT


def _numbers_before(page: ctypes.c_void_p, text: int, first: int, count: int) -> range | None:
    """Return the numbers of the objects from the first one to a text, or None if it isn't near."""
    get = pdfium.function("FPDFPage_GetObject", ctypes.c_size_t)
    last = min(first + _MOST_STEPS, count)
    return next((range(first, number) for number in range(first, last) if get(page, number) == text), None)
