"""A question costs as much as its passages: not as much as the documents that they are from, whatever these hold.

Calls of functions are counted instead of time: they are the same in each run.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from rag.answering.evidence.question_analysis.abbreviations import _known, spell_out
from rag.answering.evidence.question_analysis.mentions import documents_that_are_meant, find_missing
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.summary import _candidates
from rag.answering.evidence.tables.table_rows import find_rows
from rag.answering.evidence.units.document_structure import _structures, structure_of
from rag.answering.evidence.units.split import find_units
from rag.answering.verification.verifier import Verifier
from rag.documents import Chunk, Document, Limits, Page, Passage
from rag.reading.markdown.cells import GridCell
from rag.reading.markdown.content_writer import ContentWriter
from rag.search.index import Index
from tests.security.linear_time import assert_linear

# A document that is ten times as large may need so many times as many calls for the same passages.
LARGER, MOST_GROWTH = 10, 1.3
HEADER = ("", *(str(year) for year in range(2017, 2022)))


def count_calls(work: Callable[[], object]) -> int:
    """Return how many functions of Python and of C run."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def assert_same_cost(prepare: Callable[[int], Callable[[], object]], size: int) -> None:
    """Assert that the work for a larger document costs about the same from the second question on."""
    counts = []
    for each in (size, LARGER * size):
        work = prepare(each)
        work()  # reads the document once
        counts.append(count_calls(work))
    assert counts[1] <= MOST_GROWTH * counts[0], counts


def table(rows: Iterable[tuple[str, ...]]) -> Document:
    """A spreadsheet of one table."""
    writer = ContentWriter("table.xlsx", Limits())
    writer.add_table(
        [GridCell(row, column, text) for row, cells in enumerate(rows) for column, text in enumerate(cells)]
    )
    content = writer.content()
    return Document("d", "table.xlsx", content.text, content.pages, "application/vnd.ms-excel", content.tables)


def long_table(rows: int) -> Document:
    """A table with sections, and rows that have the label of a question."""
    values = (
        (f"Section {row}", *[""] * 5)
        if row % 10 == 1
        else (f"Visitors {row}", *(str(100 + row + at) for at in range(5)))
        for row in range(1, rows)
    )
    return table((HEADER, *values))


