"""From bytes to characters, without a declared encoding to trust."""

from __future__ import annotations

import codecs
import re
import unicodedata

from rag.errors import DocumentError

# UTF-32 stands first, because its little-endian mark begins with the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ("utf-16-le", "utf-16-be")
_NOT_LEGACY = ["utf_7", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"]
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_META_CHARSET = re.compile(
    rb"""<(?:meta\s[^>]{0,200}?charset|\?xml\s[^>]{0,200}?encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I
)
# A page may name any codec of Python; only those that are character sets of documents are followed.
_CHARACTER_SETS = re.compile(
    r"utf-8|ascii|iso8859-\d+|cp\d+|koi8-\w|mac-\w+|(shift_jis|euc_|gb|big5|iso2022_)\w*|tis-620|hz"
)


def decode(data: bytes, name: str, *, declared: str = "") -> str:
    """The characters of a text file, a byte order mark dropped and nothing else changed."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _try(data[len(mark) :], encoding)
            break
    else:
        text = _try(data, declared) if declared else None
        if text is None:
            text = _wide(data) if b"\0" in data else _try(data, "utf-8") or _torn(data) or _legacy(data)
    if text is None or len(_CONTROLS.findall(text)) > len(text) / 100 or "\0" in text:
        raise DocumentError(
            f"“{name}” is not a text file: it holds binary data, or characters in an unknown encoding.",
            "Save it as UTF-8 text, or give it the extension of what it really holds.",
        )
    return text


def declared_encoding(data: bytes) -> str:
    """The encoding that an HTML page declares near its top, as Python names it, or ""."""
    match = _META_CHARSET.search(data[:4096])
    if not match:
        return ""
    try:
        found = codecs.lookup(match[1].decode("ascii", "ignore")).name
    except LookupError:
        return ""
    if found in ("iso8859-1", "ascii"):
        return "cp1252"  # what browsers do, as the HTML standard says
    return found if _CHARACTER_SETS.fullmatch(found) else ""


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, or None: text in any other encoding holds no NUL."""
    if data.count(0) < len(data) / 4 and _try(data.replace(b"\0", b""), "utf-8") is not None:
        return None  # ordinary text with stray NULs, which would pass as Chinese
    texts = [text for encoding in _WIDE if (text := _try(data, encoding)) and _is_written(text[:100_000])]
    return max(texts, key=lambda text: sum(character < "\x80" for character in text[:100_000]), default=None)


def _is_written(text: str) -> bool:
    """Whether people write such characters: the wrong byte order soon gives some that do not exist."""
    characters = set(text)
    return any(character < "\x80" for character in characters) and all(
        character in "\t\n\r\f\v" or unicodedata.category(character) not in ("Cc", "Cn", "Co")
        for character in characters
    )


def _torn(data: bytes) -> str | None:
    """UTF-8 with a few broken characters, each replaced by U+FFFD: other encodings rarely form valid ones."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    sound = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text if broken * 10 <= sound else None


def _legacy(data: bytes) -> str | None:
    """A one-byte or East Asian encoding, guessed from its characters."""
    from charset_normalizer import from_bytes

    matches = from_bytes(data, cp_exclusion=_NOT_LEGACY)
    best = matches.best()
    if best is None:
        return None
    # Western European text is as likely in cp1250 by the library's measure, and cp1250 comes first by name.
    for match in matches:
        likely = match.chaos <= best.chaos and match.coherence >= best.coherence - 0.05
        if likely and "cp1252" in match.could_be_from_charset:
            return _try(data, "cp1252") or str(best)
    return str(best)
