"""Pictures for a message: read from a file, checked, and resized to what models take."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import Rejected
from backends.settings import require_package
from backends.types import Picture

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
MAX_BYTES = 20 * 1024 * 1024
MAX_SIDE = 1568  # pixels; models make a larger picture smaller themselves, at the sender's cost
MAX_PIXELS = 50_000_000


def load_picture(path: str | Path, max_side: int = MAX_SIDE) -> Picture:
    """The picture of a file; see `prepare_picture`."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"The picture {path} can't be read ({error.strerror})."
        raise Rejected(message, "Check its path.", status=400) from error
    return prepare_picture(data, max_side)


def prepare_picture(data: bytes, max_side: int = MAX_SIDE) -> Picture:
    """The picture of a file's bytes, upright, and at most `max_side` pixels wide and high.

    `Rejected` says why it can't be sent: no picture, another format, too large.
    """
    require_package("PIL", extra="pictures")
    from PIL import Image, ImageOps

    if len(data) > MAX_BYTES:
        raise _too_large("too many bytes")
    try:
        # Only these readers: Pillow has many others, for formats that no model takes.
        with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(f"{image.width} × {image.height} pixels")
            name = "JPEG" if image.format == "MPO" else str(image.format)  # MPO: a phone's, with a second picture
            if max(image.size) <= max_side and image.getexif().get(0x0112, 1) == 1:
                return Picture(data, FORMATS[name])
            upright: PillowImage = ImageOps.exif_transpose(image)
            upright.thumbnail((max_side, max_side))
            return _encode(upright, "JPEG" if name == "JPEG" else "PNG")
    except Image.DecompressionBombError as error:
        raise _too_large("far too many pixels") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise Rejected(
            "The file is not a picture that models take.", "Send PNG, JPEG, WebP or GIF.", status=400
        ) from error


def _encode(image: PillowImage, name: str) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, name)
    return Picture(buffer.getvalue(), FORMATS[name])


def _too_large(size: str) -> Rejected:
    limit = f"{MAX_BYTES // 2**20} MB and {MAX_PIXELS // 1_000_000} million pixels"
    return Rejected(f"The picture has {size}.", f"Send one of at most {limit}.", status=413)
