"""Finds the texts in a file's bytes, in every encoding and inside archives, notebooks and pictures."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from publishing.scan import archives, pictures
from publishing.scan.limits import MAX_DEPTH, Budget, Unscannable

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{32,}={0,2}")
_HOLDS_TEXTS = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"PK\3\4", b"\x1f\x8b", b"%PDF")
_DECODED = ("(JSON)", "(base64)", "(stream)")
_MANY_NULS = re.compile(rb"\0\0+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a file, with one character per byte; `part` names the member of an archive it is in.

    Line numbers count only in a text with `has_lines`: not in one that was decoded from JSON or base64.
    """

    part: str
    text: str
    has_lines: bool = True


def texts(data: bytes, budget: Budget | None = None, part: str = "", depth: int = 0) -> Iterator[Text]:
    """Yield the texts in a file; `Unscannable` if a part can't be read, or if unpacking exceeds the limits."""
    budget = budget or Budget()
    if depth > MAX_DEPTH:
        raise Unscannable(f"{part} is packed more than {MAX_DEPTH} times")
    # Members come first: a secret in a tar is also in the tar's own bytes, but the name of its file says more.
    for name, content in archives.members(data, budget):
        yield from texts(content, budget, f"{part}/{name}".strip("/"), depth + 1)
    for view in _views(data):
        yield Text(part, view.decode("latin-1"), has_lines=not part.endswith(_DECODED))
    for name, content in _decoded_parts(data, budget):
        yield from texts(content, budget, f"{part}/{name}".strip("/"), depth + 1)


def _views(data: bytes) -> Iterator[bytes]:
    """Yield the bytes without the NULs that UTF-16 and UTF-32 put between the characters of a secret.

    Secrets are ASCII in every service. That makes an encoding, a byte order or a mark at the start unimportant,
    and it finds them after binary data.
    """
    yield data
    if b"\0" in data:
        yield _MANY_NULS.sub(b" ", data).replace(b"\0", b"")
        yield data.replace(b"\0\0\0", b"\1").replace(b"\0", b" ").replace(b"\1", b"")
    if b"+AF8-" in data:  # an underscore in UTF-7
        yield data.decode("utf-7", "replace").encode("latin-1", "replace")


def _decoded_parts(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    for keyword, content in pictures.metadata(data, budget):
        yield f"({keyword})", content
    if strings := _json_strings(data):
        yield "(JSON)", budget.spend(strings)
    for match in _BASE64.finditer(data):
        if decoded := _decode(match[0]):
            yield "(base64)", budget.spend(decoded)


def _json_strings(data: bytes) -> bytes:
    """Return the strings of a JSON file that escapes characters; a list of strings is one, as in a notebook's cell."""
    if not (data[:100].lstrip()[:1] in (b"{", b"[") and b"\\" in data):
        return b""
    try:
        return "\n".join(_strings(json.loads(data))).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return b""  # its raw text is scanned


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            # A name and its value on one line, as rules expect them.
            yield f'"{name}": "{inner}"' if isinstance(inner, str) else f"{name}:"
            yield from _strings(inner)
    elif isinstance(value, list) and all(isinstance(inner, str) for inner in value):
        yield "".join(value)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _decode(encoded: bytes) -> bytes:
    """Return what base64 encodes if it is text, or a file that can hold texts: random bytes are neither."""
    digits = encoded.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        decoded = base64.b64decode(digits + b"=" * (-len(digits) % 4))
        if not decoded.startswith(_HOLDS_TEXTS):
            decoded.decode("utf-8")
    except ValueError:
        return b""
    return decoded
