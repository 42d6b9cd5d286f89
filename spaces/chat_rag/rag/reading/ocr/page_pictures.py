"""Pictures on the pages of a PDF that have text, too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.documents import RecognizedLine
from rag.reading.layout.text_lines import pdfium
from rag.reading.ocr.images import GreyImage

Box = tuple[float, float, float, float]  # left, bottom, right and top
_IMAGE = re.compile(rb"/Image\b")
_SIDE = re.compile(rb"/(?:Width|Height)\s+(\d{1,9})(?![\d.]|\s+\d+\s+R\b)")
_LEAST_PIXELS, _LEAST_STRIP = 10_000, 400  # of a picture with text, and of the longer side of a strip of one
_LONGEST_DICTIONARY = 2_000  # bytes
_LEAST_SHARE = 0.06  # of the page: a smaller picture is a logo or a line
_MOST_CHARACTERS = 100  # of text over a picture; one with more is a background, or a scan with its text behind it
_MOST_OBJECTS = 2_000  # a map has 100,000, and asking for each one's kind takes half a microsecond
_TOUCHING = 2.0  # points: scanners cut a page into strips


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A picture as the engine needs it, and its box in shares of the page's width and height from the upper left."""

    image: GreyImage
    left: float
    top: float
    right: float
    bottom: float

    def place(self, line: RecognizedLine, start: int) -> RecognizedLine:
        """Return a line of the picture as one of the page, in whose text that of the picture begins at `start`."""
        width, height = self.right - self.left, self.bottom - self.top
        sides = (
            self.left + line.left * width,
            self.top + line.top * height,
            self.left + line.right * width,
            self.top + line.bottom * height,
        )
        return RecognizedLine(start + line.start, start + line.end, *(round(side, 4) for side in sides))


def has_images(data: bytes) -> bool:
    """Return whether a PDF contains pictures that may have text; the dictionaries of streams are never packed.

    Most files have a logo at most, whose pages needn't be searched for large pictures.
    """
    return any(_may_have_text(data, match.start()) for match in _IMAGE.finditer(data))


def _may_have_text(data: bytes, position: int) -> bool:
    """Return whether the picture whose dictionary is around a position is large enough, or doesn't say its size."""
    start = data.rfind(b"obj", max(0, position - _LONGEST_DICTIONARY), position)
    end = data.find(b"stream", position, position + _LONGEST_DICTIONARY)
    sides = [int(side) for side in _SIDE.findall(data, max(start, 0), max(end, 0))]
    if start < 0 or len(sides) != 2:
        return True
    return sides[0] * sides[1] >= _LEAST_PIXELS or max(sides) >= _LEAST_STRIP


def find_pictures(page: Any) -> list[Box]:
    """Return the places, in points, of a page's large pictures without text over them.

    The caller holds PDFium's lock.
    """
    left, bottom, right, top = page.get_bbox()
    area = (right - left) * (top - bottom)
    if area <= 0:
        return []
    boxes = [
        (max(box[0], left), max(box[1], bottom), min(box[2], right), min(box[3], top))
        for box in pdfium.image_boxes(pdfium.address(page.raw), _MOST_OBJECTS).tolist()
    ]
    large = [box for box in _merge(boxes) if (box[2] - box[0]) * (box[3] - box[1]) >= _LEAST_SHARE * area]
    if not large:
        return []
    text_page = page.get_textpage()
    return [box for box in large if len("".join(text_page.get_text_bounded(*box).split())) <= _MOST_CHARACTERS]


def draw_picture(page: Any, box: Box, dpi: float, max_side: int) -> PagePicture:
    """Return a part of a page. The caller holds PDFium's lock."""
    (left, bottom, right, top), (width, height) = _as_shown(page, box)
    scale = min(dpi / 72, max_side / max(right - left, top - bottom))
    crop = left, bottom, width - right, height - top
    bitmap = page.render(scale=scale, crop=crop, grayscale=True)
    try:
        rows = bitmap.to_numpy()
        image = GreyImage(bitmap.width, bitmap.height, bytes(rows[:, : bitmap.width].tobytes()))
    finally:
        bitmap.close()
    return PagePicture(image, crop[0] / width, crop[3] / height, 1 - crop[2] / width, 1 - crop[1] / height)


def _as_shown(page: Any, box: Box) -> tuple[Box, tuple[float, float]]:
    """Return a place on a page as a viewer turns it, from its lower left corner, and the page's width and height."""
    left, bottom, right, top = page.get_bbox()
    width, height = right - left, top - bottom
    x, y, end, upper = box[0] - left, box[1] - bottom, box[2] - left, box[3] - bottom
    places: tuple[Box, ...] = (
        (x, y, end, upper),
        (y, width - end, upper, width - x),
        (width - end, height - upper, width - x, height - y),
        (height - upper, x, height - y, end),
    )
    quarters = page.get_rotation() // 90
    return places[quarters], (height, width) if quarters % 2 else (width, height)


def _merge(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes with those that touch as one."""
    merged: list[Box] = []
    for box in sorted(boxes):
        left, bottom, right, top = box
        if left >= right or bottom >= top:
            continue
        touching = [
            other
            for other in merged
            if min(right, other[2]) - max(left, other[0]) > -_TOUCHING
            and min(top, other[3]) - max(bottom, other[1]) > -_TOUCHING
        ]
        merged = [other for other in merged if other not in touching]
        group = [box, *touching]
        merged.append(
            (min(b[0] for b in group), min(b[1] for b in group), max(b[2] for b in group), max(b[3] for b in group))
        )
    return merged
