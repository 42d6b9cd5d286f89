"""Reads RTF documents: text with its tables, headings, notes, headers and footers, as its reader sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rag.documents import Content, Limits, Note, NoteKind
from rag.reading.formats.rich_text.blocks import CellDefinition, Story, table_cells
from rag.reading.formats.rich_text.words import (
    BACKGROUNDS,
    CHARACTERS,
    CHARSETS,
    FOOTERS,
    HEADERS,
    LEFT_OUT,
    NOTES,
    TEXT_GROUPS,
    known_codec,
)
from rag.reading.markdown.content_writer import ContentWriter
from rag.reading.markdown.superscripts import mark_superscript

_TOKENS = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL
)
_MAX_DEPTH = 1_000
_WHITE = 3 * 255


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds until the end of a group of the file."""

    # "text", "header", "footer", "footnote", "annotation", "fonttbl", "colortbl", or "" for no text
    place: str = "text"
    hidden: bool = False
    deleted: bool = False
    raised: bool = False
    color: int = 0
    has_background: bool = False
    font: int = -1
    fallback: int = 1  # how many characters stand for a \u character in programs that don't know it


def read_rich_text(data: bytes, name: str, limits: Limits) -> Content:
    """Return paragraphs, headings and tables; page headers come first, footers, notes and comments last."""
    reader = _Reader(data.decode("latin-1"))
    reader.read()
    writer = ContentWriter(name, limits)
    for place in ("header", "text", "footnote", "annotation", "footer"):
        seen: set[str] = set()
        for block in reader.stories[place].blocks:
            if not isinstance(block, str):
                writer.add_table(table_cells(block))
            elif place == "text" or block not in seen:
                writer.add_block(f"Comment: {block}" if place == "annotation" else block)
                seen.add(block)
    writer.note_hidden(reader.hidden)
    if reader.is_cut:
        writer.notes.append(Note(NoteKind.DAMAGED_PARTS))
    return writer.content()


