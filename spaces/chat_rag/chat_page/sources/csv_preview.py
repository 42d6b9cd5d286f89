"""The preview of a CSV file: the rows of a citation and those around them, as a table."""

from __future__ import annotations

from collections import Counter
from html import escape

from chat_page.rendering.markdown import shorten
from chat_page.translations.languages import strings
from rag.documents import Document

Span = tuple[int, int]
CONTEXT_ROWS, MAX_ROWS, CELL_CHARACTERS = 2, 24, 200
# A table shows the cited columns and those around them.
CONTEXT_COLUMNS, MAX_COLUMNS = 2, 100


def table_html(document: Document, span: Span) -> str:
    """Return the rows of a CSV file around the span as a table; the rows of the span are marked."""
    words = strings()
    lines = _lines_around(document.text, span)
    all_columns = _columns([document.text[start:end] for start, end in lines])
    columns = _columns_around(all_columns, document.text, span)
    note = _hidden_columns_note(len(all_columns) - len(columns))
    header = "".join(f'<th scope="col" dir="auto">{escape(column)}</th>' for column in columns)
    names = frozenset(all_columns)
    body = "".join(_row(document.text, line, columns, names, span) for line in lines)
    return (
        f'{note}<div class="sp-table sp-rows" tabindex="0" role="group" aria-label="{words.rows_part}"><table>'
        f'<thead><tr><th scope="col">{words.row_head}</th>{header}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _lines_around(text: str, span: Span) -> list[Span]:
    """The lines of the span, with CONTEXT_ROWS before and after them."""
    start = text.rfind("\n", 0, span[0]) + 1
    for _ in range(CONTEXT_ROWS):
        start = text.rfind("\n", 0, max(0, start - 1)) + 1
    lines: list[Span] = []
    after = 0
    while start < len(text) and after < CONTEXT_ROWS and len(lines) < MAX_ROWS:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        after += start >= span[1]
        lines.append((start, end))
        start = end + 1
    return lines


def _row(text: str, line: Span, columns: list[str], names: frozenset[str], span: Span) -> str:
    in_span = line[0] < span[1] and span[0] < line[1]
    cells = _cells(text[line[0] : line[1]], names)
    number = text.count("\n", 0, line[0]) + 1
    if in_span:
        contents = [f"<mark>{escape(cells[column])}</mark>" if column in cells else "" for column in columns]
        start = f'<tr class="sp-cited" aria-current="true"><th scope="row">{number}</th>'
    else:
        contents = [escape(shorten(cells.get(column, ""), CELL_CHARACTERS)) for column in columns]
        start = f'<tr><th scope="row">{number}</th>'
    return start + "".join(f'<td dir="auto">{content}</td>' for content in contents) + "</tr>"


def _columns(lines: list[str]) -> list[str]:
    """The column names that repeat from row to row, in their order, or one column without a name."""
    counts = Counter(part.split(": ")[0] for line in lines for part in dict.fromkeys(line.split("; ")) if ": " in part)
    columns = [name for name, count in counts.items() if count > 1 or len(lines) == 1]
    names = frozenset(columns)
    return columns if all(": " in line and line.split(": ", 1)[0] in names for line in lines) else [""]


def _columns_around(columns: list[str], text: str, span: Span) -> list[str]:
    """All columns, or of a very wide table those from the first column of the span on, with some before it."""
    if len(columns) <= MAX_COLUMNS:
        return columns
    line_start = text.rfind("\n", 0, span[0]) + 1
    separator = text.rfind("; ", line_start, span[0])
    cell_start = line_start if separator < 0 else separator + 2
    names = (part.split(": ")[0] for part in text[cell_start : span[1]].split("; ") if ": " in part)
    numbers = {name: number for number, name in enumerate(columns)}
    cited = next((numbers[name] for name in names if name in numbers), 0)
    first = max(0, min(cited - CONTEXT_COLUMNS, len(columns) - MAX_COLUMNS))
    return columns[first : first + MAX_COLUMNS]


def _hidden_columns_note(count: int) -> str:
    words = strings()
    if not count:
        return ""
    return f'<p class="sp-note">{words.pluralize(words.column_hidden, words.columns_hidden, columns=count)}</p>'


def _cells(line: str, columns: frozenset[str]) -> dict[str, str]:
    """Split a row into its cells; a part without a column name belongs to the cell before it."""
    if columns == {""}:
        return {"": line}
    cells: dict[str, list[str]] = {}
    last = ""
    for part in line.split("; "):
        name, colon, value = part.partition(": ")
        if colon and name in columns and name not in cells:
            cells[name], last = [value], name
        elif last:
            cells[last].append(part)
    return {name: "; ".join(parts) for name, parts in cells.items()}
