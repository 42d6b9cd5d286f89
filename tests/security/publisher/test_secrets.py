"""Secrets that the publisher must find: in every known format and encoding, in archives, notebooks and pictures."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import subprocess
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from publishing.errors import ContentError
from publishing.staging.content_check import check_content
from tests.conftest import ROOT
from tests.security.secret_formats import secret_formats

FORMATS = secret_formats()
TOKEN = FORMATS["Hugging Face"]
LINE = f"# Größe: 3 €\nTOKEN = '{TOKEN}'\n"


def problems(folder: Path, data: bytes, name: str = "file.dat") -> str:
    """Return what the check says about a file; empty if it may be published."""
    path = folder / "file"
    path.write_bytes(data)
    try:
        check_content({name: path})
    except ContentError as error:
        assert TOKEN not in str(error)
        return str(error)
    return ""


def test_secrets_of_well_known_formats_are_found(tmp_path: Path) -> None:
    missed = [
        f"{name} ({seed})"
        for seed in range(3)
        for name, line in secret_formats(seed).items()
        if "file.dat" not in problems(tmp_path, f"first line\n{line}\n".encode())
    ]
    assert len(FORMATS) >= 130
    assert not missed


def test_a_problem_names_the_line_and_never_the_secret(tmp_path: Path) -> None:
    for name, line in FORMATS.items():
        message = problems(tmp_path, f"first line\n{line}\n".encode())
        assert "file.dat, line 2: " in message, name
        assert not [word for word in line.split() if len(word) > 20 and word in message]


def test_placeholders_are_no_secrets(tmp_path: Path) -> None:
    text = """
