"""Sentences that have a name of the question, but say nothing of it, or something of another number."""

from __future__ import annotations

import pytest

from rag.answering.evidence.doubts.other_names import (
    is_denied,
    is_of_other_number,
    lacks_asked_name,
    lacks_number,
    lacks_role,
)
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.split import Unit
from rag.documents import Document

OTHER, MISSING, NONE = "other", "missing", ""


def sentence(text: str, heading: str = "", *, before: str = "", beginning: str = "The yard makes boats.") -> Unit:
    document = Document("d", "guide.md", f"{beginning}\n{text}", (), "text/markdown")
    return Unit(document, len(beginning) + 1, len(document.text), text, before=before, section=heading)


@pytest.mark.parametrize(
    ("question", "text", "heading", "is_about"),
    [
        ("How many wheels does the Loader 3 have?", "The Loader 2 has six wheels.", "", OTHER),
        ("How many wheels does the Loader 3 have?", "It has six wheels.", "Machines > Loader 2", OTHER),
        ("How many wheels does the Loader 3 have?", "It has six wheels.", "Machines > Loader 3", NONE),
        ("How many wheels does the Loader 3 have?", "The Loader 2 has four wheels, the 3 has six.", "", NONE),
        ("How many wheels does the Loader 3 have?", "A loader has four wheels.", "3. Machines", MISSING),
        ("Which file does Quill 3 read?", "Quill3 reads quill.toml.", "", NONE),
        ("Which file does Quill 3 read?", "Quill 3.1 and later read quill.toml.", "", NONE),
        ("When was version 4.0 released?", "Version 3.9 was released in May 2021.", "", OTHER),
        ("When was version 4.0 released?", "It came out in May 2021.", "Changes > Version 4.0", NONE),
        ("What was fixed in quill 1.4.2?", "A crash at the start was fixed.", "quill 1.4.1", OTHER),
        ("How many boats did the yard build in May 2021?", "The yard built 12 boats.", "", NONE),
        ("What does Section 3 say about boats?", "Boats are hired by the day.", "", NONE),
        ("How long may a hire of 3 boats last?", "A hire may last four weeks.", "", NONE),
    ],
)
def test_a_name_with_another_number_is_another_name(question: str, text: str, heading: str, is_about: str) -> None:
    asked, unit = Question(question), sentence(text, heading)
    assert is_of_other_number(asked, unit) == (is_about == OTHER)
    assert lacks_number(asked, unit) == (is_about != NONE)


def test_a_document_that_begins_with_the_numbered_name_is_about_it() -> None:
    unit = sentence("A loader has four wheels.", beginning="# The Loader 3")
    assert not lacks_number(Question("How many wheels does the Loader 3 have?"), unit)


@pytest.mark.parametrize(
    ("question", "text", "likeness", "is_lacking"),
    [
        ("Who maintains Quill?", "Typical editors are Inkpot, Quill and Penman.", 0.2, True),
        ("Who maintains Quill?", "Quill is looked after by Ada Lund.", 0.6, False),
        ("Who maintains Quill?", "Ada Lund maintains it.", 0.2, False),
        ("Who is Ada Lund?", "Ada Lund is a painter.", 0.2, False),
        ("When was Quill released?", "Typical editors are Inkpot, Quill and Penman.", 0.2, False),
    ],
)
def test_a_sentence_that_only_mentions_a_name_does_not_say_who(
    question: str, text: str, likeness: float, is_lacking: bool
) -> None:
    asked = Question(question)
    assert lacks_role(asked, sentence(text), dict.fromkeys(asked.stems, likeness)) == is_lacking


def test_without_vectors_of_words_nothing_is_said_of_a_role() -> None:
    asked = Question("Who maintains Quill?")
    assert not lacks_role(asked, sentence("Inkpot, Quill and Penman."), dict.fromkeys(asked.stems, 0.0))


@pytest.mark.parametrize(
    ("question", "text", "heading", "is_lacking"),
    [
        ("Is there a Quill for Solaris?", "Inkpot works on Solaris as well.", "", True),
        ("Is there a Quill for Solaris?", "Quill works on Solaris as well.", "", False),
        ("Is there a Quill for Solaris?", "It works on Solaris as well.", "Quill", False),
        ("Can I print?", "Inkpot prints on paper.", "", False),
        ("Where does Quill run?", "Inkpot works on Solaris as well.", "", False),
    ],
)
def test_a_question_for_yes_or_no_needs_all_of_its_names(
    question: str, text: str, heading: str, is_lacking: bool
) -> None:
    assert lacks_asked_name(Question(question), sentence(text, heading)) == is_lacking


@pytest.mark.parametrize(
    ("question", "text", "is_expected"),
    [
        ("Who maintains Quill?", "Penman is like Quill, but isn't maintained by its team.", True),
        ("Who maintains Quill?", "Ada Lund has maintained Quill since May, and does not sell it.", False),
        ("Who doesn't maintain Quill?", "Quill isn't maintained by Ada Lund.", False),
        (
            "When did Otto join the club?",
            "Four painters joined the club in May (Ida did not join), Otto among them.",
            False,
        ),
        ("Does Ada maintain Quill?", "Ada doesn't maintain Quill.", False),
        ("Why is Quill not maintained?", "It isn't maintained because its team left.", False),
    ],
)
def test_a_sentence_can_deny_what_a_question_takes_for_granted(question: str, text: str, is_expected: bool) -> None:
    assert is_denied(Question(question), sentence(text)) == is_expected
