"""Figures beside references, and the names of companies, are answers too."""

from __future__ import annotations

import pytest

from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.amounts import has_amount
from rag.answering.evidence.units.answer_candidates import candidates
from rag.answering.evidence.units.answer_spans import answer_span


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("How many patients died?", "According to Table 2, 45 patients died.", "45"),
        ("Wie viel kostet das Essen?", "Bis 16.00 Uhr kostet das Essen 4 Euro.", "4 Euro"),
        ("Wie viel kostet das Essen?", "Das Essen gibt es bis 16.00 Uhr.", "Das Essen gibt es bis 16.00 Uhr."),
        ("How much is lunch?", "(3) Lunch is 40.", "40"),
        ("How many copies must be filed?", "Under Section 12, 3 copies must be filed.", "3"),
        ("How many boats sank?", "Figure 3 and 12 other boats sank.", "12"),
        ("What share agreed?", "As shown in Figures 3, 62% of the keepers agreed.", "62%"),
        ("How many nurses took part?", "Present were teachers (45), nurses (30), and doctors (12).", "30"),
        ("How many doctors took part?", "Present were teachers (45), nurses (30), and doctors (12).", "12"),
        ("How many of the directors are independent?", "Only one of the directors is independent.", "one"),
        ("How many of the boats sank?", "There one of the boats sank.", "one"),
        ("How many keepers are there?", "It is one of the oldest towers, with two keepers.", "two"),
        ("Who manufactures the pump?", "The pump is manufactured by Grundfos Company in Denmark.", "Grundfos Company"),
        ("Who is the supplier?", "The supplier, Medtronic Inc., is based in Dublin.", "Medtronic Inc."),
        ("Who is the landlord?", "The landlord is Northgate Properties LLC.", "Northgate Properties LLC."),
        ("Who opened the meeting?", "Board Chair Jane Doe opened the meeting.", "Chair Jane Doe"),
        ("Who is the president?", "The Company’s President Jane Doe opened the meeting.", "President Jane Doe"),
        ("Who is the president of Acme?", "The president of Acme Company, Jane Doe, opened it.", "Jane Doe"),
        ("Who chairs the panel?", "In October 2018 Jane Doe became chair of the panel.", "Jane Doe"),
        ("Who wrote the guide?", "In May, volume Y of the guide was written by Jane Doe in Oslo.", "Jane Doe"),
        ("Who approves the budget?", "The Finance Committee approves it.", "The Finance Committee"),
        ("Who appoints the Wardens?", "The Wardens are appointed by the Guild of Weavers in May.", "Guild of Weavers"),
        (
            "Who made Quill for the Amiga?",
            "QuillBoard is Quill made for the Amiga, by Otto Maier in Oslo.",
            "Otto Maier",
        ),
        ("Who wrote the Pier Book?", "It is in the Pier Book (a guide), written by Ada Lund in Oslo.", "Ada Lund"),
        ("Who makes Quill?", "Others are Inkpot, Quill and Penman, of the Guild.", "Inkpot"),
        ("Whom did Otto Lund marry?", "Otto Lund married Ida Lund in May.", "Ida Lund"),
        ("Who wrote the first guide?", "First guide: Ada Lund\n(Edited by Otto Maier)", "Ada Lund"),
        ("Who is at the desk?", "* Ada Lund (TNB): at the desk", "Ada Lund"),
        ("Who works on the ferry?", "Ada Lund: ferry PR, and the new pier", "Ada Lund"),
        ("Who took the boat?", "Ida said: “If it rains, Otto takes the boat”.", "Otto"),
        ("Who runs the ferry?", "* **Crew** → Nobody is perfect, but Ada Lund runs the ferry.", "Ada Lund"),
        ("Who runs the ferry?", "The TNB runs the ferry.", "The TNB"),
        ("Who were the Picts?", "The Picts were painters of Scotland.", "The Picts were painters of Scotland."),
        ("When was version 1.4 adopted?", "Version 1.5 on 2 May 2015, version 1.4 on 7 May 2007.", "7 May 2007"),
        ("When was version 1.5 adopted?", "Version 1.5 on 2 May 2015, version 1.4 on 7 May 2007.", "2 May 2015"),
        ("When was it adopted?", "It was adopted on October 29th, 2003.", "October 29th, 2003"),
        ("When was it adopted?", "It was adopted on the 3rd of May 1998.", "3rd of May 1998"),
        ("When was it released?", "Release 7 (15 Apr 2022)", "15 Apr 2022"),
        ("When was it released?", "It came out on 2013-08-30.", "2013-08-30"),
        ("How much mail is rejected?", "filter(8) rejects about 90% of all mail.", "90%"),
        ("How much RAM does Quill need?", "A machine with Tide 2.04 and 2Mb RAM.", "2Mb"),
        ("How many people came?", "The cup of '98 drew 40 people.", "40"),
    ],
)
def test_the_answer_is_marked(question: str, text: str, answer: str) -> None:
    start, end = answer_span(text, Question(question))
    assert text[start:end] == answer


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("As shown in Figure 3, 62% of the keepers agreed.", True),
        ("See Tables 2, 3 and 4.", False),
        ("Tables 2 and 3 show the rates.", False),
        ("Chapters 3 to 5 say more.", False),
        ("**(3)** Lunch is paid apart.", False),
        ("3) Lunch is paid apart.", False),
        ("(3) Lunch is 4 dollars.", True),
        ("In all, (45) teachers came.", True),
        ("Sections 3, 12 copies of which exist.", True),
        ("Only one of the keepers is left.", True),
        ("It is one of the keepers.", False),
        ("A child needs 1900–2000 calories.", True),
        ("The years 1900–2000 were dry.", False),
        ("The 1900–2000 data are lost.", False),
        ("The 1900–2000 AHS data are lost.", False),
    ],
)
def test_a_figure_behind_a_reference_is_an_amount(text: str, has: bool) -> None:
    assert has_amount(text) is has


@pytest.mark.parametrize("question", ["Who is the president?", "Who wrote the report?", "Who is the CEO of Acme?"])
def test_an_organization_has_no_role_of_a_person(question: str) -> None:
    text, asked = "It was sent to Grundfos Company and to the Finance Committee.", Question(question)
    assert list(candidates(asked.kind, text, asked)) == []
