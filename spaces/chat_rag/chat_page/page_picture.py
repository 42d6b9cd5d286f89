"""A page of a PDF as a picture, with a span of its text marked."""

from __future__ import annotations

import base64
import ctypes
import io
import itertools
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rag.errors import DocumentError
from rag.reading.pdf import LIGATURES, PDFIUM_LOCK

WIDTH = 1000  # pixels; a taller page than MOST_PIXELS allow is narrower
MOST_PIXELS, MOST_SCALE = 2_500_000, 4.0
MOST_BYTES = 600_000
# Drawing holds up the reading of all other PDFs, so a page that takes longer is shown as text.
SECONDS = 5.0
_FILL, _EDGE = (255, 221, 130), (194, 65, 12)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as a data: URI, its size in pixels, and the marked boxes in pixels (left, top, right, bottom)."""

    uri: str
    width: int
    height: int
    boxes: tuple[Box, ...]


def page_picture(data: bytes, number: int, text: str, mark: tuple[int, int], *, seconds: float = SECONDS) -> Picture:
    """Page `number` (from 1) of the PDF `data`; `mark` is a span of `text`, the page's text as the reader gave it.

    There are no boxes where the page's own characters are not those of `text`. A page that cannot be drawn in the
    bounds above is a `DocumentError`.
    """
    import pypdfium2

    try:
        with PDFIUM_LOCK, _page(data, number) as page:
            image, (width, height) = _drawn(page, seconds)
            marked = marked_characters(page, text, mark)
            boxes = tuple(_lines(_on_picture(page, marked, width, height)))
    except (pypdfium2.PdfiumError, IndexError, MemoryError, ValueError) as error:
        raise DocumentError(f"Page {number} cannot be drawn.", "Read its text instead.") from error
    return Picture(_encoded(_marked(image, boxes)), width, height, boxes)


@contextmanager
def _page(data: bytes, number: int) -> Iterator[Any]:
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        page = document[number - 1]
        try:
            yield page
        finally:
            page.close()  # its text page is closed with it
    finally:
        document.close()


def _drawn(page: Any, seconds: float) -> tuple[Any, tuple[int, int]]:
    """The page as an RGB image, and its size; given up after `seconds`."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    points_wide, points_high = page.get_size()
    if points_wide <= 0 or points_high <= 0:
        raise ValueError("the page has no area")
    scale = min(WIDTH / points_wide, MOST_SCALE, math.sqrt(MOST_PIXELS / (points_wide * points_high)))
    width, height = max(1, round(points_wide * scale)), max(1, round(points_high * scale))
    if width * height > MOST_PIXELS * 1.1:
        raise ValueError("the page is a thread")
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        with _time_limit(seconds) as pause:
            flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
            status = pdfium.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, width, height, 0, flags, pause)
            pdfium.FPDF_RenderPage_Close(page)
        if status != pdfium.FPDF_RENDER_DONE:
            raise ValueError("drawing takes too long")
        from PIL import Image

        stride, buffer = bitmap.stride, bytes(bitmap.buffer)
        return Image.frombuffer("RGB", (width, height), buffer, "raw", "RGB", stride, 1), (width, height)
    finally:
        bitmap.close()


@contextmanager
def _time_limit(seconds: float) -> Iterator[Any]:
    """What PDFium asks between the objects of a page, whether to stop."""
    import pypdfium2.raw as pdfium

    late = threading.Event()
    timer = threading.Timer(seconds, late.set)
    timer.daemon = True
    timer.start()
    pause = pdfium.IFSDK_PAUSE(version=1, user=None)
    pause.NeedToPauseNow = type(pause.NeedToPauseNow)(lambda _: late.is_set())
    try:
        yield ctypes.byref(pause)
    finally:
        timer.cancel()


