"""Clipping paths of the objects of a PDF page."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag.reading.layout.text_lines import pdfium

if TYPE_CHECKING:
    from rag.reading.layout.text_lines.words import Indexes, Numbers

Box = tuple[float, float, float, float]  # left, bottom, right and top
Clip = tuple[Box, bool]  # the box around a clip, and whether the clip is no smaller
Matrix = tuple[float, ...]
EVERYWHERE: Box = (-1e9, -1e9, 1e9, 1e9)
UNCHANGED: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_MOST_POINTS = 1_000  # of a path


class Clips:
    """Reads clipping paths, which many objects share; PDFium forgets those that cut nothing off."""

    def __init__(self) -> None:
        self._known: dict[int, Clip] = {}  # by the address of the path's first point
        self._x, self._y = ctypes.c_float(), ctypes.c_float()
        self._places = ctypes.byref(self._x), ctypes.byref(self._y)

    def read(self, objects: Indexes) -> dict[int, Clip]:
        """Return the clips of objects by their addresses, without those that have none."""
        get = pdfium.function("FPDFPageObj_GetClipPath", pdfium.Handle)
        count = pdfium.function("FPDFClipPath_CountPaths")
        clips: dict[int, Clip] = {}
        for start, batch in pdfium.handles(objects):
            paths = list(map(get, batch))
            counts = list(map(count, paths))
            for index in [index for index, number in enumerate(counts) if number > 0]:
                clips[int(objects[start + index])] = self._clip(paths[index], counts[index])
        return clips

    def _clip(self, paths: ctypes.c_void_p, count: int) -> Clip:
        clip: Clip = (EVERYWHERE, True)
        for number in range(count):
            box, is_box = self._path(paths, number)
            clip = intersection(clip[0], box), clip[1] and is_box
        return clip

    def _path(self, paths: Any, number: int) -> Clip:
        first = pdfium.function("FPDFClipPath_GetPathSegment", ctypes.c_size_t)(paths, number, 0)
        if not first:
            return EVERYWHERE, False
        if first not in self._known:
            self._known[first] = self._read_path(paths, number)
        return self._known[first]

    def _read_path(self, paths: Any, number: int) -> Clip:
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
        is_box = count in (4, 5) and set(points) == {(x, y) for x in box[::2] for y in box[1::2]}
        return box, is_box


def intersection(one: Sequence[float], other: Sequence[float]) -> Box:
    """Return what two boxes share; its sides are the wrong way round if they share nothing."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def form_matrix(form: Any) -> Matrix:
    """Return the matrix that puts the objects of a form on its page."""
    values = (ctypes.c_float * 6)()
    pdfium.function("FPDFPageObj_GetMatrix")(form, ctypes.byref(values))
    return tuple(values)


def product(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix that does what the first one does, and then what the second one does."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def transform(boxes: Numbers, matrix: Matrix) -> Numbers:
    """Return the boxes around the boxes of a form as they are on its page."""
    import numpy as np

    if matrix == UNCHANGED:
        return boxes
    a, b, c, d, e, f = matrix
    x, y = boxes[:, [0, 2, 0, 2]], boxes[:, [1, 1, 3, 3]]
    columns, rows = a * x + c * y + e, b * x + d * y + f
    return np.column_stack([columns.min(axis=1), rows.min(axis=1), columns.max(axis=1), rows.max(axis=1)])


def transform_box(box: Box, matrix: Matrix) -> Box:
    """Return the box around a box of a form as it is on its page."""
    if matrix == UNCHANGED:
        return box
    a, b, c, d, e, f = matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in box[::2] for y in box[1::2]]
    columns, rows = zip(*corners, strict=True)
    return min(columns), min(rows), max(columns), max(rows)
