"""`python -m rag read`: what was read of each file."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rag.documents import Document, Table
from rag.reading.archives.sources import Source, expand
from rag.reading.chunk import document_headings
from rag.reading.parse import read_document
from rag.reading.processes.pool import file_readers
from rag.reading.web.fetch import fetch, is_url


def location(argument: str) -> Path | str:
    """Return the path that an argument of a command names, or the address of a web page."""
    return argument if is_url(argument) else Path(argument)


def command_line_sources(arguments: Sequence[str]) -> Iterator[Source]:
    """Yield the files that the arguments of a command stand for; name those that aren't read on stderr."""
    with TemporaryDirectory(prefix="spaceport-") as folder:
        for place in map(location, arguments):
            if isinstance(place, str):
                yield from _page(place)
                continue
            for source in expand([place], file_readers(), lambda: Path(folder, secrets.token_hex(8))):
                if source.problem:
                    print(f"{source.full_name}: not read ({source.problem.rstrip('.')})", file=sys.stderr)
                else:
                    yield source


def _page(url: str) -> Iterator[Source]:
    source = fetch(url)
    try:
        yield source
    finally:
        source.path.unlink(missing_ok=True)


def document_json(document: Document) -> dict[str, Any]:
    """Return the text of a document, its pages, headings, tables and notes, ready for JSON."""
    return {
        "document": document.name,
        "text": document.text,
        "pages": [{"number": page.number, "start": page.start, "end": page.end} for page in document.pages],
        "headings": [
            {"start": heading.start, "end": heading.end, "path": heading.path}
            for heading in document_headings(document)
        ],
        "tables": [_table_json(document, table) for table in document.tables],
        "notes": [
            {"kind": str(note.kind), "count": note.count, "places": list(note.places)} for note in document.notes
        ],
    }


def _table_json(document: Document, table: Table) -> dict[str, Any]:
    """Return the rows of a table: a cell that spans several fields stands in each, a blank one is ""."""
    line_start = document.text.rfind("\n", 0, table.start) + 1  # a table inside of another has no line of its own
    is_markdown = document.text.startswith("|", line_start)  # there, a bar inside a cell is escaped
    heights = [cell.row + cell.row_span for cell in table.cells]
    widths = [cell.column + cell.column_span for cell in table.cells]
    rows = [[""] * max(widths, default=0) for _ in range(max(heights, default=0))]
    for cell in table.cells:
        text = document.text[cell.start : cell.end]
        for row in rows[cell.row : cell.row + cell.row_span]:
            for column in range(cell.column, cell.column + cell.column_span):
                row[column] = text.replace("\\|", "|") if is_markdown else text
    return {
        "start": table.start,
        "end": table.end,
        "caption": table.caption,
        "header_rows": _header_rows(table),
        "rows": rows,
    }


def _header_rows(table: Table) -> int:
    """Return how many rows at the top have header cells only."""
    data = [cell.row for cell in table.cells if not cell.header]
    header = [cell.row + cell.row_span for cell in table.cells if cell.header]
    return min(min(data, default=10**9), max(header, default=0))


def run(arguments: argparse.Namespace) -> int:
    """Print what is read of each file, and return the exit status."""
    for source in command_line_sources(arguments.files):
        document = file_readers().run(read_document, source.name, path=source.path.absolute(), name=source.name)
        fields = document_json(replace(document, name=source.full_name))
        if arguments.json:
            print(json.dumps(fields, ensure_ascii=False))
        else:
            _print(fields)
    return 0


def _print(fields: dict[str, Any]) -> None:
    print(f"== {fields['document']}")
    print(fields["text"])
    for heading in fields["headings"]:
        print(f"-- heading: {heading['path']}")
    for page in fields["pages"]:
        print(f"-- page {page['number']}: characters {page['start']} to {page['end']}")
    for table in fields["tables"]:
        print(f"-- table {table['caption']}".rstrip() + f": {table['header_rows']} header rows")
        for row in table["rows"]:
            print(" | ".join(row))
    for note in fields["notes"]:
        print(f"-- note: {note['kind']} ({note['count']}) {', '.join(note['places'])}".rstrip())
