"""The sentence below a heading that asks the question."""

from __future__ import annotations

import pytest

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.headings import answers_heading, is_heading_without_answer, only_introduces
from rag.answering.evidence.units.split import Unit
from rag.documents import Document

DOCUMENT = Document("d", "faq.md", "No. Ask at the desk.", (), "text/markdown")


@pytest.mark.parametrize(
    ("question", "is_without"),
    [("When was release 1.4 made?", False), ("Who made release 1.4?", True)],
)
def test_a_heading_with_a_date_only_says_when(question: str, is_without: bool) -> None:
    heading = Unit(DOCUMENT, 0, 3, "Release 1.4 (15 Apr 2022)", section="News > Release 1.4 (15 Apr 2022)")
    assert is_heading_without_answer(Question(question), heading) == is_without
    assert not is_heading_without_answer(Question(question), Unit(DOCUMENT, 0, 3, "No.", section=heading.section))


@pytest.mark.parametrize(
    ("question", "heading", "opens", "answers"),
    [
        ("Does Quill run on Solaris?", "FAQ > Does Quill run on Solaris?", True, True),
        ("Can Quill run on Solaris?", "FAQ > 5. Does Quill run on Solaris?", True, True),
        ("Does Quill run on Solaris?", "FAQ > Does Quill run on Solaris?", False, False),
        ("Does Quill run on Solaris?", "FAQ > Does Quill print?", True, False),
        ("Does Quill run on Solaris?", "FAQ > Quill on Solaris", True, False),
        ("Does Quill run on Solaris?", "FAQ > What is Quill? Does it run on Solaris?", True, False),
        ("Does Quill run on Solaris?", "", True, False),
        ("What is Quill?", "Editors > Quill", True, True),
        ("What are quills?", "Editors > *Quills:*", True, True),
        ("What is Quill?", "Editors > Quill", False, False),
        ("What is Quill?", "Editors > Quill and Inkpot", True, False),
        ("Where is Quill?", "Editors > Quill", True, False),
    ],
)
def test_the_first_sentence_answers_the_question_in_its_heading(
    question: str, heading: str, opens: bool, answers: bool
) -> None:
    unit = Unit(DOCUMENT, 0, 3, "No.", section=heading, opens_section=opens)
    assert answers_heading(Question(question), unit) == answers


@pytest.mark.parametrize(
    ("text", "introduces"),
    [
        ("If you sell it, then:", True),
        ("**The fees are as follows:**", True),
        ("You pay 5 euros, as Ada Lund wrote:", False),
        ("Fees: 5 euros.", False),
        ("You pay 5 euros.", False),
    ],
)
def test_a_sentence_before_a_list_only_introduces_it(text: str, introduces: bool) -> None:
    assert only_introduces(Question("How much do I pay?"), Unit(DOCUMENT, 0, 3, text)) == introduces
