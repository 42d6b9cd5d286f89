"""The text of a passage on its card: the cited parts with what is around them, the rows of tables as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from chat_page.translations.languages import strings
from rag.documents import Passage

# How much of a cited passage a card shows before and after the highlight.
CONTEXT_CHARACTERS = 160
# A row of a table isn't cut, unless it is longer than this.
MAX_ROW_CHARACTERS = 600
Span = tuple[int, int]


def excerpt_html(passage: Passage, cited: Sequence[Span]) -> str:
    """Return the text of a passage; of a cited one, the supporting parts in <mark> with some text around them."""
    text = passage.text
    spans = sorted(set(cited))
    low, high = len(text) - len(text.lstrip()), len(text.rstrip())
    begin, end = _around(text, low, high, spans) if spans else (low, high)
    html = _with_tables(_marked(text, begin, end, spans).split("\n"))
    return "".join(["… " if begin > low else "", html, " …" if end < high else ""])


def _marked(text: str, begin: int, end: int, spans: Iterable[Span]) -> str:
    parts, position = list[str](), begin
    for start, stop in spans:
        start = max(start, position)
        if start < stop:
            parts += [escape(text[position:start]), _mark(text[start:stop])]
            position = stop
    return "".join([*parts, escape(text[position : max(position, end)])])


def _mark(text: str) -> str:
    """Mark each line and cell of a text for itself, because a mark can't go across cells."""
    marked = escape(text).replace(" | ", "</mark> | <mark>").replace("\n", "</mark>\n<mark>")
    return f"<mark>{marked}</mark>".replace("<mark></mark>", "")


def _around(text: str, low: int, high: int, spans: Sequence[Span]) -> Span:
    """From CONTEXT_CHARACTERS before the first span to as many after the last, cut between words or rows."""
    begin, end = spans[0][0] - CONTEXT_CHARACTERS, max(stop for _, stop in spans) + CONTEXT_CHARACTERS
    begin = low if begin <= low else begin + len(text[begin : spans[0][0]].partition(" ")[0]) + 1
    cut = text.rfind(" ", end - CONTEXT_CHARACTERS, end)
    begin, end = min(begin, spans[0][0]), high if end >= high else cut if cut >= 0 else end
    return max(low, _row_at(text, begin)[0]), min(high, _row_at(text, end)[1])


def _row_at(text: str, position: int) -> Span:
    """Return the row of a table around a position, or the position alone if it isn't in one."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    return (start, end) if end - start <= MAX_ROW_CHARACTERS and _is_row(text[start:end]) else (position, position)


def _with_tables(lines: Sequence[str]) -> str:
    blocks = [_table(list(group)) if are_rows else "\n".join(group) for are_rows, group in groupby(lines, key=_is_row)]
    return "".join(blocks)


def _is_row(line: str) -> bool:
    """Return whether a line is a row of a table, each mark of which is inside one cell."""
    return " | " in line and all(cell.count("<mark>") == cell.count("</mark>") for cell in _cells(line))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split(" | ")]


def _table(rows: Sequence[str]) -> str:
    lines = [cells for cells in map(_cells, rows) if any(cell.strip(":-") for cell in cells)]
    body = "".join("".join(["<tr>", *(f'<td dir="auto">{cell}</td>' for cell in cells), "</tr>"]) for cells in lines)
    label = strings().rows_part
    return f'<div class="sp-table" tabindex="0" role="group" aria-label="{label}"><table>{body}</table></div>'