api_key = os.environ["OPENAI_API_KEY"]
token = "your_token_goes_here_1"
password: ${DATABASE_PASSWORD_1}
API_KEY=<your key 1234567890>
AWS_ACCESS_KEY_ID=AKIAxxxxxxxxxxxxxxxx
tokens_per_second: 12345678.123456789e-05
token_path = "/var/run/secrets/kubernetes.io/serviceaccount/token1"
Authorization: Bearer {token}
"""
    assert not problems(tmp_path, text.encode())


def test_no_file_outside_the_tests_is_taken_for_a_secret() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    # .env has settings of Kubernetes, which no Space has.
    names = [name for name in listing.split("\0") if "tests/" not in name and not name.endswith(".env")]
    check_content({name: ROOT / name for name in names if (ROOT / name).is_file()})


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-7", "cp1252"],
)
def test_a_secret_is_found_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    assert "file.dat, line 2: " in problems(tmp_path, LINE.encode(encoding))


BINARY: dict[str, bytes] = {
    "behind a NUL": b"\0\n" + LINE.encode(),
    "between NULs": b"abc\0" + TOKEN.encode() + b"\0def",
    "UTF-16 behind binary data": b"\0\1\2abc\0\0\0" + LINE.encode("utf-16-le") + b"\0\0\0",
    "UTF-16 at an odd offset": b"\0\0\7" + LINE.encode("utf-16-be"),
    "behind other letters": "é".encode() + TOKEN.encode() + "é".encode(),
    "behind 20 kB": bytes(range(256)) * 80 + b"\n" + LINE.encode(),
}


@pytest.mark.parametrize("place", BINARY)
def test_a_secret_is_found_in_binary_data(tmp_path: Path, place: str) -> None:
    assert problems(tmp_path, BINARY[place])


def zipped(data: bytes = LINE.encode(), name: str = "notes.txt") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def tarred(data: bytes = LINE.encode(), name: str = "notes.txt", mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda: tarred(mode="w:gz"),
    "tar.bz2": lambda: tarred(mode="w:bz2"),
    "tar.xz": lambda: tarred(mode="w:xz"),
    "UTF-16 in a zip": lambda: zipped(LINE.encode("utf-16")),
    "zip in a tar.gz": lambda: tarred(zipped(), "inner.zip", "w:gz"),
    "zip behind a picture": lambda: picture() + zipped(),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_secret_in_an_archive_is_found(tmp_path: Path, kind: str) -> None:
    assert "notes.txt, line 2: " in problems(tmp_path, ARCHIVES[kind]())


COMPRESSED: dict[str, bytes] = {
    "gzip": gzip.compress(LINE.encode()),
    "two gzip streams": gzip.compress(b"first\n") + gzip.compress(LINE.encode()),
    "bzip2": bz2.compress(LINE.encode()),
    "xz": lzma.compress(LINE.encode() * 9),
    "base64": base64.b64encode(LINE.encode()),
    "PDF": b"%PDF-1.7\nstream\r\n" + zlib.compress(LINE.encode()) + b"\nendstream",
}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_secret_in_a_compressed_file_is_found(tmp_path: Path, kind: str) -> None:
    assert TOKEN.encode() not in COMPRESSED[kind]
    assert problems(tmp_path, COMPRESSED[kind])


def test_a_place_of_secrets_inside_an_archive_is_refused(tmp_path: Path) -> None:
    assert ".aws/credentials: this kind of file is never published" in problems(
        tmp_path, zipped(b"x", ".aws/credentials")
    )


def encrypted_zip() -> bytes:
    data = bytearray(zipped())
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(header) + flags] |= 1
    return bytes(data)


def nested(levels: int) -> bytes:
    data = LINE.encode()
    for _ in range(levels):
        data = gzip.compress(data)
    return data


UNSCANNABLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "an encrypted zip": (encrypted_zip, "is encrypted"),
    "a 7z archive": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(50), "7z archives can't be scanned"),
    "a damaged archive": (lambda: zipped().replace(b"PK\3\4", b"PK\0\0"), "damaged or unusual"),
    "a bomb": (lambda: gzip.compress(bytes(101_000_000)), "unpacks to more than 100 MB"),
    "a deep archive": (lambda: nested(12), "packed more than 6 times"),
}


@pytest.mark.parametrize("kind", UNSCANNABLE)
def test_an_archive_that_cannot_be_scanned_is_refused(tmp_path: Path, kind: str) -> None:
    make, problem = UNSCANNABLE[kind]
    assert problem in problems(tmp_path, make())


def test_names_in_an_archive_do_not_control_the_terminal(tmp_path: Path) -> None:
    message = problems(tmp_path, zipped(name="\x1b[2Jnotes.txt"))
    assert "notes.txt" in message
    assert "\x1b" not in message


def notebook(**cell: object) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", **cell}], "nbformat": 4}).encode()


NOTEBOOKS: dict[str, bytes] = {
    "in a cell": notebook(source=["import os\n", f"login('{TOKEN}')\n"]),
    "across two pieces of a cell": notebook(source=[f"login('{TOKEN[:9]}", f"{TOKEN[9:]}')\n"]),
    "escaped": notebook(source=[]).replace(b'"code"', b'"\\u0068' + TOKEN[1:].encode() + b'"'),
}


@pytest.mark.parametrize("place", NOTEBOOKS)
def test_a_secret_in_a_notebook_is_found(tmp_path: Path, place: str) -> None:
    assert problems(tmp_path, NOTEBOOKS[place], "notes.json")
    assert "notes.nb" in problems(tmp_path, zipped(NOTEBOOKS[place], "notes.nb"))


def test_a_secret_in_a_picture_in_a_notebook_is_found(tmp_path: Path) -> None:
    image = base64.b64encode(PICTURES["PNG, compressed text"]()).decode()
    data = notebook(outputs=[{"data": {"image/png": image}}])
    assert problems(tmp_path, data, "notes.json")


def picture(kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def png_with_text(add: Callable[[PngInfo], object]) -> bytes:
    info = PngInfo()
    add(info)
    return picture(pnginfo=info)


def exif() -> Image.Exif:
    values = Image.Exif()
    values[0x9C9C] = LINE.encode("utf-16-le")  # XPComment
    return values


def magick_profile() -> str:
    return f"\nexif\n{len(LINE):8}\n{LINE.encode().hex()}\n"


PICTURES: dict[str, Callable[[], bytes]] = {
    "PNG, text": lambda: png_with_text(lambda info: info.add_text("parameters", LINE)),
    "PNG, compressed text": lambda: png_with_text(lambda info: info.add_text("parameters", LINE * 9, zip=True)),
    "PNG, compressed international text": lambda: png_with_text(lambda info: info.add_itxt("note", LINE * 9, zip=True)),
    "PNG, profile of ImageMagick": lambda: png_with_text(
        lambda info: info.add_text("Raw profile type exif", magick_profile(), zip=True)
    ),
    "PNG, EXIF": lambda: picture(exif=exif()),
    "PNG, behind the end": lambda: picture() + LINE.encode(),
    "JPEG, comment": lambda: picture("JPEG", comment=LINE),
    "JPEG, EXIF": lambda: picture("JPEG", exif=exif()),
    "JPEG, XMP": lambda: picture("JPEG", xmp=LINE.encode()),
    "WebP, EXIF": lambda: picture("WEBP", exif=exif()),
    "WebP, XMP": lambda: picture("WEBP", xmp=LINE.encode()),
    "TIFF, description": lambda: picture("TIFF", description=LINE, compression="tiff_lzw"),
    "SVG": lambda: f"<svg><!-- {LINE} --></svg>".encode(),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_secret_in_a_pictures_metadata_is_found(tmp_path: Path, kind: str) -> None:
    assert problems(tmp_path, PICTURES[kind](), "picture.dat")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_is_no_secret(tmp_path: Path, kind: str) -> None:
    assert not problems(tmp_path, picture(kind))


HOSTILE = [
    "token",
    "ey",
    "A",
    "key=",
    "://",
    "-----BEGIN PRIVATE KEY-----",
    '{"d":',
    "machine x login ",
    "=0.\t",
    "a.b-c/",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_time_to_scan_grows_linearly(tmp_path: Path, text: str) -> None:
    def seconds(size: int) -> float:
        start = time.process_time()
        problems(tmp_path, (text * (size // len(text))).encode())
        return time.process_time() - start

    seconds(1000)  # the rules are compiled
    assert seconds(400_000) < 2.6 * 2 * seconds(200_000) + 0.2
