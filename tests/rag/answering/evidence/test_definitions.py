"""A definition stands right behind its term."""

from __future__ import annotations

import pytest

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.definitions import defines
from rag.answering.evidence.units.split import Unit
from rag.documents import Document


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("1.1 Definitions: “Affiliate” means any entity that controls another one.", True),
        ("Affiliate: any entity that controls another one.", True),
        ("Terms\nAn affiliate (A): any entity.", True),
        ("The following list is of each affiliate: Acme Ltd.", False),
        ("An affiliate is paid by means of a transfer.", False),
        ("Of each affiliate, the mean age is given.", False),
        ("An affiliate pays for all that is stored in the sheds of the harbour, which means a loss.", False),
        ("“Affiliates” shall mean all entities.", True),
    ],
)
def test_a_definition_has_its_term_right_before_it(text: str, does: bool) -> None:
    unit = Unit(Document("d", "lease.txt", text, (), "text/plain"), 0, len(text), text)
    assert defines(Question("How is an affiliate defined?"), unit) is does
