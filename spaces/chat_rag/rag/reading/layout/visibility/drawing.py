"""The texts of a PDF page and what may cover them, in the order in which they are drawn."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rag.reading.layout.text_lines import pdfium
from rag.reading.layout.visibility.clips import (
    EVERYWHERE,
    UNCHANGED,
    Box,
    Clip,
    Clips,
    Matrix,
    form_matrix,
    intersection,
    product,
    transform,
    transform_box,
)
from rag.reading.layout.visibility.drawing_order import Order, form_order, page_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.reading.layout.text_lines.words import Indexes, Numbers, Words

_MOST_DEPTH = 8  # of forms in forms
_MOST_FORMS = 2_000
_LEAST_SIDE = 3.0  # points: a smaller shape covers no word


class _Level(NamedTuple):
    """The page or a form: how its objects get to the page, and the number of its first object and their distance."""

    matrix: Matrix = UNCHANGED
    clip: Box = EVERYWHERE
    first: float = 0.0
    step: float = 1.0
    depth: int = 0


class Drawing:
    """The texts of some words, and what may cover them: large shapes and pictures.

    `covers` are their addresses, `cover_numbers` their numbers in the order of drawing, and `cover_boxes` left, bottom,
    right and top of each on the page. Their clips are read later, of the few that are over a word.
    """

    def __init__(self, page: int, words: Words) -> None:
        import numpy as np

        self._objects = words.objects
        self._texts = np.sort(words.objects)  # some several times
        self._numbers = np.full(len(self._texts), np.inf)
        self._clips: dict[int, Clip] = {}
        self._reader = Clips()
        self._forms = 0
        self._levels: list[_Level] = []
        self._parts: list[tuple[Indexes, Numbers, Numbers]] = []
        self._add(page_order(page, self._texts), _Level())
        self.covers, self.cover_numbers, self.cover_boxes = _joined(self._parts)

    def numbers(self) -> Numbers:
        """Return for each word the number of its text in the order of drawing."""
        return self._numbers[self._texts.searchsorted(self._objects)]

    def clips(self) -> tuple[Numbers, NDArray[np.bool_]] | None:
        """Return for each word the box around the clip of its text, and if it's the clip; None if nothing is cut."""
        import numpy as np

        if not self._clips:
            return None
        boxes, is_box = np.tile(EVERYWHERE, (len(self._texts), 1)), np.ones(len(self._texts), bool)
        texts = self._texts.searchsorted(list(self._clips))
        boxes[texts] = [box for box, _ in self._clips.values()]
        is_box[texts] = [has_box for _, has_box in self._clips.values()]
        words = self._texts.searchsorted(self._objects)
        return boxes[words], is_box[words]

    def cover_box(self, index: int) -> Box:
        """Return left, bottom, right and top of what is visible of a cover."""
        clip = self._clip(int(self.covers[index]), self._levels[index])
        return intersection(self.cover_boxes[index].tolist(), clip[0])

    def _add(self, order: Order, level: _Level) -> None:
        """Add the objects of a page or a form, and of the forms among them."""
        from pypdfium2 import raw

        self._numbers[order.known] = level.first + level.step * order.text_numbers
        self._read_clips(order.texts, level)
        kinds = pdfium.object_kinds(order.others)
        is_form = kinds == raw.FPDF_PAGEOBJ_FORM
        numbers = level.first + level.step * order.other_numbers
        if is_form.any() and level.depth < _MOST_DEPTH:
            for form, number in zip(order.others[is_form].tolist(), numbers[is_form].tolist(), strict=True):
                self._add_form(form, number, level)
        is_shape = (kinds != raw.FPDF_PAGEOBJ_TEXT) & ~is_form & (numbers > self._numbers.min())
        if is_shape.any():
            self._add_covers(order.others[is_shape], numbers[is_shape], level)

    def _add_form(self, address: int, number: float, level: _Level) -> None:
        self._forms += 1
        if self._forms > _MOST_FORMS:
            return
        order = form_order(address, self._texts)
        clip = self._clip(address, level)[0]
        step = level.step / (len(order.texts) + len(order.others) + 1)
        matrix = product(form_matrix(ctypes.c_void_p(address)), level.matrix)
        self._add(order, _Level(matrix, clip, number + step, step, level.depth + 1))

    def _clip(self, address: int, level: _Level) -> Clip:
        import numpy as np

        return self._visible(self._reader.read(np.array([address])).get(address), level)

    def _visible(self, clip: Clip | None, level: _Level) -> Clip:
        """Return an object's clip as it's on the page."""
        box, is_box = clip or (EVERYWHERE, True)
        return intersection(transform_box(box, level.matrix), level.clip), is_box

    def _read_clips(self, texts: Indexes, level: _Level) -> None:
        found = self._reader.read(texts)
        for text in found if level.clip == EVERYWHERE else texts.tolist():
            self._clips[text] = self._visible(found.get(text), level)

    def _add_covers(self, shapes: Indexes, numbers: Numbers, level: _Level) -> None:
        for start, batch in pdfium.handles(shapes):
            boxes = transform(pdfium.bounds(batch).astype(float), level.matrix)
            large = (boxes[:, 2] - boxes[:, 0] > _LEAST_SIDE) & (boxes[:, 3] - boxes[:, 1] > _LEAST_SIDE)
            chosen = start + large.nonzero()[0]
            self._parts.append((shapes[chosen], numbers[chosen], boxes[large]))
            self._levels += [level] * len(chosen)


def _joined(parts: Sequence[tuple[Indexes, Numbers, Numbers]]) -> tuple[Indexes, Numbers, Numbers]:
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    parts = [(np.zeros(0, np.intp), np.zeros(0), np.zeros((0, 4))), *parts]
    addresses, numbers, boxes = map(np.concatenate, zip(*parts, strict=True))
    return addresses, numbers, boxes
