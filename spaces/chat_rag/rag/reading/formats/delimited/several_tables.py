"""Finds where another table begins in a delimited file: after an empty line, with a header of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, takewhile

from rag.reading.formats.delimited.header import find_layout, is_number

_SAMPLE = 50  # rows after an empty line that are looked at
_Rows = Iterator[list[str]]


def split_tables(rows: _Rows) -> Iterator[_Rows]:
    """Yield the rows of each table, which must be used up before the next one; empty rows are left out."""
    marked = _mark_tables(rows)
    for row in marked:
        # `takewhile` takes the None that ends a table, too.
        if row is not None:
            yield (part for part in takewhile(lambda part: part is not None, chain([row], marked)) if part)


def _mark_tables(rows: _Rows) -> Iterator[list[str] | None]:
    """Yield the rows that have text, and None before one that begins another table."""
    has_table = False
    block: list[list[str]] | None = None  # the first rows after an empty line
    for row in chain(rows, [[]]):
        if row and block is not None and len(block) < _SAMPLE:
            block.append(row)
            continue
        if block:
            if has_table and _begins_table(block):
                yield None
            yield from block
            has_table |= any(_filled(part) > 1 for part in block)
        block = None if row else []
        if row:
            has_table |= _filled(row) > 1
            yield row


def _begins_table(block: Sequence[Sequence[str]]) -> bool:
    """Return whether rows have a header of their own, above figures: rows of words alone may go on with a table."""
    layout = find_layout(block)
    header, body = block[layout.titles : layout.titles + layout.headers], block[layout.titles + layout.headers :]
    return bool(header) and _filled(header[-1]) > 1 and any(is_number(cell) for row in body for cell in row)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell) for cell in row)
