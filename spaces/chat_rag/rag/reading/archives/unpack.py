"""Unpacks single files of a ZIP archive, with as much disk and memory as the limits allow."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from rag.errors import DocumentError
from rag.reading.archives.listing import Entry

_HEADER = Struct("<4s22xHH")  # signature, lengths of the name and of the extra field
_SIGNATURE = b"PK\x03\x04"
_CHUNK = 1 << 16


def unpack(archive: Path, entry: Entry, target: Path) -> None:
    """Write one file of an archive to a new file; raise `DocumentError` if it isn't what the table of contents says.

    Not with `zipfile`, which reads the whole table of contents first: that is done in a reader process.
    """
    size = checksum = 0
    try:
        with archive.open("rb") as source, open(target, "xb", opener=_open_for_owner) as file:
            for data in _unpacked(source, entry):
                size += len(data)
                checksum = zlib.crc32(data, checksum)
                if size > entry.bytes:
                    break
                file.write(data)
    except (OSError, zlib.error, ValueError) as error:
        raise _damaged(entry) from error
    if (size, checksum) != (entry.bytes, entry.checksum):
        raise _damaged(entry)


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _unpacked(source: BinaryIO, entry: Entry) -> Iterator[bytes]:
    source.seek(entry.offset)
    signature, name_length, extra_length = _HEADER.unpack(source.read(_HEADER.size))
    if signature != _SIGNATURE:
        raise ValueError("no file starts here")
    source.seek(name_length + extra_length, 1)
    left = entry.compressed_bytes
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS) if entry.deflated else None
    while left and (data := source.read(min(_CHUNK, left))):
        left -= len(data)
        if decompressor is None:
            yield data
            continue
        while data:
            yield decompressor.decompress(data, _CHUNK)
            data = decompressor.unconsumed_tail
    if decompressor:
        yield decompressor.flush()


def _damaged(entry: Entry) -> DocumentError:
    return DocumentError(f"“{entry.name}” is damaged in its archive.", "Pack it again, and upload that archive.")
