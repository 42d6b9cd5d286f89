"""Reads a CSV file as lines that can be understood without the header."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

from rag.documents import Content, Limits
from rag.errors import DocumentError
from rag.reading.decode import decode

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 64_000


def read_csv(data: bytes, name: str, limits: Limits) -> Content:
    """Return one line per row: "column: value; column: value"."""
    text = decode(data, name)
    lines, characters = [], 0
    try:
        for line in _lines(text):
            lines.append(line)
            characters += len(line) + 1
            # Checked for each line: a long header repeats in each row, so a small file can grow without bound.
            if characters > limits.characters:
                raise DocumentError(
                    f"“{name}” has more than {limits.characters:,} characters, the limit for one file.",
                    "Split it into smaller files, or remove columns.",
                )
    except csv.Error as error:
        raise DocumentError(
            f"“{name}” isn't a valid CSV file ({error}): it probably has a quote that is never closed.",
            "Check the quotes, or export it again.",
        ) from error
    return Content("\n".join(lines))


def _lines(text: str) -> Iterator[str]:
    rows = (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)) if any(row))
    first = next(rows, [])
    header = [_one_line(cell) for cell in first]
    if _is_data(first):
        header = []
        yield _line(header, first)
    row = None
    for row in rows:
        yield _line(header, row)
    if header and row is None:
        yield "; ".join(filter(None, header))


def _line(header: list[str], row: list[str]) -> str:
    """Join a row's non-empty cells, each with its column's name or, beyond the header, its column's number."""
    names = (
        header[index] if index < len(header) and header[index] else f"column {index + 1}" for index in range(len(row))
    )
    return "; ".join(
        f"{column}: {value}" for column, cell in zip(names, row, strict=True) if (value := _one_line(cell))
    )


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def _is_data(first_row: list[str]) -> bool:
    """Return whether the first row is data, not a header: all its cells are numbers."""
    return all(
        cell.strip().replace(",", "").replace(".", "").lstrip("+-").isdigit() for cell in first_row if cell.strip()
    )


def _delimiter(text: str) -> str:
    """Return the delimiter that gives most rows the same number of cells.

    csv.Sniffer isn't used: it can guess a letter, and it can be slow.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    if len(text) > _SAMPLE_CHARACTERS:
        sample = sample[: sample.rfind("\n") + 1] or sample
    scores = {}
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row)
        width, rows = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        if width > 1:
            scores[delimiter] = (rows / widths.total(), width)
    return max(scores, key=lambda delimiter: scores[delimiter], default=",")
