"""Pictures of a message: read, made smaller, refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from backends import Rejected
from backends.pictures import MAX_BYTES, load_picture, prepare_picture


def encoded(name: str, size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 1).save(buffer, name, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_small_picture_is_sent_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "picture"
    path.write_bytes(encoded(name))
    picture = load_picture(path)
    assert picture.data == path.read_bytes()
    assert picture.media_type == f"image/{name.lower()}"


@pytest.mark.parametrize(
    ("name", "mode"), [("PNG", "P"), ("PNG", "RGBA"), ("JPEG", "CMYK"), ("GIF", "P"), ("WEBP", "RGB")]
)
def test_a_large_picture_gets_smaller(name: str, mode: str) -> None:
    picture = prepare_picture(encoded(name, (3000, 1500), mode), max_side=600)
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.size == (600, 300)


@pytest.mark.parametrize(("side", "size"), [(1568, (80, 60)), (20, (20, 15))])
def test_a_phones_jpeg_with_a_second_picture_is_a_jpeg(side: int, size: tuple[int, int]) -> None:
    data = encoded("MPO", (80, 60), save_all=True, append_images=[Image.new("RGB", (8, 6))])
    picture = prepare_picture(data, side)
    assert picture.media_type == "image/jpeg"
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.size == size


def test_a_photo_that_was_taken_upright_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    picture = prepare_picture(encoded("JPEG", (40, 20), exif=exif))
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.size == (20, 40)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a picture"),
        (b"%PDF-1.7", "not a picture"),
        (encoded("BMP"), "not a picture"),
        (encoded("PNG")[:40], "not a picture"),
        (lambda: encoded("PNG", (9000, 9000), "1"), "9000 × 9000"),
        (lambda: encoded("PNG", (20_000, 20_000), "1"), "far too many pixels"),
        (b"\x89PNG" + bytes(MAX_BYTES), "at most 20 MB"),
    ],
    ids=["empty", "a PDF", "BMP", "cut", "many pixels", "a bomb", "many bytes"],
)
def test_what_is_no_picture_for_a_model(data: bytes | Callable[[], bytes], words: str) -> None:
    data = data if isinstance(data, bytes) else data()
    with pytest.raises(Rejected, match=words):
        prepare_picture(data)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="No such file"):
        load_picture(tmp_path / "none.png")
