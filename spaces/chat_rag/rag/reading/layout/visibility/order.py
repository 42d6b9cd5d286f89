"""Where the text objects of words are among the objects of a PDF page."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from rag.reading.layout import pdfium

_GLYPHS = 0.8  # objects for each character, from which on each glyph is an object
_TEXT = 1  # FPDF_PAGEOBJ_TEXT
_MOST_STEPS = 500  # from one word to the next one


@dataclass(slots=True)
class Order:
    """Objects in the order in which they are drawn: the numbers of texts by their addresses, and all others."""

    texts: dict[int, int] = field(default_factory=dict)
    others: list[int] = field(default_factory=list)
    other_numbers: list[int] = field(default_factory=list)

    def add(self, objects: Sequence[int], first: int, known: Collection[int]) -> None:
        """Add objects, which begin at the number `first`; `known` ones are texts of words."""
        numbers = dict(zip(objects, range(first, first + len(objects)), strict=True))
        for text in [each for each in numbers if each in known]:
            self.texts[text] = numbers.pop(text)
        self.others += numbers
        self.other_numbers += numbers.values()


def page_order(page: int, texts: Sequence[int], lengths: Sequence[int]) -> Order:
    """Return the order of a page's objects, of which some are the texts of words with so many characters.

    Where each glyph is an object, as in many filings, only the objects around the words are looked at.
    """
    handle = ctypes.c_void_p(page)
    count = max(0, pdfium.function("FPDFPage_CountObjects")(handle))
    if count > _GLYPHS * sum(lengths) and (order := _skip_glyphs(handle, count, texts, lengths)):
        return order
    order = Order()
    order.add(_objects("FPDFPage", handle, range(count)), 0, set(texts))
    return order


def form_order(form: int, texts: Collection[int]) -> Order:
    """Return the order of the objects of a form, of which some are `texts`."""
    handle, order = ctypes.c_void_p(form), Order()
    count = max(0, pdfium.function("FPDFFormObj_CountObjects")(handle))
    order.add(_objects("FPDFFormObj", handle, range(count)), 0, texts)
    return order


def _objects(kind: str, owner: ctypes.c_void_p, numbers: range) -> list[int]:
    return list(map(pdfium.function(f"{kind}_GetObject", ctypes.c_size_t), repeat(owner), numbers))


def _skip_glyphs(page: ctypes.c_void_p, count: int, texts: Sequence[int], lengths: Sequence[int]) -> Order | None:
    """Return the order without the glyphs inside of words, or None if words aren't where they should be."""
    get, order, number = pdfium.function("FPDFPage_GetObject", ctypes.c_size_t), Order(), 0
    numbers = order.texts
    single: list[tuple[int, int]] = []  # objects that are alone between two words
    for text, length in zip(texts, lengths, strict=True):
        if not text or text in numbers:
            continue
        if (address := get(page, number)) != text:
            if get(page, number + 1) == text:
                single.append((number, address))
                number += 1
            else:
                end = _walk(page, text, range(number, min(number + _MOST_STEPS, count)), order)
                if end is None:
                    return None
                number = end
        numbers[text] = number
        # The text of a whole line is one object, and shapes can follow it.
        number += length if all(_is_text(get(page, number + step)) for step in {1, length - 1}) else 1
    order.add(_objects("FPDFPage", page, range(number, count)), number, ())
    if 2 * len(single) < len(numbers):  # else they are spaces, and another object would be beside a space
        order.other_numbers += [number for number, _ in single]
        order.others += [address for _, address in single]
    return order


def _is_text(item: int) -> bool:
    return bool(item) and pdfium.function("FPDFPageObj_GetType")(ctypes.c_void_p(item)) == _TEXT


def _walk(page: ctypes.c_void_p, text: int, numbers: range, order: Order) -> int | None:
    """Add objects up to a text; return the text's number."""
    get = pdfium.function("FPDFPage_GetObject", ctypes.c_size_t)
    for number in numbers:
        if (address := get(page, number)) == text:
            return number
        order.others.append(address)
        order.other_numbers.append(number)
    return None
