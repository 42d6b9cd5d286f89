"""Clipping paths of the objects of a PDF page."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag.reading.layout import pdfium

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.reading.layout.words import Numbers

Box = tuple[float, float, float, float]  # left, bottom, right and top
EVERYWHERE: Box = (-1e9, -1e9, 1e9, 1e9)
_MOST_POINTS = 1_000  # of a path


class Clips:
    """Reads clipping paths, which many objects share."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Box, bool]] = {}  # by the address of the path's first point
        self._x, self._y = ctypes.c_float(), ctypes.c_float()
        self._places = ctypes.byref(self._x), ctypes.byref(self._y)

    def boxes(self, objects: Sequence[Any]) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return the box around the clip of each object, and whether its clip is no smaller than the box."""
        import numpy as np

        boxes, is_box = np.full((len(objects), 4), EVERYWHERE), np.ones(len(objects), bool)
        paths = list(map(pdfium.function("FPDFPageObj_GetClipPath", pdfium.Handle), objects))
        for index, count in enumerate(map(pdfium.function("FPDFClipPath_CountPaths"), paths)):
            for number in range(count):
                box, is_rectangle = self._path(paths[index], number)
                boxes[index] = intersection(boxes[index], box)
                is_box[index] &= is_rectangle
        return boxes, is_box

    def _path(self, paths: Any, number: int) -> tuple[Box, bool]:
        first = pdfium.function("FPDFClipPath_GetPathSegment", ctypes.c_size_t)(paths, number, 0)
        if not first:
            return EVERYWHERE, False
        if first not in self._known:
            self._known[first] = self._read(paths, number)
        return self._known[first]

    def _read(self, paths: Any, number: int) -> tuple[Box, bool]:
        segment = pdfium.function("FPDFClipPath_GetPathSegment", pdfium.Handle)
        place = pdfium.function("FPDFPathSegment_GetPoint")
        points: list[tuple[float, float]] = []
        count = pdfium.function("FPDFClipPath_CountPathSegments")(paths, number)
        if count > _MOST_POINTS:
            return EVERYWHERE, False
        for index in range(count):
            place(segment(paths, number, index), *self._places)
            points.append((self._x.value, self._y.value))
        columns, rows = zip(*points, strict=True)
        box = min(columns), min(rows), max(columns), max(rows)
        is_rectangle = count in (4, 5) and set(points) == {(x, y) for x in box[::2] for y in box[1::2]}
        return box, is_rectangle


def intersection(one: Sequence[float], other: Sequence[float]) -> Box:
    """Return what two boxes share; its sides are the wrong way round if they share nothing."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def clip_boxes(boxes: Numbers, *clips: Numbers | Box) -> Numbers:
    """Return what boxes share with one box, or each with its own."""
    import numpy as np

    for clip in map(np.asarray, clips):
        boxes = np.hstack([np.maximum(boxes[:, :2], clip[..., :2]), np.minimum(boxes[:, 2:], clip[..., 2:])])
    return boxes


def transform(boxes: Numbers, matrix: Sequence[float]) -> Numbers:
    """Return the boxes around the boxes of a form as they are on its page."""
    import numpy as np

    a, b, c, d, e, f = matrix
    if (a, b, c, d, e, f) == (1, 0, 0, 1, 0, 0):
        return boxes
    x, y = boxes[:, [0, 2, 0, 2]], boxes[:, [1, 1, 3, 3]]
    columns, rows = a * x + c * y + e, b * x + d * y + f
    return np.column_stack([columns.min(axis=1), rows.min(axis=1), columns.max(axis=1), rows.max(axis=1)])
