"""A sentence with the words of a question doesn't answer it if it says something else with them."""

from __future__ import annotations

import pytest

from rag.answering.evidence.doubts.other_statements import says_otherwise
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.documents import Document

DEFECT = "“Hidden defect” means one that nobody can see."


def is_other(question: str, text: str) -> bool:
    unit = Unit(Document("d", "report.txt", text, (), "text/plain"), 0, len(text), text)
    return says_otherwise(Question(question), unit)


@pytest.mark.parametrize(
    ("question", "text", "other"),
    [
        ("Who sued Alda Mills?", "Alda Mills sued the regulator in 2019.", True),
        ("Who sued Alda Mills?", "The town of Orm sued Alda Mills in May.", False),
        ("Who was sued by Alda Mills?", "The town of Orm sued Alda Mills in May.", True),
        ("Who was sued by Alda Mills?", "Alda Mills sued the regulator in 2019.", False),
        ("Which company did Alda Mills acquire?", "Corvo acquired Alda Mills in 2019.", True),
        ("Which company did Alda Mills acquire?", "Alda Mills acquired Bero Farms in 2019.", False),
        ("Which company did Alda Mills acquire?", "Bero Farms was acquired by Alda Mills in 2019.", False),
        ("Who acquired Bero Farms?", "Bero Farms was acquired by Alda Mills in 2019.", False),
        ("Who acquired Bero Farms?", "Bero Farms acquired Corvo in 2019.", True),
    ],
)
def test_the_one_who_does_it_is_not_the_one_it_is_done_to(question: str, text: str, other: bool) -> None:
    assert is_other(question, text) is other


@pytest.mark.parametrize(
    ("question", "text", "other"),
    [
        ("When did the dam open?", "The dam is expected to open in 2031.", True),
        ("When did the dam open?", "The dam opened in 2031 and was to open in 2029.", False),
        ("When will the dam open?", "The dam is expected to open in 2031.", False),
        ("Who was appointed as treasurer?", "Ida Holm, the treasurer, resigned in May.", True),
        ("Who was appointed as treasurer?", "Olaf Berg was appointed as treasurer when Ida Holm resigned.", False),
        ("When did the sales of oats increase?", "The sales of oats decreased in May.", True),
        ("May I keep a dog if it is small?", "It is forbidden to keep a dog.", False),
    ],
)
def test_a_plan_and_the_opposite_are_no_answer(question: str, text: str, other: bool) -> None:
    assert is_other(question, text) is other


@pytest.mark.parametrize(
    ("question", "text", "other"),
    [
        ("Why did the mill close?", "The mill closed in May.", True),
        ("Why did the mill close?", "The mill closed because the river had dried up.", False),
        ("What do they mean by a hidden defect?", "The buyer found a hidden defect in May.", True),
        ("What do they mean by a hidden defect?", DEFECT, False),
        ("What does hidden defect mean?", "A flaw that nobody can see is called a hidden defect.", False),
    ],
)
def test_a_reason_and_a_meaning_are_given(question: str, text: str, other: bool) -> None:
    assert is_other(question, text) is other


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many people visited in 2023?", "In 2023, 4,200 people visited, a few hundred from abroad."),
        ("How much does the ticket cost?", "The ticket costs a little over $40."),
        ("How long does the tour take?", "The tour takes 2 hours with a short break."),
        ("How far is the station from the port?", "The station is 2 km from the port, close to the market."),
        ("How much did they spend on food?", "Food cost them $300 after 20% off."),
        ("Why did the shop move?", "The shop moved to attract more customers."),
        ("How much steel did Juno make in 2024?", "In 2024 Juno used the plant to make 2 million tonnes of steel."),
        ("Who bought Acme?", "Acme's owner since 2019 is Cove, which bought the company."),
        ("Who bought Beta?", "Acme, which sold Delta in 2019, bought Beta."),
    ],
)
def test_words_that_only_ask_and_nouns_of_other_clauses_leave_no_doubt(question: str, text: str) -> None:
    assert not is_other(question, text)