class _Reader:
    """Goes through the tokens of a file, and collects the blocks of its stories."""

    def __init__(self, source: str) -> None:
        self.stories = {place: Story() for place in ("text", "header", "footer", *NOTES)}
        self.hidden = 0
        self.is_cut = False  # the file ends before its groups do
        self._source = source
        self._group, self._groups = _Group(), list[_Group]()
        self._fonts: dict[int, str] = {}
        self._colors: list[int] = []  # each is the sum of its red, green and blue
        self._color = 0
        self._codec, self._default_font = "cp1252", -1
        self._bytes = bytearray()
        self._skip = 0  # characters that stand for a \u character
        self._is_optional = False  # after \*
        self._definitions: list[CellDefinition] = []
        self._flags = CellDefinition()
        self._is_header_row = self._was_hidden = False
        self._notes = 0

    def read(self) -> None:
        position = 0
        while match := _TOKENS.match(self._source, position):
            position = match.end()
            word, number, code, symbol, brace, text = match.groups()
            if text or code:
                self._add_bytes(bytes.fromhex(code) if code else text.encode("latin-1"))
                continue
            self._end_bytes()
            if word == "bin":
                position += max(int(number or 0), 0)
            elif word:
                self._word(word, int(number) if number else None)
            elif brace == "{":
                self._open()
            elif brace:
                self._close()
            elif symbol:
                self._symbol(symbol)
        self._end_bytes()
        self.is_cut = len(self._groups) > 1 or bool(self._group.place)
        for story in self.stories.values():
            story.end()

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._is_optional = True
        elif symbol in "\r\n":
            self._word("par", None)
        else:
            self._add(CHARACTERS.get(symbol, ""))

    def _open(self) -> None:
        if len(self._groups) > _MAX_DEPTH:
            raise RecursionError(f"groups are nested more than {_MAX_DEPTH} deep")
        self._groups.append(self._group)
        self._skip, self._is_optional = 0, False

    def _close(self) -> None:
        ended = self._group
        self._group = self._groups.pop() if len(self._groups) > 1 else _Group(place="")
        if ended.place and ended.place in self.stories and ended.place != self._group.place:
            self.stories[ended.place].end_paragraph()
        self._skip = 0

    def _add_bytes(self, data: bytes) -> None:
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._bytes += data[skipped:]

    def _end_bytes(self) -> None:
        if self._bytes:
            font = self._default_font if self._group.font < 0 else self._group.font
            self._add(self._bytes.decode(self._fonts.get(font, self._codec), "replace"))
            self._bytes.clear()

    def _add(self, text: str) -> None:
        group = self._group
        if group.place == "colortbl":
            for _ in range(text.count(";")):
                self._colors.append(self._color)
                self._color = 0
        if group.place not in self.stories or group.deleted or not text:
            return
        is_hidden = group.hidden or self._is_white(group)
        if is_hidden:
            self.hidden += bool(text.strip()) and not self._was_hidden
        else:
            self.stories[group.place].parts.append(mark_superscript(text) if group.raised else text)
        self._was_hidden = is_hidden and (self._was_hidden or bool(text.strip()))

    def _is_white(self, group: _Group) -> bool:
        """Return whether text is white on a page that is white; the cells of a table can have another color."""
        is_white = 0 < group.color < len(self._colors) and self._colors[group.color] == _WHITE
        return is_white and not group.has_background and not self.stories[group.place].in_table

    def _word(self, word: str, number: int | None) -> None:
        is_optional, self._is_optional = self._is_optional, False
        place = self._group.place
        if self._skip and word != "u":
            self._skip -= 1
        if word in LEFT_OUT or (is_optional and word not in TEXT_GROUPS):
            self._group = replace(self._group, place="")
        elif place and word in (*HEADERS, *FOOTERS, *NOTES, "fonttbl", "colortbl"):
            self._group = replace(self._group, place=word[:6] if word[:6] in ("header", "footer") else word)
        elif place == "fonttbl":
            self._font_word(word, number)
        elif place == "colortbl":
            self._color += (number or 0) if word in ("red", "green", "blue") else 0
        elif word in CHARACTERS:
            self._add(CHARACTERS[word])
        elif not self._character_word(word, number) and place:
            self._paragraph_word(word, number, self.stories[place])

    def _font_word(self, word: str, number: int | None) -> None:
        if word == "f":
            self._group = replace(self._group, font=number or 0)
        elif word == "fcharset" and number in CHARSETS:
            self._fonts[self._group.font] = CHARSETS[number]

    def _character_word(self, word: str, number: int | None) -> bool:
        """Apply a word about characters; return whether it is one."""
        group = self._group
        if word == "u":
            self._add(chr((number or 0) % 0x10000))
            self._skip = group.fallback
        elif word == "uc":
            self._group = replace(group, fallback=max(number or 0, 0))
        elif word == "f":
            self._group = replace(group, font=number or 0)
        elif word == "cf":
            self._group = replace(group, color=number or 0)
        elif word in BACKGROUNDS:
            self._group = replace(group, has_background=bool(number))
        elif word == "plain":
            self._group = replace(
                group, hidden=False, deleted=False, raised=False, font=-1, color=0, has_background=False
            )
        elif word in ("super", "nosupersub"):
            self._group = replace(group, raised=word == "super" and number != 0)
        elif word == "v":
            self._group = replace(group, hidden=number != 0)
        elif word == "deleted":
            self._group = replace(group, deleted=number != 0)
        elif word == "deff":
            self._default_font = number or 0
        elif word in ("ansicpg", "mac", "pc", "pca"):
            self._codec = known_codec({"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}.get(word, f"cp{number}"))
        elif word == "chftn":
            self._notes += group.place == "text"
            self._add(f"[{self._notes}]")
        else:
            return False
        return True

    def _paragraph_word(self, word: str, number: int | None, story: Story) -> None:
        if word in ("par", "sect", "page"):
            story.end_paragraph()
        elif word == "pard":
            story.in_table, story.level = False, 0
        elif word == "intbl":
            story.in_table = True
        elif word == "outlinelevel" and number is not None and 0 <= number < 6:
            story.level = number + 1
        elif word == "cell":
            story.end_cell()
        elif word == "row":
            story.end_row(self._definitions, self._is_header_row)
        else:
            self._row_word(word, number or 0)

    def _row_word(self, word: str, number: int) -> None:
        if word == "trowd":
            self._definitions, self._flags, self._is_header_row = [], CellDefinition(), False
        elif word == "trhdr":
            self._is_header_row = True
        elif word == "clmrg":
            self._flags = replace(self._flags, joins_left=True)
        elif word == "clvmrg":
            self._flags = replace(self._flags, joins_above=True)
        elif word == "cellx":
            self._definitions.append(replace(self._flags, right=number))
            self._flags = CellDefinition()
