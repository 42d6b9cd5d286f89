"""Texts of a PDF page that are drawn over each other."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rag.reading.layout.text_lines import pdfium
from rag.reading.layout.text_lines.words import Words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def backward_cuts(text_page: Any, words: Words, chosen: NDArray[np.bool_]) -> list[int]:
    """Return the characters inside of the chosen words that another text object draws over what is before them.

    PDFium reads texts that are drawn over each other as one word.
    """
    page = pdfium.address(text_page.raw)
    spans = zip(words.starts[chosen].tolist(), words.ends[chosen].tolist(), strict=True)
    indexes = [index for start, end in spans for index in range(start, end)]
    lefts = pdfium.loose_boxes(page, indexes)[:, 0].tolist()
    objects = pdfium.text_objects(page, indexes).tolist()
    pairs = zip(pairwise(indexes), pairwise(lefts), pairwise(objects), strict=True)
    return [
        second
        for (first, second), (left, next_left), (one, other) in pairs
        if second == first + 1 and next_left < left and one != other
    ]
