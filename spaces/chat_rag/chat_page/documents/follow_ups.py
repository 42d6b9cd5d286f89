"""Questions to go on with: what stands beside the quotes of an answer, as far as the documents answer it as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest

from chat_page.documents.suggestions import READ, heading_topic, strings_of_document
from rag.answering.evidence.tables.figures import is_blank, is_figure, plain_label
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.units.document_structure import structure_of
from rag.answering.quotes import Quote
from rag.answering.turn import Turn
from rag.answering.types import Retrieval
from rag.documents import Document
from rag.reading.markdown.headings import find_headings

COUNT = 3
MOST_CHECKED = 8  # each is a search, as for a question of the visitor
_ROWS = 600  # characters of a table above and below the quoted row
_LABEL = range(2, 61)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question, and the characters of the document in which its answer begins."""

    question: str
    document_id: str
    start: int
    end: int

    def is_answered(self, retrieval: Retrieval) -> bool:
        """Return whether the documents answer with these words, without doubts."""
        if retrieval.abstention or retrieval.unsure or not retrieval.quotes:
            return False
        quote = retrieval.quotes[0]
        return quote.document_id == self.document_id and self.start <= quote.answer_start < self.end


def may_go_on(turn: Turn) -> bool:
    """Return whether an answer is one to go on from: it has ended and quotes the documents."""
    return bool(turn.finish_reason and turn.quotes) and not (turn.abstention or turn.error or turn.shared)


def follow_ups(turn: Turn, documents: Mapping[str, Document], earlier: Iterable[Turn] = ()) -> Iterator[FollowUp]:
    """Yield what can be asked next, the closest first: other cells of a quoted table, then headings of other passages.

    What the turn, or an `earlier` one, has asked or quoted is left out.
    """
    turns = [*earlier, turn]
    quoted = [(quote.document_id, quote.answer_start) for each in turns for quote in each.quotes]
    quotes = [quote for quote in turn.quotes if quote.document_id in documents]
    cells = next((_cells(quote, documents[quote.document_id]) for quote in quotes if quote.row is not None), iter(()))
    seen = {each.question.casefold() for each in turns}
    for each in chain(cells, _headings(turn, documents)):
        is_quoted = any(key == each.document_id and each.start <= place < each.end for key, place in quoted)
        if each.question.casefold() not in seen and not is_quoted:
            seen.add(each.question.casefold())
            yield each


def _cells(quote: Quote, document: Document) -> Iterator[FollowUp]:
    """Yield the same row in other columns and the same column in other rows, in turn, the nearest first."""
    cells = [cell for cell in _cells_around(quote, document) if _is_like(cell, quote)]

    def distance(cell: LabeledCell) -> tuple[int, int]:
        row, column = cell.cell.row - (quote.row or 0), cell.cell.column - (quote.column or 0)
        return abs(row) + abs(column), -row  # what is below comes before what is above

    row = sorted((cell for cell in cells if cell.cell.row == quote.row), key=distance)
    column = sorted((cell for cell in cells if cell.cell.column == quote.column), key=distance)
    for cell in (cell for pair in zip_longest(row, column) for cell in pair if cell):
        yield FollowUp(_cell_question(cell, document), document.id, cell.cell.start, cell.cell.end)


def _cells_around(quote: Quote, document: Document) -> Iterator[LabeledCell]:
    structure = structure_of(document)
    for table in structure.tables_between(document, quote.start, quote.end)[:1]:
        start = max(table.start, quote.start - _ROWS)
        yield from structure.grid(document, table).labeled_cells(start, min(table.end, quote.end + _ROWS), _ROWS)


def _is_like(cell: LabeledCell, quote: Quote) -> bool:
    """Return whether a cell is another one of the same kind, with labels that fit into a question."""
    labels = [plain_label(cell.row_label), *([cell.column_header] if cell.column_header else [])]
    return (
        not is_blank(cell.text)
        and is_figure(cell.text) == is_figure(quote.answer)
        and ("%" in cell.text) == ("%" in quote.answer)
        and all(len(label) in _LABEL and any(map(str.isalnum, label)) for label in labels)
        and any(map(str.isalpha, labels[0]))
    )


def _cell_question(cell: LabeledCell, document: Document) -> str:
    words, row = strings_of_document(document), plain_label(cell.row_label)
    if not cell.column_header:
        return words.fill(words.row_question, row=row)
    return words.fill(words.cell_question, row=row, column=cell.column_header)


def _headings(turn: Turn, documents: Mapping[str, Document]) -> Iterator[FollowUp]:
    """Yield the headings of the sections that are in the passages."""
    sections = {
        key: _sections(documents[key]) for key in {each.document_id for each in turn.passages} & documents.keys()
    }
    for passage in turn.passages:
        for heading, start, end in sections.get(passage.document_id, ()):
            if passage.start < end and start < passage.end:
                document = documents[passage.document_id]
                words = strings_of_document(document)
                question = words.fill(words.heading_question, name=document.name, heading=f"“{heading}”")
                yield FollowUp(question, document.id, start, end)


def _sections(document: Document) -> list[tuple[str, int, int]]:
    """Return the heading of each section that has none below it, and its characters."""
    headings = find_headings(document.text[:READ])
    ends = [*(each.start for each in headings[1:]), min(READ, len(document.text))]
    paths = [*(each.path for each in headings[1:]), ""]
    return [
        (topic, each.start, end)
        for each, end, below in zip(headings, ends, paths, strict=False)
        if (topic := heading_topic(each.path)) and not below.startswith(f"{each.path} > ")
    ]
