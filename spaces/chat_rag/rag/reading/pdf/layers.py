"""Layers of a PDF (optional content), of which some can be hidden when it's opened."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_OBJECT_STREAM = b"/ObjStm"
_HIDDEN = re.compile(rb"/OFF\s*+\[\s*+\d|State\s*+/OFF\b")
_LONGEST_DICTIONARY = 500  # bytes
_MOST_UNPACKED = 2_000_000  # of an object stream; they have some hundred objects
_MOST_STREAMS = 10_000


def has_hidden_layers(data: bytes) -> bool:
    """Return whether a PDF has layers that may be hidden; PDFium returns their words all the same."""
    has_layers = is_hidden = False
    for part in _parts(data):
        has_layers = has_layers or b"/OCProperties" in part
        is_hidden = is_hidden or (b"/OFF" in part and bool(_HIDDEN.search(part)))
        if has_layers and is_hidden:
            return True
    return False


def _parts(data: bytes) -> Iterator[bytes]:
    """Yield the file, and what is inside of its packed objects."""
    yield data
    place = -1
    for _ in range(_MOST_STREAMS):
        if (place := data.find(_OBJECT_STREAM, place + 1)) < 0:
            return
        start = data.find(b"stream", place, place + _LONGEST_DICTIONARY)
        if start < 0:
            continue
        start += len(b"stream") + (2 if data.startswith(b"\r\n", start + len(b"stream")) else 1)
        try:
            yield zlib.decompressobj().decompress(memoryview(data)[start : start + _MOST_UNPACKED], _MOST_UNPACKED)
        except zlib.error:
            continue
