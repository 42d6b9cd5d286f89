"""Finds rows of tables whose label is what a question asks for: a search for passages can miss a row among many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.mentions import is_about
from rag.answering.evidence.question_analysis.periods import PERIOD_STEMS
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.figures import plain_label
from rag.answering.evidence.tables.row_labels import is_total
from rag.answering.evidence.units.per_document import PerDocument
from rag.documents import Cell, Document, Passage, Span, Table
from rag.search.bm25 import stems
from rag.search.languages import ENGLISH
from rag.search.words import content_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIGURES = {Kind.MONEY, Kind.NUMBER, Kind.PERCENT, Kind.OTHER}
# A row is a candidate if its label and the question share so much of both; more rows take longer than they help.
_LEAST_SHARED, _MOST_ROWS, _MOST_VERBS = 0.65, 4, 2
# Characters of the table around the row, for the reader of the source, and of all rows together.
_AROUND, _MOST_AROUND = 300, 1200
# Words of a question that no label has.
ASKING = frozenset(
    stems(["much many s did do does get got have has had make made pay paid spend spent earn earned report reported"])
)

# Labels name what a question says with a verb: "Payments for dividends".
_VERBS = {
    "pay": "payments paid", "paid": "payments paid", "repay": "repayments repaid", "repaid": "repayments repaid",
    "acquire": "acquisition acquired", "issue": "issuance issued", "sell": "sales sold", "sold": "sales sold",
    "invest": "investments invested", "borrow": "borrowings borrowed",
}  # fmt: skip
_LABEL_WORDS = {stems([verb])[0]: stems([words]) for verb, words in _VERBS.items()}


def find_rows(question: Question, documents: Iterable[Document], passages: Sequence[Passage]) -> list[Passage]:
    """Return the rows that answer by their label, best first, as passages; those of `passages` are left out."""
    documents = list(documents)
    words = frozenset(stem for stem in question.stems if not stem.isdigit()) - PERIOD_STEMS
    verbs = [word for word in question.stems if word in _LABEL_WORDS]  # in one order in each process
    words -= ASKING
    owners = frozenset(stems([name for name in question.names if any(is_about(each, name) for each in documents)]))
    asked = words - owners
    if question.kind not in _FIGURES or not asked:
        return []
    names = question.name_stems
    wordings = dict.fromkeys(
        (asked, *(asked - {verb} | {word} for verb in verbs[:_MOST_VERBS] for word in _LABEL_WORDS[verb]))
    )
    # Of each document the best ones: with those of all together, a long table would be sorted for each question.
    scored = [
        (score, document, start, end, table)
        for document in documents
        if document.tables
        for each in wordings
        for score, start, end, table in islice(_best_rows(each, names, document, passages), _MOST_ROWS)
    ]
    best = sorted(scored, key=lambda row: -row[0])
    rows: dict[tuple[int, int], tuple[Document, int, int, Table, float]] = {}
    for score, document, start, end, table in best:
        rows.setdefault((id(document), start), (document, start, end, table, score))
    return [_passage(*row) for row in [*rows.values()][:_MOST_ROWS]]


@dataclass(frozen=True, slots=True)
class _Labels:
    """The rows of a document's tables that have a label, and the words of the labels as sorted hashes.

    `rows[at]` is the row with the word `hashes[at]`; `lengths` has the number of words of each row's label, `spans` its
    characters, and `tables` the number of its table.
    """

    hashes: NDArray[np.int64]
    rows: NDArray[np.uint32]
    lengths: NDArray[np.uint16]
    spans: NDArray[np.uint32]
    tables: NDArray[np.uint32]

    @classmethod
    def of(cls, document: Document) -> _Labels:
        import numpy as np

        words: dict[str, frozenset[str]] = {}  # many rows can have the same label
        rows = [
            (words[label] if label in words else words.setdefault(label, _words(label)), span, number)
            for number, table in enumerate(document.tables)
            for label, span in _labeled_rows(document, table)
        ]
        rows = [row for row in rows if row[0]]
        pairs = [(hash(word), at) for at, (label_words, _, _) in enumerate(rows) for word in label_words]
        pairs.sort()
        return cls(
            np.array([word for word, _ in pairs], np.int64),
            np.array([at for _, at in pairs], np.uint32),
            np.array([len(label_words) for label_words, _, _ in rows], np.uint16),
            np.array([span for _, span, _ in rows], np.uint32).reshape(-1, 2),
            np.array([number for _, _, number in rows], np.uint32),
        )

    def shares(self, asked: frozenset[str], names: frozenset[str]) -> NDArray[np.float64]:
        """Return for each row how much of both its label and the question have in common.

        A label that is a name of the question has all of it: "iPad" in "net sales of iPad".
        """

        shares: NDArray[np.float64] = 2 * self._counts(asked) / (len(asked) + self.lengths)
        is_name = (self._counts(asked | names) == self.lengths) & (self._counts(names) > 0)
        shares[is_name] = 1.0
        return shares

    def _counts(self, words: frozenset[str]) -> NDArray[np.int64]:
        """Return how many of some words each label has."""
        import numpy as np

        hashes = np.array(sorted(map(hash, words)), np.int64)
        bounds = zip(np.searchsorted(self.hashes, hashes), np.searchsorted(self.hashes, hashes, "right"), strict=True)
        rows = [self.rows[start:end] for start, end in bounds]
        return np.bincount(np.concatenate([*rows, self.rows[:0]]), minlength=len(self.lengths))


_labels = PerDocument(_Labels.of)


def rows_labeled(document: Document, words: frozenset[str]) -> list[tuple[Table, int, int]]:
    """Return the rows whose label has just these stems, with their tables and their spans."""
    labels = _labels.of(document)
    found = (labels.shares(words, frozenset()) == 1.0).nonzero()[0].tolist()
    spans = [labels.spans[at].tolist() for at in found]
    return [(document.tables[labels.tables[at]], *span) for at, span in zip(found, spans, strict=True)]


def _best_rows(
    asked: frozenset[str], names: frozenset[str], document: Document, passages: Sequence[Passage]
) -> Iterator[tuple[float, int, int, Table]]:
    """Yield the rows of a document that no passage has, the best first: share, span and table."""
    import numpy as np

    labels = _labels.of(document)
    shares = labels.shares(asked, names)
    found = np.flatnonzero(shares >= _LEAST_SHARED)
    # Each passage can have many rows, so that the best ones of all are too few.
    for at in found[np.argsort(-shares[found], kind="stable")].tolist():
        start, end = labels.spans[at].tolist()
        if not _is_covered(document, start, passages):
            yield float(shares[at]), start, end, document.tables[labels.tables[at]]


def _labeled_rows(document: Document, table: Table) -> Iterator[tuple[str, Span]]:
    """Yield the label of each row with its span; one without a label has that of its section or of the row above."""
    spans: dict[int, Span] = {}
    labels: dict[int, str] = {}
    values: dict[int, list[Cell]] = {}
    for cell in table.cells:
        start, end = spans.get(cell.row, (cell.start, cell.end))
        spans[cell.row] = min(start, cell.start), max(end, cell.end)
        if cell.column == 0 and not cell.header:
            labels[cell.row] = document.text[cell.start : cell.end].strip()
        elif cell.end > cell.start:
            values.setdefault(cell.row, []).append(cell)
    section = last_label = ""
    for number, label in labels.items():
        has_total = not label and is_total(
            document.text[cell.start : cell.end].strip() for cell in values.get(number, ())
        )
        yield label or (not has_total and last_label) or section, spans[number]
        if number not in values:
            section, last_label = label or section, "" if label else last_label
        elif has_total:
            section = last_label = ""
        else:
            last_label = label or last_label


def _words(label: str) -> frozenset[str]:
    words = content_words(plain_label(label).lower(), ENGLISH)
    return frozenset(stems(words)) - PERIOD_STEMS


def _is_covered(document: Document, start: int, passages: Sequence[Passage]) -> bool:
    return any(each.document_id == document.id and each.start <= start < each.end for each in passages)


def _passage(document: Document, start: int, end: int, table: Table, score: float) -> Passage:
    """Return the row with some of its table around it, in whole lines."""
    text = document.text
    first = text.rfind("\n", table.start, max(table.start, start - _AROUND)) + 1 or table.start
    last = text.find("\n", min(table.end, end + _AROUND), table.end)
    last = table.end if last < 0 else last
    if last - first > _MOST_AROUND:  # rows of many columns
        first, last = start, min(end, start + _MOST_AROUND)
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
