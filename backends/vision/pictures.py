"""Decodes untrusted pictures upright to RGB, or refuses them with a message that says what to do."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from backends.errors import Rejected
from backends.settings import require_package
from backends.vision.memory import is_out_of_memory

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 50_000_000
MAX_RATIO = 50  # of the sides: a line of pixels would become huge when its short side is made as large as the model's
SEND = "Send JPEG, PNG, WebP or GIF."
# What people send instead, by where its first bytes are. Pillow would read a PDF's name as that of a picture.
_OTHERS = (
    (0, b"%PDF", "a PDF", "Send a picture of its page."),
    (4, b"ftypheic", "a HEIC picture", "Save it as JPEG. On an iPhone: Settings, Camera, Formats, Most Compatible."),
    (4, b"ftypavif", "an AVIF picture", "Save it as JPEG."),
    (0, b"II*\0", "a TIFF picture", "Save it as PNG."),
    (0, b"MM\0*", "a TIFF picture", "Save it as PNG."),
    (0, b"<svg", "an SVG drawing", "Save it as PNG."),
    (0, b"PK\3\4", "a ZIP archive", "Send the pictures in it one by one."),
)
_WHITE = (255, 255, 255, 255)


def read_picture(data: bytes, *, max_pixels: int = MAX_PIXELS, detail: int = 0) -> PillowImage:
    """Return a picture as RGB: the first frame, upright, on white where it's transparent.

    `detail` is how many pixels the shorter side needs; a large JPEG is then decoded to fewer, in less time and memory.
    `Rejected` has the status 413 for too many pixels, which is checked before any is decoded, and 400 otherwise.
    """
    require_package("PIL", extra="vision")
    from PIL import Image

    if not data:
        raise Rejected("The picture is empty: it has 0 bytes.", "Send the file again.", status=400)
    with _translate_errors(data), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_size(image, max_pixels)
        if detail and min(image.size) >= 2 * detail:
            image.draft("RGB", (detail, detail))
        image.load()
        return _to_rgb(_upright(image))


@contextmanager
def _translate_errors(data: bytes) -> Iterator[None]:
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except UnidentifiedImageError as error:
        raise _not_a_picture(data) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Rejected("The picture has far too many pixels.", "Make it smaller.", status=413) from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        if is_out_of_memory(error):
            raise
        message = "The picture can't be decoded: its file is incomplete or damaged."
        raise Rejected(message, "Open it in a viewer, save it again, and send it once more.", status=400) from error


def _not_a_picture(data: bytes) -> Rejected:
    for start, head, name, remedy in _OTHERS:
        if data.startswith(head, start):
            return Rejected(f"The file is {name}, whatever its name says.", remedy, status=400)
    return Rejected("The file is not a picture that can be read.", SEND, status=400)


def _check_size(image: PillowImage, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        message = f"The picture has {width:,} × {height:,} pixels, more than {max_pixels / 1e6:g} million."
        raise Rejected(message, "Make it smaller.", status=413)
    if max(width, height) > MAX_RATIO * min(width, height):
        message = f"The picture has {width:,} × {height:,} pixels: one side is more than {MAX_RATIO} times the other."
        raise Rejected(message, "Cut out the part that matters.", status=400)


def _upright(image: PillowImage) -> PillowImage:
    """Turn a picture as its camera was held; one whose metadata is damaged stays as it is."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # whatever Pillow raises for damaged metadata, the pixels are fine
        if is_out_of_memory(error):
            raise
        return image


def _to_rgb(image: PillowImage) -> PillowImage:
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey, which `convert` would clip to the darkest 256 values
        import numpy as np

        grey = np.asarray(image).astype(np.int64).clip(0, 65535) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        picture = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture).convert("RGB")
    return image.convert("RGB")
