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
