"""Cells of tables that a question doesn't mean: of another column or number, of something else, or of its own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.evidence.doubts.named_columns import are_outdone
from rag.answering.evidence.doubts.near_misses import is_near_miss
from rag.answering.evidence.doubts.numbered import lacks_row_number
from rag.answering.evidence.doubts.other_cells import (
    counts_something_else,
    names_something_else,
    only_repeats,
)
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.units.short_headers import with_whole_words
from rag.answering.evidence.units.split import Unit
from rag.documents import Cell, Document

DOCUMENT = Document("d", "list.txt", "Heron Hotel | 120\nThe hotel has rooms.", (), "text/plain")


def cell(row: str, column: str, text: str = "120", *, section: str = "", before: str = "") -> Unit:
    labeled = LabeledCell(Cell(1, 1, 14, 17), text, row, section, column, 0, 17)
    return Unit(DOCUMENT, 0, 17, text, before=before, cell=labeled)


@pytest.mark.parametrize(
    ("question", "unit", "lacks"),
    [
        ("When does tram 45 leave?", cell("Old Market", "Tram 31"), True),
        ("When does tram 31 leave?", cell("Old Market", "Tram 31"), False),
        ("What is the aperture of the Fennel 85?", cell("Fennel 35", "Aperture"), True),
        ("How fast was version 1.9?", cell("Heron 1.8", "Lines/s"), True),
        ("How fast was version 1.9?", cell("Heron 1.9", "Lines/s"), False),
        ("How many rooms does hotel 120 have?", cell("Heron Hotel", "Rooms"), False),
        ("What does room 7 cost?", cell("Price", "2024", before="Prices of room 7:"), False),
        ("What does it cost to carry 5 passengers?", cell("Price", "Day"), False),
        ("What does a bag of 20 kg cost?", cell("Bag", "Price"), False),
        ("What does it cost after 14 days?", cell("Price", "Late"), False),
        ("What was the profit in fiscal 2024?", cell("Profit", "Budget"), False),
        ("What was the profit on June 30?", cell("Profit", "Budget"), False),
        ("What does note 4 say of goodwill?", cell("Goodwill", "Cost"), False),
    ],
)
def test_a_cell_of_something_with_another_number(question: str, unit: Unit, lacks: bool) -> None:
    assert lacks_row_number(Question(question), unit) is lacks


@pytest.mark.parametrize(
    ("question", "column", "is_else"),
    [
        ("How many wins did the Herons have?", "Seats", True),
        ("How many games did the Herons lose?", "W", True),
        ("How many seats do the Herons have?", "Seats", False),
        ("How many games did the Herons win?", "Games won", False),
        ("How many games did the Herons win at home?", "Home", False),
        ("How many people watch the Herons?", "Attendance", False),
        ("How many watts does the Heron have?", "Power (W)", False),
        ("How many boats did the Herons sell?", "2024", False),
        ("How much do the Herons pay?", "Fee", False),
    ],
)
def test_a_column_that_counts_something_else(question: str, column: str, is_else: bool) -> None:
    assert counts_something_else(Question(question), cell("Herons", column)) is is_else


@pytest.mark.parametrize(
    ("question", "text", "repeats"),
    [
        ("On which port does the meter listen?", "Port of the meter", True),
        ("On which port does the meter listen?", "Port of the server", False),
        ("On which port does the meter listen?", "9417", False),
        ("Is the meter wired?", "Wired", False),
        ("Which meter is it, wired or mobile?", "Wired", False),
    ],
)
def test_a_cell_with_words_of_the_question_only(question: str, text: str, repeats: bool) -> None:
    assert only_repeats(Question(question), cell("--port", "Meaning", text)) is repeats


def test_the_letters_of_a_course_code_name_nothing() -> None:
    question = Question("Who teaches life drawing?")
    assert not names_something_else(question, cell("ART-130 Life drawing", "Instructor", "Odile"))
    assert names_something_else(question, cell("Free life painting", "Instructor", "Odile"))


def test_the_number_in_the_label_of_a_row_only_repeats_the_question() -> None:
    unit = cell("10", "Line", "10")
    key = Unit(DOCUMENT, 0, 17, "10", cell=replace(unit.cell, cell=Cell(1, 0, 0, 2))) if unit.cell else unit
    assert only_repeats(Question("How long is line 10?"), key)
    assert not only_repeats(Question("How long is line 10?"), cell("10", "Length (km)", "10"))


@pytest.mark.parametrize(
    ("question", "column", "is_else"),
    [
        ("What is the body temperature of the heron?", "body", True),
        ("What is the body weight of the heron?", "body", False),
        ("What is the ticket price of the heron?", "Ticket", False),
        ("What was the away record of the heron?", "Away games", False),
    ],
)
def test_a_column_has_only_the_first_word_of_what_is_asked(question: str, column: str, is_else: bool) -> None:
    assert names_something_else(Question(question), cell("Heron", column)) is is_else


@pytest.mark.parametrize(
    ("question", "header", "whole"),
    [
        ("How many cylinders does it have?", "cyl", "cyl cylinders"),
        ("What is the elevation of the lake?", "elev_ft", "elev_ft elevation"),
        ("What is the article number of the cutter?", "Art. no.", "Art. no. article number"),
        ("What is the number of the class?", "No.", "No. number"),
        ("What is the maximum price?", "Max.Price", "Max.Price maximum"),
        ("What is the goal difference of the Herons?", "GD", "GD goal difference"),
        ("How many goals against did the Herons have?", "GF", "GF"),
        ("How many games did the Herons draw?", "GD", "GD"),
        ("How much carbon does it have?", "Car", "Car"),  # a word that people write
        ("What is the elevation of the lake?", "Depth", "Depth"),
    ],
)
def test_a_short_header_has_the_words_that_it_is_short_for(question: str, header: str, whole: str) -> None:
    unit = with_whole_words(Question(question), cell("Heron", header)).cell
    assert unit
    assert unit.column_header == whole


FARES = [cell("Child", "Low season Single"), cell("Child", "Low season Return")]
INCOME = [
    cell("Income before tax", "Three Months Ended June 30, 2025"),
    cell("Income (loss) before tax", "Puffin Care", before="Three months ended June 30, 2025:"),
]
QUARTERS = [cell("Rent", "June 30, 2025"), cell("Rent", "Three Months Ended June 30, 2024 Puffin Care")]


SHEETS = [cell("Borvik", "2010", before="# Income"), cell("Borvik", "2010", before="# Population")]


@pytest.mark.parametrize(
    ("question", "units", "outdone"),
    [
        ("What was the population of Borvik in 2010?", SHEETS, [True, False]),
        ("What is the fare for a child return in low season?", FARES, [True, False]),
        ("What is the fare for a child in low season?", FARES, [False, False]),
        ("What was the income before tax of Puffin Care in the second quarter of 2025?", INCOME, [True, False]),
        ("What was the income before tax in the second quarter of 2025?", INCOME, [False, False]),
        ("What was the rent of Puffin Care in the second quarter of 2025?", QUARTERS, [False, False]),
    ],
)
def test_another_column_has_more_words_of_the_question(question: str, units: list[Unit], outdone: list[bool]) -> None:
    assert are_outdone(Question(question), units) == outdone


def test_a_document_of_tables_alone_is_checked_too() -> None:
    """Its words can be those of any language: "NA" is a function word of Portuguese."""
    rows = "\n".join(f"Puffin {row},NA,Larus argentatus,herring gull,coast,summer" for row in range(40))
    unit = cell("Herons", "Seats")
    unit = Unit(Document("d", "birds.csv", rows, (), "text/csv"), 0, 17, unit.text, cell=unit.cell)
    assert is_near_miss(Question("How many wins did the Herons have?"), unit, [unit])
