"""Decodes text files whose encoding isn't declared reliably."""

from __future__ import annotations

import codecs
import re
import unicodedata

from rag.documents import Note, NoteKind
from rag.errors import FileError, FileProblem
from rag.reading.formats.text.encodings import guess_encoding

# UTF-32 comes first: its little-endian byte order mark starts with the one of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SOFT_HYPHEN = "\u00ad"  # where a word may be broken; it isn't a part of the word
_UTF_16 = ("utf-16-le", "utf-16-be")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_ESCAPE = re.compile(rb"\x1b\$(?:[@AB]|[()][A-Z])")
_META_CHARSET = re.compile(
    rb"""<(?:meta\s[^>]{0,200}?charset|\?xml\s[^>]{0,200}?encoding)\s*+=\s*+["']?\s*+([\w.:-]+)""", re.I
)
# A page can name any of Python's codecs; only the character sets of documents are accepted.
_CHARACTER_SETS = re.compile(
    r"utf-8|ascii|iso8859-\d+|cp\d+|koi8-\w|mac-\w+|(shift_jis|euc_|gb|big5|iso2022_)\w*|tis-620|hz"
)


def decode(data: bytes, name: str, *, declared: str = "") -> str:
    """Return the characters of a text file without a byte order mark and otherwise unchanged."""
    return decode_with_notes(data, name, declared=declared)[0]


def decode_with_notes(data: bytes, name: str, *, declared: str = "") -> tuple[str, tuple[Note, ...]]:
    """Return the text of a file, and a note if other encodings are as likely."""
    notes: tuple[Note, ...] = ()
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = _try(data[len(mark) :], encoding)
            break
    else:
        # Text in another encoding is rarely valid UTF-8, whatever a page declares.
        text = None if data.isascii() else _try(data, "utf-8")
        if text is None and declared:
            text = _try(data, declared)
        if text is None:
            text = _utf_16(data) if b"\0" in data else _escaped(data) or _try(data, "utf-8")
        if text is None and b"\0" not in data:
            text, notes = _mixed(data) or _legacy(data)
    if text is None or len(_CONTROLS.findall(text)) > len(text) / 100 or "\0" in text:
        raise FileError(FileProblem.NOT_A_TEXT, name=name)
    return text.replace(SOFT_HYPHEN, ""), notes


def declared_encoding(data: bytes) -> str:
    """Return Python's name of the encoding that an HTML page declares near its top, or ""."""
    match = _META_CHARSET.search(data[:4096])
    return known_encoding(match[1].decode("ascii", "ignore")) if match else ""


def known_encoding(name: str) -> str:
    """Return Python's name of a character set of documents, or "" for another codec."""
    try:
        encoding = codecs.lookup(name).name
    except LookupError:
        return ""
    if encoding in ("iso8859-1", "ascii"):
        return "cp1252"  # as browsers do and the HTML standard says
    return encoding if _CHARACTER_SETS.fullmatch(encoding) else ""


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _escaped(data: bytes) -> str | None:
    """Decode an encoding of seven bits that changes between alphabets by escapes, or return None."""
    names = ("iso2022_jp_2", "iso2022_jp_3", "iso2022_kr") if _ESCAPE.search(data) else ()
    return next((text for name in names if (text := _try(data, name)) is not None), None)


def _utf_16(data: bytes) -> str | None:
    """Decode UTF-16 without a byte order mark, or return None: text in other encodings has no NUL."""
    if data.count(0) < len(data) / 4 and _try(data.replace(b"\0", b""), "utf-8") is not None:
        return None  # ordinary text with stray NULs, which would decode as Chinese
    texts = [text for encoding in _UTF_16 if (text := _try(data, encoding)) and _is_plausible(text[:100_000])]
    return max(texts, key=lambda text: sum(character < "\x80" for character in text[:100_000]), default=None)


def _is_plausible(text: str) -> bool:
    """Return whether all characters exist: with the wrong byte order, some of them are unassigned."""
    characters = set(text)
    return any(character < "\x80" for character in characters) and all(
        character in "\t\n\r\f\v" or unicodedata.category(character) not in ("Cc", "Cn", "Co")
        for character in characters
    )


def _mixed(data: bytes) -> tuple[str, tuple[Note, ...]] | None:
    """Decode UTF-8 with lines in another encoding, or with a few broken characters, each as U+FFFD; or return None."""
    lines = data.splitlines(keepends=True)
    broken = [line for line in lines if _try(line, "utf-8") is None]
    text = data.decode("utf-8", "replace")
    faults = text.count("\ufffd")
    intact = len(text) - len(text.encode("ascii", "ignore")) - faults
    guess = guess_encoding(b"".join(broken)) if faults <= intact and not any(map(_has_both, broken)) else None
    if guess:
        text = "".join(_try(line, "utf-8") or line.decode(guess.encoding, "replace") for line in lines)
    elif faults * 10 > intact:
        return None
    return text, (Note(NoteKind.ENCODING_UNSURE, places=("utf-8", guess.encoding if guess else "cp1252")),)


def _has_both(line: bytes) -> bool:
    """Return whether a line with broken characters has others in UTF-8: it was written in no other encoding."""
    text = line.decode("utf-8", "replace")
    return not text.replace("\ufffd", "").isascii()


def _legacy(data: bytes) -> tuple[str | None, tuple[Note, ...]]:
    """Decode a one-byte or East Asian encoding that is guessed from the characters."""
    guess = guess_encoding(data)
    if guess is None:
        return None, ()
    if not guess.alternatives:
        return _try(data, guess.encoding), ()
    return _try(data, guess.encoding), (
        Note(NoteKind.ENCODING_UNSURE, places=(guess.encoding, *guess.alternatives[:2])),
    )
