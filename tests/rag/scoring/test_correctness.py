"""Which answers are right."""

from __future__ import annotations

import pytest

from rag.scoring.answer_text import plain_text, statements
from rag.scoring.correctness import mark_answer
from rag.scoring.questions import Gold
from rag.scoring.texts.refusals import is_refusal
from tests.rag.scoring.cases import CASES
from tests.rag.scoring.cases.case import Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.gold[0]}: {case.answer[:60]}")
def test_an_answer_gets_the_mark_that_a_person_gives(case: Case) -> None:
    text = plain_text(case.answer)
    parts = statements(text)
    gold = Gold(case.gold, answerable=True)
    mark = mark_answer(case.question, gold, text, parts, refused=is_refusal(case.question, parts))
    assert mark.correct == case.correct, mark.reason
