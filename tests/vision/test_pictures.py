"""Pictures as people have them, and what pretends to be one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from backends import Rejected
from backends.vision.pictures import read_picture
from tests.vision.conftest import file_of

RED, BLUE = (220, 20, 20), (20, 20, 220)


def halves(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """A picture that is red on the left and blue on the right."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture.convert(mode)


def colours(picture: Image.Image) -> tuple[str, str]:
    """The stronger channel of the left and of the right half."""
    pixels = np.asarray(picture).astype(int)
    left, right = pixels[:, : picture.width // 2 - 2], pixels[:, picture.width // 2 + 2 :]
    return tuple("RGB"[half.mean(axis=(0, 1)).argmax()] for half in (left, right))  # type: ignore[return-value]


def animated(name: str) -> bytes:
    return file_of(halves(), name, save_all=True, append_images=[Image.new("RGB", (60, 40), "black")])


def rotated() -> bytes:
    """Red on the left, as a camera stores it that was held upright: turned, with a note about it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return file_of(halves().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


def grey_16_bit() -> bytes:
    values = np.full((40, 60), 5000, np.uint16)
    values[:, 30:] = 60_000
    return file_of(Image.fromarray(values))


@pytest.mark.parametrize(
    "data",
    [
        file_of(halves()),
        file_of(halves(), "JPEG"),
        file_of(halves(), "WEBP"),
        file_of(halves(mode="CMYK"), "JPEG"),
        file_of(halves(mode="P")),
        file_of(halves(mode="RGBA")),
        animated("MPO"),
        animated("GIF"),
        animated("PNG"),
        animated("WEBP"),
        rotated(),
    ],
    ids=["PNG", "JPEG", "WebP", "CMYK", "palette", "alpha", "MPO", "GIF", "animated PNG", "animated WebP", "rotated"],
)
def test_pictures_become_upright_rgb_of_the_first_frame(data: bytes) -> None:
    picture = read_picture(data)
    assert (picture.mode, picture.size) == ("RGB", (60, 40))
    assert colours(picture) == ("R", "B")


def test_16_bits_keep_their_greys() -> None:
    pixels = np.asarray(read_picture(grey_16_bit()))
    assert pixels[0, 0].tolist() == [5000 >> 8] * 3
    assert pixels[0, -1].tolist() == [60_000 >> 8] * 3


def test_what_is_transparent_becomes_white() -> None:
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert read_picture(file_of(picture)).getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    assert read_picture(file_of(palette, transparency=1)).getpixel((0, 0)) == (255, 255, 255)
    assert read_picture(file_of(palette)).getpixel((0, 0)) == (255, 0, 0)


def test_a_large_jpeg_is_decoded_to_what_is_needed() -> None:
    assert read_picture(file_of(halves(4000, 3000), "JPEG"), detail=448).size == (1000, 750)
    assert read_picture(file_of(halves(600, 400), "JPEG"), detail=448).size == (600, 400)


def png_of(width: int, height: int) -> bytes:
    """A PNG that says that it's so large, in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def truncated() -> bytes:
    return file_of(halves(300, 200), "JPEG")[:-700]


@pytest.mark.parametrize(
    ("make", "status", "words"),
    [
        (lambda: b"", 400, "0 bytes"),
        (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", 400, "The file is a PDF, whatever its name says"),
        (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", 400, "Save it as JPEG"),
        (lambda: file_of(halves(), "TIFF"), 400, "TIFF"),
        (lambda: b"PK\3\4" + bytes(100), 400, "ZIP"),
        (lambda: b"<!doctype html><title>Not found</title>", 400, "Send JPEG, PNG, WebP or GIF"),
        (truncated, 400, "incomplete or damaged"),
        (lambda: file_of(halves())[:60], 400, "incomplete or damaged"),
        (lambda: png_of(8000, 8000), 413, "8,000 × 8,000 pixels, more than 50 million"),
        (lambda: png_of(60_000, 60_000), 413, "far too many pixels"),
        (lambda: png_of(10_000, 10_000), 413, "pixels"),
        (lambda: file_of(halves(3000, 4)), 400, "more than 50 times the other"),
        (lambda: png_of(2**31 - 1, 2**31 - 1), 413, "too many pixels"),
    ],
    ids=[
        "0 bytes", "PDF", "HEIC", "TIFF", "ZIP", "HTML", "cut JPEG", "cut PNG",
        "64 million", "3.6 billion", "100 million", "a line", "the largest PNG",
    ],
)  # fmt: skip
def test_what_is_no_good_picture_is_refused_with_what_to_do(make: Callable[[], bytes], status: int, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_picture(make())
    assert caught.value.status == status
    assert words in str(caught.value)
    assert caught.value.remedy


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_metadata_costs_only_the_rotation() -> None:
    data = bytearray(rotated())
    place = data.index(b"Exif\0\0") + 6
    data[place : place + 8] = b"MM\0*\xff\xff\xff\xff"
    assert read_picture(bytes(data)).size == (40, 60)


def test_every_cut_of_a_picture_is_refused_or_read() -> None:
    """Whatever Pillow raises for damaged data, the caller gets a `Rejected`."""
    for name in ("JPEG", "PNG", "WEBP", "GIF"):
        whole = file_of(halves(), name)
        for end in range(0, len(whole), max(1, len(whole) // 60)):
            for data in (whole[:end], whole[:end] + b"\xff" * 9 + whole[end + 9 :]):
                try:
                    read_picture(data)
                except Rejected:
                    continue
