"""Reads the members of archives, compressed files and PDFs, recognised by their content, not by their name."""

from __future__ import annotations

import bz2
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from publishing.scan.limits import Budget, Unscannable

# What the standard library can't unpack.
UNKNOWN = {
    b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "RAR", b"\x28\xb5\x2f\xfd": "Zstandard", b"\x04\x22\x4d\x18": "LZ4",
}  # fmt: skip
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")  # gzip, bzip2, xz
DAMAGED = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
    zlib.error,
    lzma.LZMAError,
)
ENCRYPTED = 1  # in the flags of a member


def members(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each member; a compressed file has one without a name."""
    for magic, kind in UNKNOWN.items():
        if data.startswith(magic):
            raise Unscannable(f"{kind} archives can't be scanned. Use zip or tar.gz")
    if zipfile.is_zipfile(BytesIO(data)):  # also after other content, such as a picture
        yield from _zip(data, budget)
    if data[257:262] == b"ustar":
        yield from _tar(data, budget)
    if data.startswith(COMPRESSED):
        yield from _compressed(data, budget)
    if data.startswith(b"%PDF"):
        for start in re.finditer(rb"stream\r?\n", data):
            yield "(stream)", inflate(data[start.end() : data.find(b"endstream", start.end())], budget)


def inflate(data: bytes, budget: Budget) -> bytes:
    """Return a zlib or gzip stream's content, as far as it is valid."""
    stream = zlib.decompressobj(wbits=47)
    try:
        content = stream.decompress(data, budget.left_bytes + 1)
    except zlib.error:
        return b""
    return budget.spend(content)


def _zip(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.flag_bits & ENCRYPTED:
                    raise Unscannable(f"{info.filename} is encrypted")
                with archive.open(info) as member:
                    yield info.filename, budget.spend(member.read(budget.left_bytes + 1))
    except DAMAGED as error:
        if data.startswith(b"PK"):
            raise Unscannable(f"the archive is damaged or unusual ({error})") from error


def _tar(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
            for info in archive:
                if info.issym() or info.islnk():
                    yield info.name, b""
                elif member := archive.extractfile(info):
                    yield info.name, budget.spend(member.read(budget.left_bytes + 1))
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        raise Unscannable(f"the archive is damaged or unusual ({error})") from error


def _compressed(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Yield the content of each stream of a gzip, bzip2 or xz file; what follows the last stream is ignored."""
    while data.startswith(COMPRESSED):
        stream = _decompressor(data, budget)
        try:
            content = stream.decompress(data, budget.left_bytes + 1)
        except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
            raise Unscannable(f"the compressed file is damaged or unusual ({error})") from error
        yield "", budget.spend(content)
        data = stream.unused_data


def _decompressor(data: bytes, budget: Budget) -> zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor:
    if data.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31)
    if data.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(memlimit=max(budget.left_bytes, 1))