def marked_characters(page: Any, text: str, mark: tuple[int, int]) -> list[Box]:
    """The boxes of the marked characters in points: left, bottom, right, top.

    Cleaning a page's text changes its spaces, hyphens and ligatures, never the order of its letters and digits: so
    the k-th letter or digit of the text is the k-th of the page.
    """
    import pypdfium2.raw as pdfium

    words = page.get_textpage()
    own = [
        (index, letter)
        for index in range(words.count_chars())
        for letter in _letters(chr(pdfium.FPDFText_GetUnicode(words, index)))
    ]
    if "".join(letter for _, letter in own) != "".join(_letters(text)):
        return []
    before = sum(1 for _ in _letters(text[: mark[0]]))
    marked = sum(1 for _ in _letters(text[mark[0] : mark[1]]))
    if not marked:
        return []
    first, last = own[before][0], own[before + marked - 1][0]
    boxes = (words.get_charbox(index, loose=True) for index in range(first, last + 1) if _visible(words, index))
    return [box for box in boxes if box[0] < box[2] and box[1] < box[3]]


def _visible(words: Any, index: int) -> bool:
    import pypdfium2.raw as pdfium

    return not chr(pdfium.FPDFText_GetUnicode(words, index)).isspace()


def _letters(text: str) -> Iterator[str]:
    return (character for character in text.translate(LIGATURES) if character.isalnum())


def _on_picture(page: Any, boxes: Sequence[Box], width: int, height: int) -> Iterator[Box]:
    """Boxes in points as boxes in pixels; PDFium knows the page's rotation and crop."""
    import pypdfium2.raw as pdfium

    for left, bottom, right, top in boxes:
        corners = []
        for x, y in ((left, bottom), (right, top)):
            at_x, at_y = ctypes.c_int(), ctypes.c_int()
            pdfium.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, at_x, at_y)
            corners.append((at_x.value, at_y.value))
        (x0, y0), (x1, y1) = corners
        yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _lines(boxes: Iterator[Box]) -> Iterator[Box]:
    """Boxes of characters as one box a line; one that stands apart (the next column) begins a new box."""
    line: Box | None = None
    for box in boxes:
        if line and _same_line(line, box):
            line = (min(line[0], box[0]), min(line[1], box[1]), max(line[2], box[2]), max(line[3], box[3]))
        else:
            if line:
                yield line
            line = box
    if line:
        yield line


def _same_line(line: Box, box: Box) -> bool:
    """Whether a character goes on where the line ends, across or (on a turned page) down."""
    for along, across in ((0, 1), (1, 0)):
        sizes = sorted((line[across + 2] - line[across], box[across + 2] - box[across]))
        shared = min(line[across + 2], box[across + 2]) - max(line[across], box[across])
        gap = max(line[along], box[along]) - min(line[along + 2], box[along + 2])
        if shared > sizes[0] / 2 and sizes[1] < 2.5 * sizes[0] and gap < 3 * max(sizes[0], 8):
            return True
    return False


def _marked(image: Any, boxes: Sequence[Box]) -> Any:
    """The image with each box coloured as by a marker pen and framed, so that it shows without colours too."""
    from PIL import Image, ImageChops, ImageDraw

    if not boxes:
        return image
    layer = Image.new("RGB", image.size, "white")
    pen = ImageDraw.Draw(layer)
    for left, top, right, bottom in boxes:
        pen.rectangle((left - 3, top - 2, right + 3, bottom + 2), fill=_FILL)
    image = ImageChops.multiply(image, layer)
    pen = ImageDraw.Draw(image)
    for left, top, right, bottom in boxes:
        pen.rectangle((left - 3, top - 2, right + 3, bottom + 2), outline=_EDGE, width=2)
    return image


def _encoded(image: Any) -> str:
    """The smallest of PNG and ever coarser JPEG that keeps to MOST_BYTES, as a data: URI."""
    for kind, options in itertools.chain([("PNG", {})], (("JPEG", {"quality": quality}) for quality in (80, 50, 20))):
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        if stream.tell() <= MOST_BYTES:
            return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
    raise DocumentError("The picture of the page is too large.", "Read its text instead.")
