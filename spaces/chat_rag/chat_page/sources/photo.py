"""An uploaded picture, with boxes highlighted."""

from __future__ import annotations

from chat_page.sources.highlighted_characters import Box
from chat_page.sources.page_picture import MAX_PIXELS, WIDTH, Picture, draw_boxes, encode, scale
from rag.errors import FileError, FileProblem
from rag.reading.ocr.images import open_image, select_frame, upright


def photo(data: bytes, name: str, number: int, marks: tuple[Box, ...]) -> Picture:
    """Return page `number` (from 1) of a picture; `marks` are boxes in shares of its width and height.

    One that can't be decoded is a `DocumentError`.
    """
    try:
        image = open_image(data, name)
        select_frame(image, number, name)
        shrunk = upright(image, MAX_PIXELS // WIDTH, "RGB")
        shrunk.thumbnail((WIDTH, MAX_PIXELS // WIDTH))
    except (EOFError, OSError, SyntaxError, ValueError) as error:
        raise FileError(FileProblem.PAGE_NOT_DRAWN, page=number) from error
    width, height = shrunk.size
    boxes = scale(marks, width, height)
    return Picture(encode(draw_boxes(shrunk, boxes)), width, height, boxes)