def prose(sentences: int) -> Document:
    text = "".join(f"The harbour of Alba had {200 + at} visitors in 2019.\n" for at in range(sentences))
    pages = tuple(Page(1 + start // 2000, start, min(start + 2000, len(text))) for start in range(0, len(text), 2000))
    return Document("d", "prose.pdf", text, pages, "application/pdf")


def passage(document: Document, start: int, length: int = 400, number: int = 1) -> Passage:
    text = document.text[start : start + length]
    return Passage(number, document.id, document.name, None, "", start, start + len(text), text, 1.0, None, None)


@pytest.mark.parametrize("place", [0.1, 0.9])
def test_the_cells_of_a_passage_are_labelled_without_those_of_the_whole_table(place: float) -> None:
    def prepare(rows: int) -> Callable[[], object]:
        document = long_table(rows)
        part = passage(document, document.text.index(f"| Visitors {int(place * rows) // 10 * 10 + 5} "))
        return lambda: find_units([part], {document.id: document})

    assert_same_cost(prepare, 300)


def test_a_passage_of_a_wide_row_has_the_cells_near_it() -> None:
    def prepare(columns: int) -> Callable[[], object]:
        document = table([("", *(f"c{at}" for at in range(columns))), ("Visitors", *("5" for _ in range(columns)))])
        part = passage(document, document.text.index("| Visitors"), 200)
        return lambda: find_units([part], {document.id: document})

    assert_same_cost(prepare, 1_000)


def test_rows_are_found_by_their_labels_without_a_look_at_each() -> None:
    def prepare(rows: int) -> Callable[[], object]:
        document, question = long_table(rows), Question("What was the number of visitors in 2019?")
        return lambda: find_rows(question, [document], [passage(document, 0)])

    assert_same_cost(prepare, 300)


def test_an_answer_is_checked_without_the_rest_of_its_document() -> None:
    def prepare(rows: int) -> Callable[[], object]:
        document = long_table(rows)
        parts = [passage(document, document.text.index("| Visitors 55 ")), passage(document, 0, 300, number=2)]

        def check() -> None:
            verifier = Verifier(parts, {document.id: document})
            verifier.prepare()
            verifier.check("Wonderful Visitors came: 155 in 2017, and 160 in 2021.")
            verifier.check("Harbours and their visitors are described at length.")

        return check

    assert_same_cost(prepare, 300)


def test_a_sentence_of_figures_is_checked_in_linear_time() -> None:
    """In a passage where all figures are alike, each may be the one of the sentence."""

    def prepare(figures: int) -> Callable[[], object]:
        text = "".join(f"Ships of harbour {at}: 7 and 8\n" for at in range(figures))
        document = Document("d", "d.txt", text, (), "text/plain")
        verifier = Verifier([passage(document, 0, len(text))], {document.id: document})
        verifier.prepare()
        return lambda: verifier.check("The ships of the harbour were 7 in 2019.")

    counts = [count_calls(prepare(figures)) for figures in (100, 200)]
    assert counts[1] <= 2.3 * counts[0], counts


def test_a_sentence_of_hundreds_of_figures_is_not_checked() -> None:
    document = long_table(300)
    verifier = Verifier([passage(document, 0, 6_000)], {document.id: document})
    verifier.prepare()
    assert verifier.is_slow, "its checks don't run in the thread that serves the pages"
    assert count_calls(lambda: verifier.check(f"The visitors were {'104, ' * 300}and 105.")) < 100_000


def test_names_and_years_are_looked_for_without_a_call_for_each_place() -> None:
    def prepare(sentences: int) -> Callable[[], object]:
        document, question = prose(sentences), Question("What did Har and Visitors say about Alba in 2031?")
        return lambda: (documents_that_are_meant(question, [document]), find_missing(question, [document]))

    assert_same_cost(prepare, 300)


def test_an_abbreviation_is_spelled_out_without_reading_the_documents_again() -> None:
    def prepare(sentences: int) -> Callable[[], object]:
        document = prose(sentences)
        return lambda: spell_out("Who is the CFO of Alba?", [document])

    assert_same_cost(prepare, 300)


def test_a_question_of_many_abbreviations_looks_for_some_of_them() -> None:
    document = prose(1)
    letters = " ".join(f"{chr(65 + at // 26)}{chr(65 + at % 26)}Q" for at in range(600))
    assert letters in spell_out(f"What is {letters} of Alba?", [document])
    assert len(_known.of(document)) < 5


@pytest.mark.parametrize("part", ["c f o ", "c  ", "cof of ", "cc", "chief of the "])
def test_an_abbreviation_is_searched_for_in_linear_time(part: str) -> None:
    def search(size: int) -> object:
        text = part * (size // len(part))
        return spell_out("Who is the CFO?", [Document("d", "d.txt", text, (), "text/plain")])

    assert_linear(search, part, sizes=(10_000, 100_000))


def test_a_question_of_many_names_looks_for_some_of_them() -> None:
    names = " ".join(f"Name{at}x" for at in range(1_000))
    assert len(Question(f"What did {names} say?").names) < 20


def test_key_sentences_are_chosen_once() -> None:
    def prepare(sentences: int) -> Callable[[], object]:
        document = prose(sentences)
        return lambda: _candidates.of(document)

    assert_same_cost(prepare, 100)


def test_documents_that_are_left_out_cost_nothing() -> None:
    def prepare(chunks: int) -> Callable[[], object]:
        index = Index()
        for name, count in (("searched", 300), ("left_out", chunks)):
            made = [Chunk(name, name, at, at + 1, f"gannet {at}", None, "") for at in range(count)]
            index.add(name, made, np.random.default_rng(1).normal(size=(count, 8)))
        return lambda: index.search("gannet", [1.0] * 8, left_out={"left_out"})

    assert_same_cost(prepare, 300)


def test_what_is_known_of_a_document_ends_with_it() -> None:
    documents: list[Any] = [long_table(50), prose(50)]
    gc.collect()  # those of other tests
    before = len(_structures._values)
    for document in documents:
        structure_of(document)
    assert len(_structures._values) == before + 2
    documents.clear()
    del document
    gc.collect()
    assert len(_structures._values) == before
