"""Uploaded pictures: each is a page, and a TIFF can have several."""

from __future__ import annotations

import pytest
from PIL import Image

from rag.documents import Limits
from rag.errors import DocumentError
from tests.rag.make_pictures import encoded, picture, png_of_size, turned_by_camera
from tests.rag.reading.ocr.conftest import Read

TEXT = "The lease of berth 42 ends on 1 May"
pytestmark = pytest.mark.usefixtures("tesseract")  # its start takes milliseconds


@pytest.mark.parametrize(
    ("name", "kind", "media_type"),
    [
        ("a.png", "PNG", "image/png"),
        ("a.JPG", "JPEG", "image/jpeg"),
        ("a.webp", "WEBP", "image/webp"),
        ("a.tiff", "TIFF", "image/tiff"),
        ("a.jpg", "PNG", "image/jpeg"),  # renamed
    ],
)
def test_a_picture_is_a_document_of_one_page(read: Read, name: str, kind: str, media_type: str) -> None:
    shares = list[float]()
    document = read(encoded(picture(TEXT), kind), name, report=shares.append)
    assert document.text == TEXT
    assert [(page.number, page.start, page.end) for page in document.pages] == [(1, 0, len(TEXT))]
    assert document.media_type == media_type
    assert shares == [1.0]
    (line,) = document.recognized
    assert (line.start, line.end) == (0, len(TEXT))


def test_each_picture_of_a_tiff_is_a_page(read: Read) -> None:
    pages = [picture("The first page"), picture("The second one", width=800)]
    shares = list[float]()
    document = read(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]), "fax.tif", report=shares.append)
    assert [document.text[page.start : page.end] for page in document.pages] == ["The first page", "The second one"]
    assert shares == [0.5, 1.0]


def test_the_pages_of_a_tiff_are_limited(read: Read) -> None:
    data = encoded(picture("One"), "TIFF", save_all=True, append_images=[picture("Two")] * 2)
    with pytest.raises(DocumentError, match="more than 2 pages"):
        read(data, "fax.tif", limits=Limits(scanned_pages=2))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_photo_that_was_taken_upright_is_read_upright(read: Read, kind: str) -> None:
    photo, exif = turned_by_camera(picture(TEXT))
    document = read(encoded(photo, kind, exif=exif), f"a.{kind.lower()}")
    assert document.text == TEXT
    (line,) = document.recognized
    assert line.right - line.left > line.bottom - line.top


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "I;16", "CMYK"])
def test_pictures_of_any_depth(read: Read, mode: str) -> None:
    image = picture(TEXT)
    if mode == "I;16":
        image = image.convert("I").point(lambda value: value * 256).convert("I;16")
    elif mode == "RGBA":  # ink on nothing
        image = Image.merge("RGBA", [Image.new("L", image.size)] * 3 + [image.point(lambda value: 255 - value)])
    else:
        image = image.convert(mode)
    assert read(encoded(image, "TIFF"), "a.tif").text == TEXT


@pytest.mark.parametrize(("width", "height"), [(9_000, 9_000), (40_000, 40_000)])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(read: Read, width: int, height: int) -> None:
    data = png_of_size(width, height)
    assert len(data) < 1_000_000
    with pytest.raises(DocumentError, match="has more than 64 megapixels"):
        read(data, "bomb.png")


def test_a_large_page_of_a_tiff_is_refused_too(read: Read) -> None:
    large = Image.new("1", (9_000, 9_000), 1)
    data = encoded(picture("One").convert("1"), "TIFF", save_all=True, append_images=[large], compression="group4")
    with pytest.raises(DocumentError, match="64 megapixels"):
        read(data, "fax.tif")


def test_a_picture_without_text_is_an_error(read: Read) -> None:
    with pytest.raises(DocumentError, match="a picture in which no text was recognized"):
        read(encoded(Image.new("L", (300, 300), 200), "PNG"), "a.png")


@pytest.mark.parametrize("keep", [20, 60, 400])
def test_a_damaged_picture_is_an_error(read: Read, keep: int) -> None:
    with pytest.raises(DocumentError, match=r"damaged|isn't a picture"):
        read(encoded(picture(TEXT), "PNG")[:keep], "a.png")


def test_a_file_that_is_no_picture_is_named(read: Read) -> None:
    with pytest.raises(DocumentError, match=r"isn't a valid \.webp file"):
        read(b"some words", "a.webp")
    with pytest.raises(DocumentError, match=r"is named \.txt, but its content is PNG"):
        read(encoded(picture(TEXT), "PNG"), "a.txt")
