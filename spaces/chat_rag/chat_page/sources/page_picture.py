"""A page of a PDF as a picture, with a span of its text highlighted."""

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

from chat_page.sources.highlighted_characters import Box, highlighted_characters
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.formats.pdf.reader import PDFIUM_LOCK, open_pdf

WIDTH = 1000  # pixels; a page with more than MAX_PIXELS is narrower
MAX_PIXELS, MAX_SCALE = 2_500_000, 4.0
MAX_BYTES = 600_000
# One process renders the pages of all visitors, so a page that takes longer becomes text.
SECONDS = 5.0
_FILL, _EDGE = (255, 221, 130), (194, 65, 12)


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as a data: URI, its size in pixels, and the highlighted boxes in pixels (left, top, right, bottom)."""

    uri: str
    width: int
    height: int
    boxes: tuple[Box, ...]


def page_picture(
    data: bytes,
    number: int,
    text: str,
    highlight: tuple[int, int],
    *,
    marks: tuple[Box, ...] = (),
    seconds: float = SECONDS,
) -> Picture:
    """Render page `number` (from 1) of the PDF `data`; `highlight` is a span of `text`, the page's extracted text.

    `marks` are the boxes of a page that was recognized, in shares of its width and height. Without them, there are no
    boxes if the page's own characters differ from `text`. A page that can't be rendered within the limits above is a
    `DocumentError`.
    """
    import pypdfium2

    try:
        with PDFIUM_LOCK, _page(data, number) as page:
            image, (width, height) = _render(page, seconds)
            characters = [] if marks else highlighted_characters(page, text, highlight)
            boxes = scale(marks, width, height) or tuple(_merge_lines(_to_pixels(page, characters, width, height)))
    except (pypdfium2.PdfiumError, IndexError, ValueError) as error:
        raise FileError(FileProblem.PAGE_NOT_DRAWN, page=number) from error
    return Picture(encode(draw_boxes(image, boxes)), width, height, boxes)


def scale(marks: Sequence[Box], width: int, height: int) -> tuple[Box, ...]:
    """Convert boxes in shares of a picture to boxes in pixels."""
    return tuple((left * width, top * height, right * width, bottom * height) for left, top, right, bottom in marks)


@contextmanager
def _page(data: bytes, number: int) -> Iterator[Any]:
    document = open_pdf(data)
    try:
        page = document[number - 1]
        try:
            yield page
        finally:
            page.close()  # this closes its text page too
    finally:
        document.close()


def _render(page: Any, seconds: float) -> tuple[Any, tuple[int, int]]:
    """Return the page as an RGB image, and its size; fail after `seconds`."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    points_wide, points_high = page.get_size()
    if points_wide <= 0 or points_high <= 0:
        raise ValueError("the page has no area")
    scale = min(WIDTH / points_wide, MAX_SCALE, math.sqrt(MAX_PIXELS / (points_wide * points_high)))
    width, height = max(1, round(points_wide * scale)), max(1, round(points_high * scale))
    if width * height > MAX_PIXELS * 1.1:
        raise ValueError("the page is too narrow")
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        with _time_limit(seconds) as pause:
            flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
            status = pdfium.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, width, height, 0, flags, pause)
            pdfium.FPDF_RenderPage_Close(page)
        if status != pdfium.FPDF_RENDER_DONE:
            raise ValueError("rendering takes too long")
        from PIL import Image

        stride, buffer = bitmap.stride, bytes(bitmap.buffer)
        return Image.frombuffer("RGB", (width, height), buffer, "raw", "RGB", stride, 1), (width, height)
    finally:
        bitmap.close()


@contextmanager
def _time_limit(seconds: float) -> Iterator[Any]:
    """The callback that PDFium asks between the objects of a page whether to stop."""
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


def _to_pixels(page: Any, boxes: Sequence[Box], width: int, height: int) -> Iterator[Box]:
    """Convert boxes in points to boxes in pixels; PDFium knows the page's rotation and crop."""
    import pypdfium2.raw as pdfium

    for left, bottom, right, top in boxes:
        corners = []
        for x, y in ((left, bottom), (right, top)):
            pixel_x, pixel_y = ctypes.c_int(), ctypes.c_int()
            pdfium.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, pixel_x, pixel_y)
            corners.append((pixel_x.value, pixel_y.value))
        (x0, y0), (x1, y1) = corners
        yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _merge_lines(boxes: Iterator[Box]) -> Iterator[Box]:
    """Merge the boxes of characters into one per line; a distant one (the next column) starts a new box."""
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
    """Whether a character continues the line, across or (on a rotated page) down."""
    for along, across in ((0, 1), (1, 0)):
        sizes = sorted((line[across + 2] - line[across], box[across + 2] - box[across]))
        shared = min(line[across + 2], box[across + 2]) - max(line[across], box[across])
        gap = max(line[along], box[along]) - min(line[along + 2], box[along + 2])
        if shared > sizes[0] / 2 and sizes[1] < 2.5 * sizes[0] and gap < 3 * max(sizes[0], 8):
            return True
    return False


def draw_boxes(image: Any, boxes: Sequence[Box]) -> Any:
    """Colour each box like a highlighter pen and draw a frame, which is visible without colours too."""
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


def encode(image: Any) -> str:
    """Return a data: URI of at most MAX_BYTES: PNG, or JPEG with decreasing quality."""
    for kind, options in itertools.chain([("PNG", {})], (("JPEG", {"quality": quality}) for quality in (80, 50, 20))):
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        if stream.tell() <= MAX_BYTES:
            return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
    raise DocumentError("The picture of the page is too large.", "Read its text instead.")
