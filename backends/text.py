"""Compact JSON, and text from a server as one printable line."""

from __future__ import annotations

import json

# One encoder for all chunks: `json.dumps` with these arguments would create one for each call.
to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def one_line(text: str) -> str:
    """`text` for an error message: one line without control characters, at most 300 characters.

    It loses the period of its last sentence: the message quotes it and has its own.
    """
    # A surrogate, which JSON can contain, can't be encoded; an escape sequence would change a terminal's colours.
    printable = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    line = " ".join(printable.split())[:300]
    return line if line.endswith("..") else line.removesuffix(".")
