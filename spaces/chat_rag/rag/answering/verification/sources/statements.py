"""What the passages say of each of their figures: a cell's row and column, or the clause of its sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from rag.answering.evidence.question_analysis.periods import CALENDAR, days_in, length_in
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.units.document_structure import structure_of
from rag.answering.evidence.units.per_document import PerDocument, PerPassage, text_blocks
from rag.answering.evidence.units.split import Unit, find_units
from rag.answering.verification.sentences.clauses import Clause, figure_clauses, role_words
from rag.answering.verification.sentences.figures import find_figures, find_periods, find_scale
from rag.documents import Document, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# How far above a figure its "in millions" can stand, and where a document says what it is about.
_SCALE_CHARACTERS, _TITLE_CHARACTERS = 4_000, 2_500
_SCALE_NOTE = re.compile(r"\bin (?:thousands|millions|billions)\b", re.IGNORECASE)
MONTHS_OF_QUARTER = 3


@dataclass(frozen=True, slots=True)
class Statement:
    """One figure of a passage: `clause` has what its row and column, or its part of the sentence, say of it.

    `start` and `end` are characters of the passage: of the cell's row, or the sentence. `scale` is what "in millions"
    above it says, or None. `context` has the words around it: the table's or the paragraph's, the heading, the title.
    Statements of one `group` are alternatives of each other: the figures of a sentence, or a document's rows. `is_cell`
    says that the periods are those of a column. `fiscal_quarters` has the fiscal year and quarter in which each of the
    column's days lies, if the document's fiscal years aren't those of the calendar. `months` is the length of the
    column's period, 0 if it names none.
    """

    passage: Passage
    start: int
    end: int
    clause: Clause
    scale: float | None
    context: frozenset[str]
    group: tuple[str, int]
    is_cell: bool
    fiscal_quarters: tuple[tuple[int, int], ...] = ()
    months: int = 0


class Statements:
    """The statements of some passages."""

    def __init__(self, passages: Sequence[Passage], documents: Mapping[str, Document]) -> None:
        self.passages, self.documents = passages, documents
        self._titles: dict[str, str] = {}

    @cached_property
    def all(self) -> list[Statement]:
        """The statements, in the order of the passages."""
        return [
            replace(statement, passage=passage)
            for passage in self.passages
            if (document := self.documents.get(passage.document_id))
            for statement in _kept_statements.of(document, passage)
        ]

    def title(self, document_id: str) -> str:
        """Return the text in which a document says what it is about: its name and its beginning."""
        if document_id not in self._titles:
            document = self.documents.get(document_id)
            self._titles[document_id] = f"{document.name}\n{document.text[:_TITLE_CHARACTERS]}" if document else ""
        return self._titles[document_id]

    def document_text(self, document_id: str) -> str:
        """Return the text of a document, or "" if it isn't here."""
        document = self.documents.get(document_id)
        return document.text if document else ""

    def has_word(self, document_id: str, words: frozenset[str]) -> bool:
        """Return whether a document has any of these words, as `role_words` returns them."""
        import numpy as np

        document = self.documents.get(document_id)
        if document is None or not words:
            return False
        vocabulary, hashes = _vocabulary.of(document), np.array([*map(hash, words)], np.int64)
        return bool((np.searchsorted(vocabulary, hashes, "right") > np.searchsorted(vocabulary, hashes)).any())

    def read(self) -> None:
        """Read the passages and the words of their documents, which takes longer than a check."""
        for document_id in {passage.document_id for passage in self.passages} & self.documents.keys():
            _vocabulary.of(self.documents[document_id])
        self.all  # noqa: B018  # the first access reads the passages


def _statements(document: Document, passage: Passage) -> tuple[Statement, ...]:
    """Return the statements of a passage."""
    units = find_units([passage], {document.id: document})
    return tuple(statement for unit in units for statement in _of_unit(passage, unit))


_kept_statements = PerPassage(_statements)


def _of_unit(passage: Passage, unit: Unit) -> list[Statement]:
    clauses = _cell_clauses(unit, unit.cell) if unit.cell else figure_clauses(unit.text)
    if not clauses:  # most sentences have no figure
        return []
    before = unit.before if unit.cell else unit.referent
    # Each part by itself: a sentence is also the one before the next, and all of a passage have its heading.
    texts = (passage.document, unit.heading, before, unit.text)
    context = frozenset[str]().union(*(unit.once(role_words, text) for text in texts))
    context |= clauses[0].words if unit.cell else frozenset()
    place = unit.start - passage.start, unit.end - passage.start
    scale = _scale(unit, unit.measure if unit.cell else "")
    row = unit.cell is not None or _is_row(unit.text)
    key = (passage.document_id, -1 if row else unit.start)
    times = _fiscal_quarters(unit), length_in(unit.cell.column_header) if unit.cell else 0
    return [
        Statement(passage, *place, clause, scale, context, key, unit.cell is not None, *times) for clause in clauses
    ]


def _cell_clauses(unit: Unit, cell: LabeledCell) -> list[Clause]:
    """Return the clauses of a cell's figures, with the words of its row and column."""
    figures = find_figures(cell.text)
    if not figures:
        return []
    labels = f"{cell.section} {cell.row_label} {cell.column_header}"
    words, periods = unit.once(role_words, labels), tuple(find_periods(labels))
    return [Clause(figure, words, periods) for figure in figures]


def _scale(unit: Unit, measure: str) -> float | None:
    """Return the scale that the table names, or the last one above the unit."""
    if scale := find_scale(measure):
        return scale
    notes = list(_SCALE_NOTE.finditer(unit.document.text, max(0, unit.start - _SCALE_CHARACTERS), unit.start))
    return find_scale(notes[-1][0]) if notes else None


def _fiscal_quarters(unit: Unit) -> tuple[tuple[int, int], ...]:
    header = unit.cell.column_header if unit.cell else ""
    days = days_in(header) if length_in(header) <= MONTHS_OF_QUARTER else []
    fiscal = structure_of(unit.document).fiscal_years if days else CALENDAR
    return tuple(fiscal.quarter_of(day) for day in days) if fiscal != CALENDAR else ()


def _distinct_words(document: Document) -> NDArray[np.int64]:
    """Return the hashes of the words of a document, as `role_words` returns them, sorted."""
    import numpy as np

    words: set[int] = set()
    for block in text_blocks(document.text):
        words.update(map(hash, role_words(" ".join({*block.split()}))))
    return np.array(sorted(words), np.int64)


_vocabulary = PerDocument(_distinct_words)


def _is_row(text: str) -> bool:
    """Return whether a line is a table's row that was read as text: a short label and figures."""
    return not text.rstrip().endswith((".", "!", "?", "。")) and len(text) < 160
