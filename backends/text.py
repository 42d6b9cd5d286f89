"""Compact JSON, and a server's words as one printable line."""

from __future__ import annotations

import json

# One encoder for all chunks: `json.dumps` with these arguments would make one for each call.
to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def one_line(text: str) -> str:
    """A server's words for a message: one line without control characters, at most 300 characters."""
    # Half a surrogate pair, which JSON can spell, could not be written anywhere; an escape would paint a terminal.
    shown = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    return " ".join(shown.split())[:300]
