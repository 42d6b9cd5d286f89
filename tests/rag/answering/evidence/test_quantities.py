"""When a question for a quantity leaves doubt: right answers in other words must leave none."""

from __future__ import annotations

import pytest

from rag.answering.evidence.features.kinds import kind_features
from rag.answering.evidence.question_analysis.quantities import (
    is_part_of_total,
    is_unknown_quantity,
    lacks_answer,
    lacks_counted,
)
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.units.split import Unit
from rag.documents import Cell, Document

GERMAN = "Der Verein hat im Jahr 2023 ein Boot gekauft, und es liegt an der Brücke. " * 3


def document(text: str) -> Document:
    return Document("d", "report.txt", text, (), "text/plain")


def unit(text: str, source: str = "") -> Unit:
    return Unit(document(f"{text}\n{source}"), 0, len(text), text)


def cell(section: str) -> Unit:
    labeled = LabeledCell(Cell(1, 1, 0, 3), "120", "Revenues", section, "2023", 0, 14)
    return Unit(document("Revenues | 120"), 0, 14, "Revenues | 120", cell=labeled)


@pytest.mark.parametrize(
    ("question", "text", "is_unknown"),
    [
        ("What is the minimum wage today?", "The minimum wage is $12 an hour.", False),
        ("What was the net income last quarter?", "Net income was $12 million.", False),
        ("What is the amount owed?", "The tenant must pay $900.", False),
        ("What is the amount of rent due?", "The tenant must pay $900.", False),
        ("What was the price paid by Juno?", "Juno bought it for $900.", False),
        ("What is the price tag?", "It costs $900.", False),
        ("What were the library fees?", "There is a fee of $2.", False),
        ("What was the revenue in 2023?", "Net sales were $12 million.", False),  # another word for it
        ("What is the salary of a keeper?", "A keeper's pay is $900.", False),
        ("What is the rent?", "Die Miete beträgt 900 Euro und ist am Ersten des Monats fällig.", False),
        ("What was the dividend today?", "Net sales were $12 million.", True),
        ("What is the monthly rent?", "The deposit is $900.", True),
        ("What is the late payment penalty now?", "The deposit is $900.", True),
    ],
)
def test_no_document_mentions_the_money_of_a_question(question: str, text: str, is_unknown: bool) -> None:
    assert is_unknown_quantity(Question(question), [document(text)]) is is_unknown


@pytest.mark.parametrize(
    ("question", "text", "lacks"),
    [
        ("How many kilometers is the trail?", "The trail runs for 350 km.", False),
        ("How many grams of salt do I need?", "Add 20 g of salt.", False),
        ("How many gigabytes of memory does it have?", "The memory is 16 GB.", False),
        ("How many pounds does the stove weigh?", "The stove is 40 lbs.", False),
        ("How many employees does Juno have?", "Juno has a workforce of 1,200.", False),
        ("How many boats does the club have?", "Der Verein hat zwölf Segelboote gekauft.", False),
        ("How many chimneys does the mill have?", "The mill has 12 windows.", True),
        ("How many chimneys does the mill have?", "In May 2021, the mill had 12 windows and 3 doors.", True),
    ],
)
def test_a_number_can_count_something_else(question: str, text: str, lacks: bool) -> None:
    assert lacks_counted(Question(question), unit(text)) is lacks


def test_the_words_of_a_document_in_another_language_are_not_compared() -> None:
    assert not lacks_counted(Question("How many boats does the club have?"), unit("Segelboote: 12 Stück", GERMAN))


@pytest.mark.parametrize(
    ("question", "text", "lacks"),
    [
        ("Why was the regatta postponed?", "The regatta was moved: it snowed.", False),
        ("Warum wurde die Regatta verschoben?", "Die Regatta wurde verschoben, weil es schneite.", False),
        ("¿Por qué se aplazó la regata?", "La regata se aplazó porque nevaba.", False),
        ("What caused the outage?", "A faulty valve triggered the outage.", False),
        ("Why do leaves fall?", "Leaves fall when days become short, which stops the sap.", False),
        ("What is a credit score?", "A credit score says how well somebody pays back.", False),
        ("What is the heart rate monitor used for?", "The heart rate monitor warns of stress.", False),
        ("What is the exchange rate policy?", "The exchange rate policy is set by the bank.", False),
        ("What was the survival rate of the herons?", "All of the herons survived.", False),
        ("What was the survival rate of the herons?", "The survival rate of the herons differs by age.", True),
        ("What percentage of the deposit is refundable?", "The deposit is fully refundable.", False),
        ("What percentage of patients recovered?", "Most of the patients recovered.", False),
        ("Wie viel Prozent der Boote sind neu?", "Neu sind drei Prozent der Boote.", False),
        ("What percentage of patients recovered?", "Patients are the most important thing at all.", True),
        ("What percentage of patients recovered?", "Of those who recovered, most patients were young.", True),
    ],
)
def test_a_share_in_words_is_no_lack(question: str, text: str, lacks: bool) -> None:
    asked = Question(question)
    assert lacks_answer(asked, unit(text), kind_features(asked, unit(text))) is lacks


def test_a_part_that_the_question_names_is_meant() -> None:
    assert not is_part_of_total(Question("What is the total current revenue?"), cell("Current:"))


@pytest.mark.parametrize(
    ("section", "is_part"),
    [
        ("Income statement:", False),
        ("Year ended December 31, 2023:", False),
        ("Current:", True),
        ("Non-current liabilities:", True),
        ("Domestic:", True),
    ],
)
def test_the_title_of_a_sheet_is_no_part_of_a_total(section: str, is_part: bool) -> None:
    assert is_part_of_total(Question("What is the total revenue in 2023?"), cell(section)) is is_part
