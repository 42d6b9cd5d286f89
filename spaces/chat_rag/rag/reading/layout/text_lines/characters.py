"""Characters of a PDF that PDFium returns as codes of their font, or in two parts."""

from __future__ import annotations

import re

UNKNOWN = "\0"  # a letter whose font doesn't say which one it is
_NOTHING = "\x01"  # is left out of the text
_ODD = re.compile("[\x01\x03-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]|\r(?!\n)")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
# The places of ligatures in TeX's old and new encodings; fonts of bitmaps have no names for their letters.
_LIGATURES = dict(zip(map(chr, (*range(0x0B, 0x10), *range(0x1B, 0x20))), "ﬀﬁﬂﬃﬄ" * 2, strict=True))
_LIGATURE = re.compile("(?<=[A-Za-z])(?:[\x0b\x0c\x0e\x0f\x1b-\x1f]|\r(?!\n))|[\x0b-\x0f\x1b-\x1f](?=[a-z])")
_IN_WORD = re.compile(r"(?<=[^\W_])[\x01\x03-\x08\x10-\x1a\x7f]|[\x01\x03-\x08\x10-\x1a\x7f](?=[^\W_])")


def known_characters(text: str) -> str:
    """Return a page's text of the same length, without halves of characters and with its ligatures.

    A letter that isn't known is `UNKNOWN`.
    """
    if not _ODD.search(text):
        return text
    text = _IN_WORD.sub(UNKNOWN, _LIGATURE.sub(lambda code: _LIGATURES[code[0]], text))
    return _LONE.sub(UNKNOWN, _PAIR.sub(_whole, text))


def _whole(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16") + _NOTHING
