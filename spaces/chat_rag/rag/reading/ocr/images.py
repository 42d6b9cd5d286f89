"""Pictures as the engines get them: grey, upright, and not larger than they need."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

from rag.errors import DocumentError, FileError, FileProblem

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
MAX_PIXELS = 64_000_000  # photos of common cameras have up to 61 million; 40,000 × 40,000 in a PNG of 5 MB need 1.6 GB
_MAX_PIXELS = 20_000_000  # an A3 page at 300 dpi; a page can declare any size


@dataclass(frozen=True, slots=True)
class GreyImage:
    """A picture with one byte a pixel, row by row from the top."""

    width: int
    height: int
    pixels: bytes

    @property
    def pgm(self) -> bytes:
        return b"P5 %d %d 255\n" % (self.width, self.height) + self.pixels


def draw_page(page: Any, dpi: float, max_side: int) -> GreyImage:
    """Return a PDFium page with this resolution, or less if its longer side would have more than `max_side` pixels.

    The caller holds PDFium's lock.
    """
    width, height = page.get_size()
    largest = min(max_side / max(width, height, 1), (_MAX_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=min(dpi / 72, largest), grayscale=True)
    try:
        rows = bitmap.to_numpy()
        return GreyImage(bitmap.width, bitmap.height, bytes(rows[:, : bitmap.width].tobytes()))
    finally:
        bitmap.close()


def open_image(data: bytes, name: str) -> Any:
    """Return a picture whose header was read, and not its pixels. Raises `DocumentError` for one that is too large."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large(name) from error
        except (OSError, SyntaxError, ValueError) as error:
            raise FileError(FileProblem.INVALID_PICTURE, name=name) from error
    check_pixels(image, name)
    return image


def select_frame(image: Any, number: int, name: str) -> None:
    """Choose a page of a picture, from 1. Raises `DocumentError` if it is too large, `EOFError` if there is none."""
    if image.format == "TIFF":
        image.seek(number - 1)
        check_pixels(image, name)


def check_pixels(image: Any, name: str) -> None:
    """Raise `DocumentError` if a picture has too many pixels to decode."""
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(name)


def _too_large(name: str) -> DocumentError:
    return FileError(FileProblem.LARGE_PICTURE, name=name, limit=MAX_PIXELS // 1_000_000)


def upright(image: Any, max_side: int, mode: str) -> Any:
    """Return the picture upright, on white, in the mode "L" or "RGB", with at most `max_side` pixels on a side."""
    from PIL import Image, ImageOps

    image.draft(mode, (max_side, max_side))  # a JPEG is decoded at a part of its size
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    image = image.convert("RGBA" if image.has_transparency_data else mode)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    image = ImageOps.exif_transpose(image)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert(mode)
    return image


def _eight_bits(image: Any) -> Any:
    """Return a picture of 16 bits or more a pixel with 8; Pillow's own conversion cuts off what is above 255."""
    import numpy as np
    from PIL import Image

    values = np.asarray(image)
    most = max(float(values.max(initial=0)), 1.0)
    return Image.fromarray((values * (255 / most)).clip(0, 255).astype(np.uint8))


def grey_image(image: Any, max_side: int) -> GreyImage:
    """Return a picture as an engine needs it."""
    grey = upright(image, max_side, "L")
    return GreyImage(grey.width, grey.height, grey.tobytes())
