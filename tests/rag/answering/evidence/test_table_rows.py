"""Rows of tables whose label has the question's words, which a search for passages misses among many others."""

from __future__ import annotations

import pytest

from rag.answering.evidence.question_analysis.mentions import documents_that_are_meant
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.table_rows import _labeled_rows, find_rows
from rag.answering.evidence.units.answer_spans import answer_span
from rag.documents import Cell, Document, Page, Passage, Table

ROWS = [("", "2022", "2021"), ("Net sales", "100", "90"), ("Net income", "12", "9"), ("Other income, net", "3", "2")]


def document(name: str, title: str) -> Document:
    text, cells = f"{title}\n\n", []
    start = len(text)
    for number, row in enumerate(ROWS):
        for column, value in enumerate(row):
            cells.append(Cell(number, column, len(text), len(text) + len(value), header=number == 0))
            text += f"{value} | " if column < 2 else value
        text += "\n"
    table = Table(start, len(text) - 1, tuple(cell for cell in cells if cell.end > cell.start))
    return Document(name, name, text, (Page(1, 0, len(text)),), "text/plain", (table,))


DOCUMENTS = [document("a.md", "Annual report of Alba"), document("b.md", "Annual report of Brio")]


def rows(question: str, *passages: Passage) -> list[Passage]:
    """The rows of the documents that are meant, as the page finds them."""
    asked = Question(question)
    meant = documents_that_are_meant(asked, DOCUMENTS)
    return find_rows(asked, [each for each in DOCUMENTS if each.id in meant], passages)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("What was Brio's net income in the third quarter of 2022?", "Net income | 12 | 9"),
        ("How much were the net sales of Brio in June 2021?", "Net sales | 100 | 90"),
    ],
)
def test_a_row_is_found_by_its_label_in_the_document_that_is_meant(question: str, row: str) -> None:
    best, *_ = rows(question)
    assert best.document == "b.md"
    assert row in best.text
    assert best.text == DOCUMENTS[1].text[best.start : best.end]


def test_a_row_of_a_passage_is_not_repeated() -> None:
    best, *_ = rows("What was Brio's net income?")
    assert rows("What was Brio's net income?", best) == []


def test_a_row_without_a_label_is_found_by_that_of_its_section_or_of_the_row_above() -> None:
    rows = [
        ("Drinks", "", ""), ("Coffee", "Small", "2.50"), ("", "Large", "3.50"), ("Tea", "Small", "2.00"),
        ("", "", "8.00"), ("Cake", "Slice", "4.00"), ("", "", "4.00"), ("", "Cash only", ""),
    ]  # fmt: skip
    text, cells = "", []
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            cells.append(Cell(number, column, len(text), len(text) + len(value)))
            text += f"{value} | "
    prices = Document("p", "p.html", text, (Page(1, 0, len(text)),), "text/html")
    labels = [label for label, _ in _labeled_rows(prices, Table(0, len(text), tuple(cells)))]
    assert labels == ["Drinks", "Coffee", "Coffee", "Tea", "Drinks", "Cake", "", ""]


@pytest.mark.parametrize(
    "question", ["Why did Brio's net income fall?", "What was the number of Brio's ships?", "2022?"]
)
def test_other_questions_need_no_row(question: str) -> None:
    assert rows(question) == []


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("How many shares did it buy?", "It bought 408 million shares for $65.0 billion under a plan.", "408 million"),
        ("How many shares may it buy?", "On April 28, 2022, the board allowed 90 million more.", "90 million"),
        ("How many pairs were counted?", "Between 2014 and 2024 the pairs rose from 1,850 to 2,430.", "1,850"),
    ],
)
def test_a_number_is_neither_money_nor_a_year(question: str, text: str, answer: str) -> None:
    start, end = answer_span(text, Question(question))
    assert text[start:end] == answer
