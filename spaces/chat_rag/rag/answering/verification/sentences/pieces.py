"""The sentences, rows and list items of a text, each with the words above it: a table's header, or "It covers:"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, repeat, zip_longest

from rag.answering.verification.sentences.lines import is_delimiter_row, is_item, is_row, row_cells, text_start
from rag.answering.verification.support import sentence_spans

# A longer header, or sentence before a list, isn't read again with each row or item.
_LONGEST_HEADER, _LONGEST_LEAD = 80, 300
# Items that are longer, or sentences, aren't parts of one sentence.
_MOST_ITEMS, _ITEM_WORDS = 12, 8
_ENDS = re.compile(r"[.:;!?。；：]")
# Such a cell says nothing, or no, of its column; "no" and "none" are read with the negations of a language.
_EMPTY_CELL = re.compile(r"(?:(?![✓✔✅☑+])[\W_])*|n/?a|nein|non|false|falsch|faux|falso|否", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,3}[.)]")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, a row, an item or a list, in characters of a text; `text` has the words above it as well.

    `label` is the first cell of a row, or all of a header: a row says nothing of another one's label.
    """

    start: int
    end: int
    text: str
    label: str = ""
    is_row: bool = False


_NO_LEAD = Piece(0, 0, "")


def find_pieces(text: str) -> Iterator[Piece]:
    """Yield the pieces of a text in order; after the items of a list comes the list, if it is like one sentence."""
    lead = _NO_LEAD
    for kind, group in groupby(_lines(text), lambda span: _kind(text[span[0] : span[1]])):
        spans = [*group]
        if kind == "row":
            yield from _rows(text, spans)
        elif kind == "item":
            yield from _items(text, spans, lead)
        else:
            yield from (Piece(start, end, text[start:end]) for start, end in spans)
        start, end = spans[-1]
        lead = Piece(start, end, text[start:end]) if kind == "sentence" else _NO_LEAD


def _lines(text: str) -> Iterator[Span]:
    """Yield the spans of the sentences, but those of whole rows, and of items with their numbers."""
    start = end = 0
    for span in sentence_spans(text):
        goes_on = is_row(text[start : start + 1]) or _NUMBER.fullmatch(text, start, end)
        if end and goes_on and "\n" not in text[end : span[0]]:
            end = span[1]
            continue
        if end:
            yield start, end
        start, end = span
    if end:
        yield start, end


def _kind(line: str) -> str:
    return "row" if is_row(line) else "item" if is_item(line) else "sentence"


def _rows(text: str, spans: Sequence[Span]) -> Iterator[Piece]:
    """Yield the rows of tables; each has the words of the header above its cells."""
    header, last = list[str](), spans[0][0]
    for (start, end), following in zip_longest(spans, spans[1:], fillvalue=(0, 0)):
        line, is_header = text[start:end], is_delimiter_row(text[slice(*following)])
        if is_header or text.count("\n", last, start) > 1:
            header = []
        last = end
        if is_delimiter_row(line):
            continue
        cells = [line[slice(*cell)] for cell in row_cells(line)]
        named = zip(cells, chain(header, repeat("")), strict=False)
        words = [f"{name} {cell}".strip() for cell, name in named if not _EMPTY_CELL.fullmatch(cell)]
        label = " ".join(cells) if is_header else next(iter(cells), "")
        yield Piece(start, end, "; ".join(words), label, is_row=True)
        if is_header:
            header = [cell[:_LONGEST_HEADER] for cell in cells]


def _items(text: str, spans: Sequence[Span], lead: Piece) -> Iterator[Piece]:
    """Yield the items of a list, and the list itself, after the sentence before them if it ends with a colon."""
    before = lead.text.rstrip("*_ ")
    leads = before.endswith((":", "：")) and not text[lead.end : spans[0][0]].strip() and len(before) <= _LONGEST_LEAD
    items = [(start, end, text[start + text_start(text[start:end]) : end]) for start, end in spans]
    if not leads:
        yield from (Piece(*item) for item in items)
        return
    before = before[:-1]
    yield from (Piece(start, end, f"{before} {item}") for start, end, item in items)
    short = all(len(item.split()) <= _ITEM_WORDS and not _ENDS.search(item[:-1]) for *_, item in items)
    if short and 1 < len(items) <= _MOST_ITEMS:
        joined = ", ".join(item.rstrip(",;.") for *_, item in items)
        yield Piece(lead.start, spans[-1][1], f"{before} {joined}")
