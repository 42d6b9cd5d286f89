"""The objects of a PDF page in the order in which they are drawn."""

from __future__ import annotations

import ctypes
from itertools import repeat
from typing import TYPE_CHECKING

from rag.reading.layout import pdfium
from rag.reading.layout.visibility.clips import EVERYWHERE, Box, Clips, clip_boxes, transform

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.reading.layout.words import Numbers

    Integers = NDArray[np.intp]

_MOST_DEPTH = 8  # of forms in forms
_MOST_FORMS = 2_000
_LEAST_SIDE = 3.0  # points: a smaller shape covers no word
_NEVER = 1 << 60  # the number of a text that isn't found
_UNCHANGED = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
Matrix = tuple[float, ...]


class Drawing:
    """The texts of a page, each with its number in the order of drawing and its clip, and what may cover them.

    `covers` has the addresses of shapes and pictures, `cover_boxes` left, bottom, right and top of what is visible of
    each on the page, and `cover_numbers` their numbers in the order of drawing.
    """

    def __init__(self, page: int, texts: Integers) -> None:
        import numpy as np

        self._texts = np.unique(texts)
        self._numbers = np.full(len(self._texts), _NEVER)
        self._clips = np.full((len(self._texts), 4), EVERYWHERE)
        self._is_box = np.ones(len(self._texts), bool)
        self._reader = Clips()
        self._count = self._forms = 0
        self._parts = [(np.zeros(0, np.intp), np.zeros((0, 4)), np.zeros(0, np.intp))]
        self._add(_objects("FPDFPage", page), _UNCHANGED, EVERYWHERE, 0)
        self.covers, self.cover_boxes, self.cover_numbers = map(np.concatenate, zip(*self._parts, strict=True))

    def find(self, texts: Integers) -> tuple[Integers, Numbers, NDArray[np.bool_]]:
        """Return the number of each text in the order of drawing, the box around its clip, and if it's the clip."""
        places = self._texts.searchsorted(texts)
        return self._numbers[places], self._clips[places], self._is_box[places]

    def _add(self, objects: Integers, matrix: Matrix, clip: Box, depth: int) -> None:
        """Add the objects of a page or a form, and of the forms among them."""
        import numpy as np
        from pypdfium2 import raw

        places = np.minimum(self._texts.searchsorted(objects), len(self._texts) - 1)
        others = (self._texts[places] != objects).nonzero()[0]
        kinds = np.full(len(objects), raw.FPDF_PAGEOBJ_TEXT, np.intc)
        kinds[others] = pdfium.object_kinds(objects[others])
        start = 0
        for form in [*others[kinds[others] == raw.FPDF_PAGEOBJ_FORM].tolist(), len(objects)]:
            self._add_run(objects[start:form], kinds[start:form], matrix, clip)
            if form < len(objects) and depth < _MOST_DEPTH and self._forms < _MOST_FORMS:
                self._add_form(int(objects[form]), matrix, clip, depth + 1)
            start = form + 1

    def _add_form(self, form: int, matrix: Matrix, clip: Box, depth: int) -> None:
        self._forms += 1
        boxes, _ = self._reader.boxes([ctypes.c_void_p(form)])
        inner = clip_boxes(transform(boxes, matrix), clip)[0].tolist()
        self._add(_objects("FPDFFormObj", form), _product(_matrix(form), matrix), tuple(inner), depth)

    def _add_run(self, objects: Integers, kinds: NDArray[np.intc], matrix: Matrix, clip: Box) -> None:
        """Add objects that are no forms."""
        import numpy as np
        from pypdfium2 import raw

        numbers = np.arange(self._count, self._count + len(objects))
        self._count += len(objects)
        is_text = kinds == raw.FPDF_PAGEOBJ_TEXT
        places = np.minimum(self._texts.searchsorted(objects), len(self._texts) - 1)
        known = (is_text & (self._texts[places] == objects)).nonzero()[0]
        self._numbers[places[known]] = numbers[known]
        self._read_clips(objects[known], places[known], matrix, clip)
        others = (~is_text).nonzero()[0]
        for start, batch in pdfium.handles(objects[others]):
            boxes = transform(pdfium.bounds(batch).astype(float), matrix)
            large = ((boxes[:, 2:] - boxes[:, :2]).min(axis=1) > _LEAST_SIDE).nonzero()[0]
            chosen = others[start + large]
            clips, _ = self._reader.boxes([batch[index] for index in large.tolist()])
            visible = clip_boxes(boxes[large], transform(clips, matrix), clip)
            self._parts.append((objects[chosen], visible, numbers[chosen]))

    def _read_clips(self, texts: Integers, places: Integers, matrix: Matrix, clip: Box) -> None:
        for start, batch in pdfium.handles(texts):
            boxes, is_box = self._reader.boxes(batch)
            chosen = places[start : start + len(batch)]
            self._clips[chosen] = clip_boxes(transform(boxes, matrix), clip)
            self._is_box[chosen] = is_box


def _objects(owner_kind: str, owner: int) -> Integers:
    """Return the addresses of the objects of a page or a form."""
    import numpy as np

    handle = ctypes.c_void_p(owner)
    count = max(0, pdfium.function(f"{owner_kind}_CountObjects")(handle))
    get = pdfium.function(f"{owner_kind}_GetObject", ctypes.c_size_t)
    return np.fromiter(map(get, repeat(handle), range(count)), np.intp, count)


def _matrix(form: int) -> Matrix:
    values = (ctypes.c_float * 6)()
    pdfium.function("FPDFPageObj_GetMatrix")(ctypes.c_void_p(form), ctypes.byref(values))
    return tuple(values)


def _product(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix that does what the first one does, and then what the second one does."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
