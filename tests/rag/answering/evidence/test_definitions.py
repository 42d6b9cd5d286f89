"""A definition stands right behind its term."""

from __future__ import annotations

import pytest

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.definitions import defines, says_what_it_is
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


@pytest.mark.parametrize(
    ("question", "text", "says"),
    [
        ("What is a marl?", "A marl is a kind of clay.", True),
        ("What is Quill?", "Quill is an editor for lamps.", True),
        ("Who was Ada Lund?", "Ada Lund was the mayor of Oslo.", True),
        ("Who is the mayor?", "The mayor is the head of the town.", False),
        ("What is a Warranty of Title?", "A Warranty of Title is a legal paper.", True),
        ("What is Quill?", "Quill is free.", False),
        ("What is Quill?", "The team of Quill is a good one.", False),
        ("What is the price of Quill?", "The price of Quill is a secret.", False),
        ("What does Quill cost?", "Quill is an editor for lamps.", False),
    ],
)
def test_a_sentence_says_what_something_is(question: str, text: str, says: bool) -> None:
    unit = Unit(Document("d", "guide.md", text, (), "text/markdown"), 0, len(text), text)
    assert says_what_it_is(Question(question), unit) == says
