"""Tables that reStructuredText writes as lists and as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

from rag.reading.markdown.cells import GridCell

_OPTION = re.compile(r":([\w-]+):(?: +(.*))?")
_LIST_ROW, _LIST_CELL = re.compile(r"([*+-]) +([*+-])(?: +(.*))?"), re.compile(r"([*+-])(?: +(.*))?")
_DELIMITERS = {"tab": "\t", "space": " "}


def table_cells(kind: str, lines: Sequence[str]) -> list[GridCell]:
    """Return the cells of a directive `list-table` or `csv-table`; `lines` are those below it, without their indent."""
    options, body = _options(lines)
    if "file" in options or "url" in options:
        return []
    rows = list(_list_rows(body) if kind == "list-table" else _csv_rows(body, options))
    if "header" in options:
        rows[:0] = _csv_rows([options["header"]], options)
    headers = int(options["header-rows"]) if options.get("header-rows", "").isdecimal() else 0
    headers += "header" in options
    return [
        GridCell(row, column, text, header=row < headers)
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
    ]


def _options(lines: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    for number, line in enumerate(lines):
        match = _OPTION.fullmatch(line.strip())
        if not match:
            return options, list(lines[number:])
        options[match[1]] = (match[2] or "").strip()
    return options, []


def _list_rows(lines: Sequence[str]) -> Iterator[list[str]]:
    row: list[str] = []
    column = 0  # where the cells of a row begin
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if indent == 0 and (match := _LIST_ROW.fullmatch(text)):
            if row:
                yield row
            row, column = [match[3] or ""], match.start(2)
        elif row and indent == column and (match := _LIST_CELL.fullmatch(text)):
            row.append(match[2] or "")
        elif row and text:
            row[-1] = f"{row[-1]} {text}".strip()
    if row:
        yield row


def _csv_rows(lines: Sequence[str], options: dict[str, str]) -> Iterator[list[str]]:
    delimiter = _DELIMITERS.get(options.get("delim", ","), options.get("delim", ","))
    quote = options.get("quote", '"')
    reader = csv.reader(
        lines,
        delimiter=delimiter if len(delimiter) == 1 else ",",
        quotechar=quote if len(quote) == 1 else '"',
        skipinitialspace=True,
    )
    return (row for row in reader if row)
