"""Unpacks the metadata of PNG pictures; other formats, EXIF and XMP hold their text as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from publishing.scan.archives import inflate
from publishing.scan.limits import Budget

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def metadata(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Yield keyword and content of each compressed text and profile of a PNG."""
    position = len(SIGNATURE) if data.startswith(SIGNATURE) else len(data)
    while position + 8 <= len(data):
        size, kind = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        chunk = data[position + 8 : position + 8 + size]
        position += size + 12
        if kind in (b"zTXt", b"iTXt", b"iCCP"):
            keyword, _, rest = chunk.partition(b"\0")
            content = _content(kind, rest, budget)
            yield keyword.decode("latin-1"), _from_hex(content) if keyword.startswith(b"Raw profile") else content


def _content(kind: bytes, rest: bytes, budget: Budget) -> bytes:
    """Return a chunk's text; an iTXt has two flags, a language and a translated keyword before it."""
    if kind != b"iTXt":
        return inflate(rest[1:], budget)
    text = rest[2:].split(b"\0", 2)[-1]
    return inflate(text, budget) if rest[:1] == b"\1" else text


def _from_hex(content: bytes) -> bytes:
    """Return a profile that ImageMagick wrote as hexadecimal digits below its name and length."""
    digits = b"".join(content.split()[2:])
    return bytes.fromhex(digits.decode()) if re.fullmatch(rb"(?:[0-9a-fA-F]{2})+", digits) else content
