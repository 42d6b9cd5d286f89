"""The text of a passage on its card: the cited parts with what is around them, the rows of tables as tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from chat_page.rendering.emphasis import BOLD, ITALIC
from chat_page.translations.languages import strings
from rag.documents import Passage

# How much of a cited passage a card shows before and after the highlight.
CONTEXT_CHARACTERS = 160
# A row of a table isn't cut, unless it is longer than this. Longer cells are text with a stroke in it.
MAX_ROW_CHARACTERS, MAX_CELL_CHARACTERS, MAX_FIGURE_CHARACTERS = 600, 60, 20
_CODE = re.compile(r"[{}=;`]|->|\|\|")
# A block of its own that the readers, or the author, marked as a heading; a comment in code has the code below it.
_HEADING = re.compile(r"(?:\A|(?<=\n\n))#{1,6} (?=\S)([^\n]*)(?=\n\n|\n?\Z)")
_EMPTY_LINES = re.compile(r"(\n\s*\n)")
Span = tuple[int, int]


def excerpt_html(passage: Passage, cited: Sequence[Span]) -> str:
    """Return the text of a passage; of a cited one, the supporting parts in <mark> with some text around them."""
    text = passage.text
    spans = sorted(set(cited))
    low, high = len(text) - len(text.lstrip()), len(text.rstrip())
    begin, end = _around(text, low, high, spans) if spans else (low, high)
    lines = list(_lines(text, begin, end))
    blocks = [
        _block(text, list(group), are_rows, spans)
        for are_rows, group in groupby(lines, key=lambda line: _is_row(text[slice(*line)]))
    ]
    html = "".join(["… " if begin > low else "", *blocks, " …" if end < high else ""])
    return html.replace('\n<div class="sp-table"', '<div class="sp-table"')


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


def _lines(text: str, begin: int, end: int) -> Iterator[Span]:
    """Yield the lines between two positions, each with its line break."""
    while begin < end:
        stop = text.find("\n", begin, end) + 1 or end
        yield begin, stop
        begin = stop


def _is_row(line: str) -> bool:
    """Return whether a line looks like a row of a table, rather than code or a sentence with a stroke in it."""
    cells = line.split("|")
    return len(cells) > 1 and not _CODE.search(line) and max(map(len, cells)) <= MAX_CELL_CHARACTERS


def _block(text: str, lines: Sequence[Span], are_rows: bool, spans: Sequence[Span]) -> str:
    """Return adjacent lines as text, or as a table if two of them have the same number of cells.

    Other rows, such as the header of a table whose body begins with a title, are lines of cells. A line that may
    not be a row keeps its strokes.
    """
    if are_rows:
        rows = [list(_cells(text, *line)) for line in lines]
        [(columns, count)] = Counter(map(len, rows)).most_common(1)
        # Below the header of a Markdown table is a line of hyphens.
        rows = [row for row in rows if any(text[slice(*cell)].strip(":-") for cell in row)]
        if not rows:
            return ""
        if count > 1:
            return _table(text, rows, columns, spans)
        if len(lines) > 1 or text.startswith("| ", lines[0][0]):  # |x| is an absolute value
            return "".join(f"{_cell_line(text, row, spans)}\n" for row in rows)
    return prose_html(text, lines[0][0], lines[-1][1], spans)


def prose_html(text: str, begin: int, end: int, spans: Sequence[Span]) -> str:
    """Return a part of the text as HTML, with headings and emphasis drawn and not with their marks."""
    parts = list[str]()
    patterns = ((_HEADING, "b"), (BOLD, "b"), (ITALIC, "i"))
    found = [(match, tag) for pattern, tag in patterns for match in pattern.finditer(text, begin, end)]
    for each, tag in sorted(found, key=lambda item: item[0].start()):
        if each.start() >= begin:
            emphasis = f"<{tag}>{_marked(text, *each.span(1), spans)}</{tag}>"
            parts += [_marked(text, begin, each.start(), spans), emphasis]
            begin = each.end()
    return "".join([*parts, _marked(text, begin, end, spans)])


def _cells(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the places of a row's cells, without the strokes around it."""
    line = text[start:end].strip().removeprefix("|").removesuffix("|")
    position = text.index(line, start)
    for cell in line.split("|"):
        begin = position + len(cell) - len(cell.lstrip())
        yield begin, max(begin, position + len(cell.rstrip()))
        position += len(cell) + 1


def _table(text: str, rows: Sequence[Sequence[Span]], columns: int, spans: Sequence[Span]) -> str:
    """Return the rows as a table of so many columns."""
    body = "".join(f"<tr>{_row(text, row, columns, spans)}</tr>" for row in rows)
    label = strings().rows_part
    return f'<div class="sp-table" tabindex="0" role="group" aria-label="{label}"><table>{body}</table></div>'


def _row(text: str, row: Sequence[Span], columns: int, spans: Sequence[Span]) -> str:
    """Return a row's cells; one with another number of cells, such as a header without its empty ones, is one cell."""
    if len(row) == columns:
        return "".join(_cell(text, cell, spans) for cell in row)
    return f'<td colspan="{columns}" dir="auto">{_cell_line(text, row, spans)}</td>'


def _cell_line(text: str, row: Sequence[Span], spans: Sequence[Span]) -> str:
    """Return the cells of a row in one line, without the strokes between them."""
    return " · ".join(_marked(text, *cell, spans) for cell in row if cell[0] < cell[1])


def _cell(text: str, cell: Span, spans: Sequence[Span]) -> str:
    words = text[slice(*cell)]
    is_figure = len(words) <= MAX_FIGURE_CHARACTERS and any(map(str.isdigit, words))
    kind = ' class="sp-num"' if is_figure else ""
    return f'<td{kind} dir="auto">{_marked(text, *cell, spans)}</td>'


def _marked(text: str, begin: int, end: int, spans: Sequence[Span]) -> str:
    """Return a part of the text as HTML, with what of the spans is in it in <mark>."""
    parts, position = list[str](), begin
    for start, stop in spans:
        start, stop = max(start, position), min(stop, end)
        if start < stop:
            parts += [escape(text[position:start]), *_paragraph_marks(text[start:stop])]
            position = stop
    return "".join([*parts, escape(text[position : max(position, end)])])


def _paragraph_marks(text: str) -> Iterator[str]:
    """Yield a <mark> for each paragraph: an empty line in one would be drawn as a stroke."""
    for part in _EMPTY_LINES.split(text):
        yield f"<mark>{escape(part)}</mark>" if part.strip() else part
