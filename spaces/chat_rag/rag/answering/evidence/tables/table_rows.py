"""Finds rows of tables whose label is what a question asks for: a search for passages can miss a row among many."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from rag.answering.evidence.asked.kinds import Kind
from rag.answering.evidence.asked.mentions import is_about
from rag.answering.evidence.asked.periods import PERIOD_STEMS
from rag.answering.evidence.asked.questions import Question
from rag.answering.evidence.tables.figures import without_alternatives
from rag.documents import Document, Passage, Table
from rag.search.bm25 import stems
from rag.search.languages import ENGLISH
from rag.search.words import content_words

_FIGURES = {Kind.MONEY, Kind.NUMBER, Kind.PERCENT, Kind.OTHER}
# A row is a candidate if its label and the question share so much of both; more rows take longer than they help.
_LEAST_SHARED, _MOST_ROWS = 0.65, 4
_AROUND = 300  # characters of the table around the row, for the reader of the source
# Words of a question that no label has.
_ASKING = frozenset(
    stems(["much many s did do does get got have has had make made pay paid spend spent earn earned report reported"])
)
_KEPT_DOCUMENTS = 64
Row = tuple[frozenset[str], int, int, Table]
_rows: OrderedDict[tuple[str, str], list[Row]] = OrderedDict()
_lock = threading.Lock()


def find_rows(question: Question, documents: Iterable[Document], passages: Sequence[Passage]) -> list[Passage]:
    """Return the rows that answer by their label, best first, as passages; those of `passages` are left out."""
    documents = list(documents)
    words = frozenset(stem for stem in question.stems if not stem.isdigit()) - PERIOD_STEMS - _ASKING
    owners = frozenset(stems([name for name in question.names if any(is_about(each, name) for each in documents)]))
    asked = words - owners
    if question.kind not in _FIGURES or not asked:
        return []
    scored = [
        (_shared(asked, label), document, start, end, table)
        for document in documents
        for label, start, end, table in _document_rows(document)
        if not _is_covered(document, start, passages)
    ]
    best = sorted((row for row in scored if row[0] >= _LEAST_SHARED), key=lambda row: -row[0])[:_MOST_ROWS]
    return [_passage(document, start, end, table, score) for score, document, start, end, table in best]


def _shared(asked: frozenset[str], label: frozenset[str]) -> float:
    return 2 * len(asked & label) / (len(asked) + len(label))


def _document_rows(document: Document) -> list[Row]:
    """Return each row with a label: words, span and table; kept for the documents of the last questions."""
    key = document.id, document.media_type
    with _lock:
        if key in _rows:
            _rows.move_to_end(key)
            return _rows[key]
    rows = [row for table in document.tables for row in _table_rows(document, table)]
    with _lock:
        _rows[key] = rows
        while len(_rows) > _KEPT_DOCUMENTS:
            _rows.popitem(last=False)
    return rows


def _table_rows(document: Document, table: Table) -> list[Row]:
    spans: dict[int, tuple[int, int]] = {}
    labels: dict[int, str] = {}
    for cell in table.cells:
        start, end = spans.get(cell.row, (cell.start, cell.end))
        spans[cell.row] = min(start, cell.start), max(end, cell.end)
        if cell.column == 0 and not cell.header:
            labels[cell.row] = document.text[cell.start : cell.end]
    rows = ((_words(label), *spans[number], table) for number, label in labels.items())
    return [row for row in rows if row[0]]


def _words(label: str) -> frozenset[str]:
    words = content_words(without_alternatives(label).lower(), ENGLISH)
    return frozenset(stems(words)) - PERIOD_STEMS


def _is_covered(document: Document, start: int, passages: Sequence[Passage]) -> bool:
    return any(each.document_id == document.id and each.start <= start < each.end for each in passages)


def _passage(document: Document, start: int, end: int, table: Table, score: float) -> Passage:
    """Return the row with some of its table around it, in whole lines."""
    text = document.text
    first = text.rfind("\n", table.start, max(table.start, start - _AROUND)) + 1 or table.start
    last = text.find("\n", min(table.end, end + _AROUND), table.end)
    last = table.end if last < 0 else last
    if last - first > 4 * _AROUND:  # rows of many columns
        first, last = start, end
    return Passage(
        number=0,
        document_id=document.id,
        document=document.name,
        page=document.page_of(start),
        heading="",
        start=first,
        end=last,
        text=text[first:last],
        score=round(score, 4),
        dense=None,
        lexical=None,
    )
