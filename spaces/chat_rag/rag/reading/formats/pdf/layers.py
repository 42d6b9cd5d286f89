"""Layers of a PDF (optional content), of which some can be hidden when it's opened."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_OBJECT_STREAM = b"/ObjStm"
_HIDDEN = re.compile(rb"/OFF\s*+\[\s*+\d|State\s*+/OFF\b")
_LONGEST_DICTIONARY = 500  # bytes
MOST_BYTES = 64_000_000  # of all packed objects and what is in them: 0.2 s


def has_hidden_layers(data: bytes) -> bool:
    """Return whether a PDF has layers that may be hidden; PDFium returns their words all the same.

    They may be in a file whose packed objects are too large to look into, too.
    """
    has_layers = is_hidden = False
    for part in _parts(data):
        has_layers = has_layers or part is None or b"/OCProperties" in part
        is_hidden = is_hidden or part is None or (b"/OFF" in part and bool(_HIDDEN.search(part)))
        if has_layers and is_hidden:
            return True
    return False


def _parts(data: bytes) -> Iterator[bytes | None]:
    """Yield the file, and what is inside of its packed objects; None if they are too large."""
    yield data
    place, previous, budget = -1, 0, MOST_BYTES
    while (place := data.find(_OBJECT_STREAM, place + 1)) >= 0:
        start = data.find(b"stream", place, place + _LONGEST_DICTIONARY)
        if start <= previous:  # it has none, or was unpacked before
            continue
        previous = start
        start += len(b"stream") + (2 if data.startswith(b"\r\n", start + len(b"stream")) else 1)
        end = data.find(b"endstream", start, start + budget)
        packed = memoryview(data)[start : end if end >= 0 else start + budget]
        try:
            part = zlib.decompressobj().decompress(packed, budget)
        except zlib.error:
            part = b""
        yield part
        budget -= len(packed) + len(part)
        if budget <= 0:
            yield None
            return
