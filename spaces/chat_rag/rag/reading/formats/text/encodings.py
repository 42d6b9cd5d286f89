"""Finds the encoding of a text that isn't Unicode: chardet's candidates, ordered by what they decode to.

chardet compares pairs of letters with those of many languages, which says little about a text with a few accents or
typographic marks. In the wrong encoding such a text shows marks inside words, capitals after small letters, or two
scripts in one word. `benchmarks/reading/encoding_detection.py` measures both parts together.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import NamedTuple

# The encodings that text files have. Others of chardet's 80 are as rare as they are easy to confuse with these.
_LATIN = ["ascii", "cp1252", "cp1250", "cp1254", "cp1257", "cp1258", "cp850", "cp852", "mac-roman"]
_ISO = ["iso8859-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-15"]
_OTHER_ALPHABETS = ["cp1251", "koi8-r", "koi8-u", "cp866", "cp437", "cp1253", "cp1255", "cp1256", "cp874"]
_EAST_ASIAN = ["cp932", "shift_jis_2004", "euc_jis_2004", "iso2022_jp_2", "gb18030", "big5hkscs", "cp949"]
_SUPERSETS = {  # as browsers decode them
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "shift_jis_2004": "cp932",
    "shift_jisx0213": "cp932",
}
_SAMPLE_BYTES = 100_000
_CANDIDATES = 12
_PLACES = re.compile(r"(?s)(?<=(.))?([^\x00-\x7f])(?=(.))?")
_MARKS = frozenset("©®™°§€£¥¢±×÷½¼¾²³¹µ•…–—†‡·¶№′″‰\xa0\u3000")
_QUOTES = frozenset("“”„‘’‚«»‹›¿¡")
_FAULT = 1.0
_MARGIN = 0.1  # faults per character by which candidates differ before chardet's order counts
_DOUBT = 0.4  # and by which another encoding remains possible
_RARE = 0.2  # faults of what is rare: Vietnamese, and texts of old Macs that could be DOS texts as well
_ENOUGH_CHARACTERS = 12  # beyond ASCII; texts with more of them were nearly always decoded right


class Guess(NamedTuple):
    """An encoding, and others that decode a text with little evidence to other characters as plausibly."""

    encoding: str
    alternatives: tuple[str, ...] = ()


def guess_encoding(data: bytes) -> Guess | None:
    """Return the likeliest encoding of a text that isn't Unicode, or None if none decodes it."""
    samples = {name: text for name in _candidates(data[:_SAMPLE_BYTES]) if (text := _decoded_sample(data, name))}
    if not samples:
        return None
    faults = {name: _faults(text) for name, text in samples.items()}
    for name, usual in (("cp1258", "cp1258"), ("mac-roman", "cp850")):
        if name in faults and faults.get(usual, float("inf")) <= faults[name]:
            faults[name] += _RARE
    fewest = min(faults.values())
    best = next(name for name in samples if faults[name] <= fewest + _MARGIN)
    text = data.decode(best)
    if len(text) - len(text.encode("ascii", "ignore")) >= _ENOUGH_CHARACTERS:
        return Guess(best)
    likely = [name for name in samples if faults[name] <= fewest + _DOUBT]
    return Guess(best, tuple(name for name in likely if data.decode(name) != text))


def _candidates(sample: bytes) -> list[str]:
    """Return chardet's best candidates; cp1252 is always one of them."""
    import chardet

    results = chardet.detect_all(
        sample,
        ignore_threshold=True,
        compat_names=False,
        include_encodings=[*_LATIN, *_ISO, *_OTHER_ALPHABETS, *_EAST_ASIAN],
        no_match_encoding="cp1252",
        max_bytes=_SAMPLE_BYTES,
    )
    names = [
        _SUPERSETS.get(str(result["encoding"]), str(result["encoding"])) for result in results if result["encoding"]
    ]
    return list(dict.fromkeys([*names[:_CANDIDATES], "cp1252"]))


def _decoded_sample(data: bytes, encoding: str) -> str | None:
    """Return the beginning of the text, or None if the encoding doesn't decode all of it."""
    try:
        return data.decode(encoding)[:_SAMPLE_BYTES]
    except (UnicodeError, LookupError):
        return None


def _faults(text: str) -> float:
    """Return the faults per character beyond ASCII."""
    places = Counter((match[1] or " ", match[2], match[3] or " ") for match in _PLACES.finditer(text))
    return sum(count * _fault(*place) for place, count in places.items()) / max(1, places.total())


def _fault(before: str, character: str, after: str) -> float:
    category = unicodedata.category(character)
    if category in ("Cc", "Cn", "Co", "Cs"):
        return 4 * _FAULT
    if category[0] == "L":
        return _letter_fault(before, character, after)
    if category[0] == "M":
        return 0.0 if before.isalpha() or unicodedata.category(before)[0] == "M" else _FAULT
    inside_word = before.isalpha() and after.isalpha()
    if "\u2500" <= character <= "\u259f":
        return _FAULT if before.isalpha() or after.isalpha() else 0.0
    if inside_word and character not in "’·—–…":
        return 2 * _FAULT if _script(before) == _script(after) == "LATIN" or character in _MARKS else _FAULT
    if character in _QUOTES:
        return 0.5 * _FAULT if before.isalnum() and after.isalnum() and character != "’" else 0.0
    return 0.0 if character in _MARKS or _script(character) in ("CJK", "IDEOGRAPHIC", "FULLWIDTH") else 0.5 * _FAULT


def _letter_fault(before: str, character: str, after: str) -> float:
    if character == "ƒ":  # a sign, which is in the place of ü in others' tables
        return 2 * _FAULT if before.isalpha() or after.isalpha() else 0.0
    if character in "ªº":
        return 0.0 if before.isdigit() or before in "nN" else _FAULT
    neighbours = [_script(neighbour) for neighbour in (before, after) if neighbour.isalpha()]
    script = _script(character)
    if character.isupper() and before.islower():
        return 2 * _FAULT
    if before == character == after or (not neighbours and script != "CJK"):
        return 0.5 * _FAULT  # a line of box characters, or a sign that stands alone
    if script in ("LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC"):
        return 2 * _FAULT if any(neighbour != script for neighbour in neighbours) else 0.0
    return 2 * _FAULT if neighbours == ["LATIN", "LATIN"] else 0.0


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "").split(" ")[0]
