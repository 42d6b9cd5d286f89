"""Takes passages apart into the units that can answer: sentences, list items, and the cells of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.answering.evidence.sentences import split_sentences
from rag.answering.evidence.structure import Structure, introduction, structure_of
from rag.answering.evidence.tables.figures import find_unit
from rag.answering.evidence.tables.grid import Grid, LabeledCell
from rag.documents import Document, Passage, Table

_PRONOUN = re.compile(
    r"\W*(?:it|its|this|that|these|those|they|their|he|she|his|her|such|of (?:this|these|which))\b", re.IGNORECASE
)
_MAX_SENTENCE = 500  # characters of a sentence outside of its passage


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence or cell of a document with its context.

    `start` and `end` are the characters of the sentence, or of the cell's row. `before` and `after` are the sentences
    around it; of a cell, `before` is what introduces its table. `rank` is that of its passage, from 0.
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

    @property
    def heading(self) -> str:
        """The headings above the unit."""
        return self.passage.heading if self.passage else ""

    @property
    def referent(self) -> str:
        """The sentence before a sentence that begins with a pronoun, and so goes on from it; otherwise ""."""
        return self.before if not self.cell and _PRONOUN.match(self.text) else ""

    @property
    def label(self) -> str:
        """The label of a cell's row, below that of its section."""
        return f"{self.cell.section} {self.cell.row_label}".strip() if self.cell else ""


def find_units(
    passages: Sequence[Passage], documents: Mapping[str, Document], grids: Grids | None = None
) -> list[Unit]:
    """Return the units of the passages, in their order, each once; `grids` serves for further calls."""
    units: dict[tuple[str, int, int], Unit] = {}
    grids = grids or Grids()
    for rank, passage in enumerate(passages):
        if document := documents.get(passage.document_id):
            for unit in _passage_units(passage, document, rank, grids):
                place = unit.cell.cell.start if unit.cell else -1
                units.setdefault((document.id, unit.start, place), unit)
    return list(units.values())


class Grids:
    """The cells of tables with their labels, once for all passages: a table can be as long as a document."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, int], tuple[list[LabeledCell], str, str]] = {}

    def cells(self, table: Table, document: Document) -> tuple[list[LabeledCell], str, str]:
        """Return the cells of a table in their order, what introduces the table, and the unit of its figures."""
        key = document.id, table.start
        if key not in self._cells:
            grid = Grid(table, document.text)
            intro = table.caption or introduction(document, table.start)
            cells = list(grid.labeled_cells())
            self._cells[key] = cells, intro, grid.unit or find_unit(intro)
        return self._cells[key]


def _passage_units(passage: Passage, document: Document, rank: int, grids: Grids) -> Iterator[Unit]:
    structure = structure_of(document)
    covered: list[tuple[int, int]] = []
    for table in structure.tables_between(document, passage.start, passage.end):
        cells = list(_cells(table, document, passage, rank, grids))
        covered += [(cell.start, cell.end) for cell in cells]
        if cells and table.cells:
            first = min(cell.start for cell in cells)
            covered += [(cell.start, cell.end) for cell in table.cells if cell.end <= first or cell.header]
        yield from cells
    yield from _sentences(passage, document, rank, structure, covered)


def _cells(table: Table, document: Document, passage: Passage, rank: int, grids: Grids) -> Iterator[Unit]:
    """Yield the cells of a table whose rows begin in the passage."""
    cells, intro, measure = grids.cells(table, document)
    for cell in cells:
        if passage.start <= cell.start < passage.end:
            text = document.text[cell.start : cell.end]
            yield Unit(document, cell.start, cell.end, text, passage, rank, intro, cell=cell, measure=measure)


def _sentences(
    passage: Passage, document: Document, rank: int, structure: Structure, covered: Sequence[tuple[int, int]]
) -> Iterator[Unit]:
    """Yield the sentences that begin or end in a passage and are no part of a table and no running head."""
    first, last = _reach(passage, document)
    text = document.text[first:last]
    spans = [
        (start, end)
        for start, end in split_sentences(text)
        if first + end > passage.start
        and first + start < passage.end
        and not structure.is_furniture(text[start:end])
        and not any(left < first + end and first + start < right for left, right in covered)
    ]
    for at, (start, end) in enumerate(spans):
        before = text[slice(*spans[at - 1])] if at else ""
        after = text[slice(*spans[at + 1])] if at + 1 < len(spans) else ""
        yield Unit(document, first + start, first + end, text[start:end], passage, rank, before, after)


def _reach(passage: Passage, document: Document) -> tuple[int, int]:
    """Return where a sentence can begin and end that the passage cuts: on its page, between the running heads."""
    bodies = (body for body in document.page_bodies() if body[0] <= passage.start < body[1])
    first, last = next(bodies, (0, len(document.text)))
    return max(first, passage.start - _MAX_SENTENCE), min(last, passage.end + _MAX_SENTENCE)
