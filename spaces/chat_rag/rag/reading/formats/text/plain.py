"""Reads text files: plain text, Markdown, JSON and XML."""

from __future__ import annotations

import re
from dataclasses import replace

from rag.documents import Content, Limits, Note, NoteKind
from rag.reading.formats.html.markdown import add_html
from rag.reading.formats.pdf.hyphens import HYPHEN, resolve_hyphens
from rag.reading.formats.text.decode import declared_encoding, decode_with_notes
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.markdown.find_tables import find_markdown_tables

# Colors and links of a terminal.
TERMINAL = re.compile(r"\x1b(?:\[[0-9;:?]{0,30}[A-Za-z]|\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\))")
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|.)", re.DOTALL
)
_TYPOGRAPHIC_HYPHEN = "\u2010"
_BROKEN_WORD = re.compile(rf"(?<=\w){_TYPOGRAPHIC_HYPHEN}\r?\n[ \t]*+(?=\w)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# A block of code, or a table in HTML.
_HTML_TABLE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]* *$|\Z)"
    r"|^ {0,3}(?P<table><table\b(?:(?!</?table\b).)*</table>)",
    re.MULTILINE | re.IGNORECASE | re.DOTALL,
)


def read_text(data: bytes, name: str, limits: Limits) -> Content:
    """Return the characters of a text file."""
    text, notes = decode_with_notes(data, name)
    return Content(_join_words(TERMINAL.sub("", text) if "\x1b" in text else text), notes=notes)


def _join_words(text: str) -> str:
    """Return a text without the typographic hyphens at which a program, such as man, broke words."""
    if _TYPOGRAPHIC_HYPHEN not in text:
        return text
    (joined,), _ = resolve_hyphens([_BROKEN_WORD.sub(HYPHEN, text)])
    return joined


def read_json(data: bytes, name: str, limits: Limits) -> Content:
    r"""Return a JSON file, or one with an object in each line, as it is, but with å for \u00e5."""
    content = read_text(data, name, limits)
    return replace(content, text=_with_letters(content.text)) if "\\u" in content.text else content


def read_markdown(data: bytes, name: str, limits: Limits) -> Content:
    """Return the characters of a Markdown file without its comments, which nobody sees, and its tables."""
    content = read_text(data, name, limits)
    text, hidden = _without_comments(content.text) if "<!--" in content.text else (content.text, 0)
    notes = (*content.notes, Note(NoteKind.HIDDEN_TEXT, hidden)) if hidden else content.notes
    if "<table" in text:
        text = _HTML_TABLE.sub(
            lambda part: _as_markdown(part["table"], name, limits) if part["table"] else part[0], text
        )
    return replace(content, text=text, tables=find_markdown_tables(text), notes=notes)


def _as_markdown(table: str, name: str, limits: Limits) -> str:
    """Return a table in HTML as one in Markdown."""
    writer = ContentWriter(name, limits)
    add_html(writer, table)
    return writer.content().text


def read_xml(data: bytes, name: str, limits: Limits) -> Content:
    """Return an XML file as it is, in the encoding that it declares; its tags are the names of its values."""
    text, notes = decode_with_notes(data, name, declared=declared_encoding(data))
    return Content(text, notes=notes)


def _with_letters(text: str) -> str:
    """Return JSON with characters for their escapes, except those that a string can't contain as they are."""

    def character(match: re.Match[str]) -> str:
        high, low, single = (int(digits, 16) if digits else 0 for digits in match.groups())
        if high:  # two escapes of UTF-16 are one character
            return chr(0x10000 + (high - 0xD800 << 10) + low - 0xDC00)
        return chr(single) if single >= 0xA0 and not 0xD800 <= single < 0xE000 else match[0]

    return _ESCAPE.sub(character, text)


def _without_comments(text: str) -> tuple[str, int]:
    """Return Markdown without the comments outside of code, and their number."""
    kept: list[str] = []
    fence, hidden, position, end, has_end = "", 0, 0, 0, True
    while position < len(text):
        if position >= end:  # a line can have thousands of comments, and its end is looked for once
            end = text.find("\n", position) + 1 or len(text)
        marks = _FENCE.match(text, position, end)
        if marks and (not fence or (marks[1].startswith(fence) and not text[marks.end() : end].strip())):
            fence = "" if fence else marks[1]
        start = -1 if fence else text.find("<!--", position, end)
        is_comment = start >= 0 and text.count("`", position, start) % 2 == 0
        close = text.find("-->", start) if is_comment and has_end else -1
        has_end = has_end and (close >= 0 or not is_comment)
        if close < 0:
            kept.append(text[position:end])
            position = end
            continue
        kept.append(text[position:start])
        hidden += bool(text[start + 4 : close].strip())
        position = close + 3
    return "".join(kept), hidden
