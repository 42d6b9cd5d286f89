"""Reads reStructuredText files: headings as in Markdown, tables as structure, the rest as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.documents import Content, Limits
from rag.reading.formats.restructured_text.directives import table_cells
from rag.reading.formats.restructured_text.drawn_tables import GRID_BORDER, SIMPLE_BORDER, grid_table, simple_table
from rag.reading.formats.text.decode import decode_with_notes
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.content_writer import ContentWriter

_UNDERLINE = re.compile(r"([!-/:-@[-`{-~])\1+")
_TABLE = re.compile(r"\.\. (table|list-table|csv-table)::(?: +(.*))?")
# What begins with two points and isn't a directive, a target, a footnote or a substitution.
_COMMENT = re.compile(r"\.\.(?: +(?!_|\[|\||\w[\w:+.-]*::).*)?")
_TARGET = re.compile(r"\.\. _.*:.*|__ .*")
_MAX_HEADING = 6


def read_restructured(data: bytes, name: str, limits: Limits) -> Content:
    """Return the text without its comments and targets of links, which nobody sees."""
    text, notes = decode_with_notes(data, name)
    reader = _Reader(text.expandtabs(8).splitlines(), ContentWriter(name, limits))
    reader.read()
    reader.writer.notes += notes
    return reader.writer.content()


class _Reader:
    """Goes through the lines of a text, and writes a block for each heading, each table and what is between them."""

    def __init__(self, lines: list[str], writer: ContentWriter) -> None:
        self.writer = writer
        self._lines, self._position = lines, 0
        self._block: list[str] = []
        self._levels: list[str] = []  # the marks of headings, in the order in which they appear

    def read(self) -> None:
        while self._position < len(self._lines):
            if not (self._heading() or self._table() or self._comment()):
                self._block.append(self._lines[self._position].rstrip())
                self._position += 1
        self._end_block()

    def _line(self, ahead: int = 0) -> str:
        position = self._position + ahead
        return self._lines[position].rstrip() if 0 <= position < len(self._lines) else ""

    def _end_block(self) -> None:
        self.writer.add_block("\n".join(self._block))
        self._block.clear()

    def _heading(self) -> bool:
        has_overline = bool(_UNDERLINE.fullmatch(self._line())) and self._line(2) == self._line()
        title, underline = self._line(has_overline), self._line(1 + has_overline)
        if not title.strip() or (title[0] == " " and not has_overline) or not _UNDERLINE.fullmatch(underline):
            return False
        if self._line(-1) or len(underline) < min(len(title.strip()), 4) or _UNDERLINE.fullmatch(title):
            return False
        mark = underline[0] * (1 + has_overline)
        if mark not in self._levels:
            self._levels.append(mark)
        self._end_block()
        self.writer.add_block(f"{'#' * min(self._levels.index(mark) + 1, _MAX_HEADING)} {title.strip()}")
        self._position += 2 + has_overline
        return True

    def _table(self) -> bool:
        line = self._line().strip()
        if match := _TABLE.fullmatch(line):
            below = self._indented(1)
            length, caption, body = 1 + len(below), match[2] or "", _without_indent(below)
            cells = table_cells(match[1], body) if match[1] != "table" else _drawn_table(_from_border(body))
        elif _is_border(line) and not self._line(-1):
            rows = self._drawn_lines()
            length, caption, cells = len(rows), "", _drawn_table(rows)
        else:
            return False
        if not any(cell.text for cell in cells):
            return False
        self._end_block()
        self.writer.add_table(cells, caption.strip())
        self._position += length
        return True

    def _drawn_lines(self) -> list[str]:
        """Return the lines of the table that begins here, without their indent."""
        is_grid = bool(GRID_BORDER.fullmatch(self._line().strip()))
        indent = len(self._line()) - len(self._line().lstrip())
        lines: list[str] = []
        while self._position + len(lines) < len(self._lines):
            line = self._line(len(lines))
            is_after = not line.startswith(("+", "|"), indent) if is_grid else _is_ended(lines, line)
            if line[:indent].strip() or is_after:
                break
            lines.append(line[indent:])
        return lines

    def _comment(self) -> bool:
        line = self._line()
        is_target = bool(_TARGET.fullmatch(line))
        if self._line(-1) or not (is_target or _COMMENT.fullmatch(line)):
            return False
        body = self._indented(1)
        self._position += 1 + len(body)
        self.writer.note_hidden(not is_target and bool("".join([line[2:], *body]).strip()))
        return True

    def _indented(self, ahead: int) -> list[str]:
        """Return the lines from one on that are further to the right than this one, or empty."""
        indent = len(self._line()) - len(self._line().lstrip())
        lines: list[str] = []
        while self._position + ahead + len(lines) < len(self._lines):
            line = self._line(ahead + len(lines))
            if line and len(line) - len(line.lstrip()) <= indent:
                break
            lines.append(line)
        while lines and not lines[-1]:
            lines.pop()
        return lines


def _is_border(line: str) -> bool:
    return bool(GRID_BORDER.fullmatch(line) or SIMPLE_BORDER.fullmatch(line))


def _is_ended(lines: Sequence[str], line: str) -> bool:
    """Return whether a simple table ended above a line: an empty line is after its last border."""
    return len(lines) > 2 and not line and _is_border(lines[-1].strip())


def _from_border(lines: Sequence[str]) -> list[str]:
    """Return the lines of a table below its options."""
    first = next((number for number, line in enumerate(lines) if _is_border(line.strip())), len(lines))
    return _without_indent(lines[first:])


def _drawn_table(lines: Sequence[str]) -> list[GridCell]:
    if len(lines) < 3:
        return []
    if GRID_BORDER.fullmatch(lines[0].strip()):
        return grid_table(lines)
    return simple_table(lines) if _is_border(lines[-1].strip()) else []


def _without_indent(lines: Sequence[str]) -> list[str]:
    indent = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    return [line[indent:] for line in lines]
