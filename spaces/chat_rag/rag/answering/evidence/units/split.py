"""Takes passages apart into the units that can answer: sentences, list items, and the cells of tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from rag.answering.evidence.tables.figures import find_unit
from rag.answering.evidence.tables.grid import Grid, LabeledCell
from rag.answering.evidence.units.document_structure import Structure, introduction, structure_of
from rag.answering.evidence.units.own_questions import join_answers
from rag.answering.evidence.units.per_document import PerPassage
from rag.answering.evidence.units.sentences import split_sentences
from rag.documents import Document, Passage, Span

_PRONOUN = re.compile(
    r"\W*(?:it|its|this|that|these|those|they|their|he|she|his|her|such|of (?:this|these|which))\b", re.IGNORECASE
)
_NO_DOCUMENT = Document("", "", "", (), "")
T = TypeVar("T")
_REACH = 500  # characters of a sentence, or of a table's row, outside of its passage


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence or cell of a document with its context.

    `start` and `end` are the characters of the sentence, or of the cell's row. `before` and `after` are the sentences
    around it; of a cell, `before` is what introduces its table. `rank` is that of its passage, from 0. `section` are
    the headings above a sentence, which a passage of several sections doesn't have; `opens_section` says that nothing
    stands between them.
    """

    document: Document
    start: int
    end: int
    text: str
    passage: Passage | None = None
    rank: int = 0
    before: str = ""
    after: str = ""
    cell: LabeledCell | None = None
    measure: str = ""
    """The unit of the table's figures, such as "in millions"."""
    section: str = ""
    opens_section: bool = False
    known: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """The results of `once`, for all units of a passage."""

    def once(self, function: Callable[..., T], *texts: str) -> T:
        """Return what a function says of texts of the unit or its passage; it's called once, also for other questions.

        The result must not refer to the document.
        """
        key = function, *texts
        if key not in self.known:
            self.known[key] = function(*texts)
        result: T = self.known[key]
        return result

    @property
    def heading(self) -> str:
        """The headings above the unit."""
        return self.section or (self.passage.heading if self.passage else "")

    @property
    def referent(self) -> str:
        """The sentence before a sentence that begins with a pronoun, and so goes on from it; otherwise ""."""
        return self.before if not self.cell and _PRONOUN.match(self.text) else ""

    @property
    def label(self) -> str:
        """The label of a cell's row, below that of its section."""
        return f"{self.cell.section} {self.cell.row_label}".strip() if self.cell else ""


def find_units(passages: Sequence[Passage], documents: Mapping[str, Document]) -> list[Unit]:
    """Return the units of the passages, in their order, each once."""
    units: dict[tuple[str, int, int], Unit] = {}
    for rank, passage in enumerate(passages):
        if document := documents.get(passage.document_id):
            for unit in _kept_units.of(document, passage):
                place = (document.id, unit.start, unit.cell.cell.start if unit.cell else -1)
                if place not in units:
                    units[place] = replace(unit, document=document, passage=passage, rank=rank)
    return list(units.values())


def _units_without_document(document: Document, passage: Passage) -> tuple[Unit, ...]:
    known: dict[Any, Any] = {}
    return tuple(replace(unit, document=_NO_DOCUMENT, known=known) for unit in _passage_units(passage, document))


_kept_units = PerPassage(_units_without_document)


def _passage_units(passage: Passage, document: Document) -> Iterator[Unit]:
    structure = structure_of(document)
    first, last = _reach(passage, document, structure)
    covered: set[Span] = set()
    for table in structure.tables_between(document, passage.start, passage.end):
        grid = structure.grid(document, table)
        cells = list(_cells(grid, document, passage))
        covered |= {(cell.start, cell.end) for cell in cells}
        if cells:
            top = min(cell.start for cell in cells)
            spans = grid.spans_between(first, last)
            covered |= {span for span, is_header in spans if span[1] <= top or is_header}
        yield from cells
    yield from _sentences(passage, document, structure, covered)


def _cells(grid: Grid, document: Document, passage: Passage) -> Iterator[Unit]:
    """Yield the cells of a table whose rows begin in the passage."""
    intro = grid.table.caption or introduction(document, grid.table.start)
    unit = grid.unit or find_unit(intro)
    for cell in grid.labeled_cells(passage.start, passage.end, _REACH):
        text = document.text[cell.start : cell.end]
        yield Unit(document, cell.start, cell.end, text, passage, before=intro, cell=cell, measure=cell.unit or unit)


def _sentences(passage: Passage, document: Document, structure: Structure, covered: Collection[Span]) -> Iterator[Unit]:
    """Yield the sentences that begin or end in a passage and are neither part of a table nor a running head."""
    first, last = _reach(passage, document, structure)
    text = document.text[first:last]
    sentences = [
        (start, end)
        for start, end in split_sentences(text)
        if not structure.is_furniture(text[start:end])
        and not any(left < first + end and first + start < right for left, right in covered)
    ]
    spans = [
        (start, end)
        for start, end in join_answers(text, sentences)
        if first + end > passage.start and first + start < passage.end
    ]
    for at, (start, end) in enumerate(spans):
        before = text[slice(*spans[at - 1])] if at else ""
        after = text[slice(*spans[at + 1])] if at + 1 < len(spans) else ""
        section = structure.heading_at(document, first + start, first + end)
        yield Unit(
            document, first + start, first + end, text[start:end], passage,
            before=before, after=after, section=section, opens_section=structure.opens_section(document, first + start),
        )  # fmt: skip


def _reach(passage: Passage, document: Document, structure: Structure) -> Span:
    """Return where a sentence can begin and end that the passage cuts: on its page, between the running heads."""
    first, last = structure.body_at(document, passage.start)
    return max(first, passage.start - _REACH), min(last, passage.end + _REACH)
