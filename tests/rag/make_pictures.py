"""Pictures of pages: clean, as a scanner makes them, or as a phone does."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

WHITE, INK = 255, 20
ORIENTATION = 0x0112  # the tag of EXIF


def picture(*lines: str | Sequence[tuple[int, str]], size: int = 30, width: int = 1200, height: int = 0) -> Image.Image:
    """Return a grey picture of some lines; a line is a text, or the cells of a row with their left edges."""
    step = round(size * 1.6)
    image = Image.new("L", (width, height or step * (len(lines) + 2)), WHITE)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for number, line in enumerate(lines, 1):
        for left, text in [(80, line)] if isinstance(line, str) else line:
            pen.text((left, number * step), text, font=font, fill=INK)
    return image


def scanned(
    image: Image.Image, *, degrees: float = 2.0, noise: float = 15.0, grey: int = 40, seed: int = 7
) -> Image.Image:
    """Return the picture as a bad scanner makes it: tilted, noisy, on grey paper."""
    import numpy as np

    tilted = image.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=WHITE)
    pixels = np.asarray(tilted).astype(float) * (WHITE - grey) / WHITE
    pixels += np.random.default_rng(seed).normal(0, noise, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the picture as a file of a kind that Pillow knows."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned_by_camera(image: Image.Image) -> tuple[Image.Image, Image.Exif]:
    """Return the picture as a camera that was held upright stores it, and the EXIF that says so."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # show it turned by 90° clockwise
    return image.rotate(90, expand=True), exif


def price_rows(seed: int, count: int) -> list[list[str]]:
    """Return rows of a port, a number, an amount and a change in percent."""
    choice = random.Random(seed)
    return [
        [
            choice.choice(["Skarv", "North Holm", "Elbow", "Old Town"]),
            str(choice.randint(1, 9)),
            f"{choice.randint(1, 9)},{choice.randint(100, 999)}.{choice.randint(10, 99)}",
            f"{choice.choice('+-')}{choice.randint(1, 30)}.{choice.randint(0, 9)}%",
        ]
        for _ in range(count)
    ]


def png_of_size(width: int, height: int) -> bytes:
    """Return a PNG of one color that declares its size and has its pixels, in a few kilobytes per megapixel."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(1)
    row = b"\0" * (1 + (width + 7) // 8)
    rows = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
