"""Finds packed parts of a PDF that are damaged: PDFium reads them up to the damage, and says nothing."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n")
_LONGEST_DICTIONARY = 2_000  # bytes
_OTHER_FILTERS = (b"ASCII85", b"ASCIIHex", b"LZW", b"RunLength", b"/Image")  # a picture has no text
_MOST_BYTES = 64_000_000  # that are unpacked in all: a quarter of a second
_PIECE = 1_000_000


def damaged_parts(data: bytes) -> int:
    """Return how many parts that may have text can't be unpacked to their end; an encrypted file isn't looked at.

    A part whose checksum is wrong or missing is complete.
    """
    if b"/Encrypt" in data:
        return 0
    count, room = 0, _MOST_BYTES
    for start in _STREAM.finditer(data):
        if room > 0 and _is_deflated(data, start.start()):
            is_damaged, size = _unpack(data, start.end(), room)
            count, room = count + is_damaged, room - size
    return count


def _is_deflated(data: bytes, position: int) -> bool:
    before = data[max(0, position - _LONGEST_DICTIONARY) : position]
    dictionary = before[before.rfind(b" obj") + 1 :]
    if not dictionary.rstrip().endswith(b">>") or b"FlateDecode" not in dictionary:
        return False
    return not any(name in dictionary for name in _OTHER_FILTERS)


def _unpack(data: bytes, start: int, room: int) -> tuple[bool, int]:
    """Return whether a stream is damaged, and how many bytes of it were unpacked."""
    unpacker, size = zlib.decompressobj(), 0
    piece = memoryview(data)[start : start + _PIECE]
    rest: bytes | memoryview = piece
    try:
        while rest and not unpacker.eof and size < room:
            size += len(unpacker.decompress(rest, _PIECE))
            rest = unpacker.unconsumed_tail
    except zlib.error as error:
        return "incorrect data check" not in str(error), size
    return False, size
