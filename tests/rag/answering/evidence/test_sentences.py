from __future__ import annotations

import pytest

from rag.answering.evidence.units.own_questions import answer_start, join_answers
from rag.answering.evidence.units.sentences import split_sentences

ITEM = "- The device must be kept in a dry place, away from heat, and must not be opened by anybody"
TERM = "**NFC** Near Field Communication - A set of protocols that enable two electronic"
QUESTION = "**What happens if I lose my card?**"
ANSWER = "Tell us at once. We block the old card and send you a new one."


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


def units(text: str) -> list[str]:
    return [text[start:end] for start, end in join_answers(text, list(split_sentences(text)))]


@pytest.mark.parametrize(
    "text",
    [
        f"{ITEM}\n  who is not a qualified technician.",
        f"{ITEM.replace('- ', '* ')}\nwho is not a qualified technician.",
        f"{ITEM.replace('- ', '12. ')}\n    Who that is, the makers decide.",
        f"{TERM}\ndevices to communicate within 4 cm of each other.",
    ],
)
def test_an_item_and_a_bold_term_go_on_in_the_next_line(text: str) -> None:
    assert sentences(text) == [text.removeprefix("12. ")]


@pytest.mark.parametrize(
    "text",
    [
        f"{ITEM}\n- and a second item of the list",
        f"{ITEM}\nThe makers take no part in this at all.",
        "## A heading of the page that is longer than most of the others\nwords below it",
        "| a row of a table with many words | and a second cell with more |\nwords below it",
    ],
)
def test_what_follows_an_item_a_heading_or_a_row_is_another_sentence(text: str) -> None:
    assert text not in sentences(text)
    assert sentences(text)[-1] == text.split("\n")[1]


@pytest.mark.parametrize(
    "text",
    [
        f"{QUESTION}\n\n{ANSWER}",
        f"{QUESTION}\n{ANSWER}",
        f"Q: What happens if I lose my card?\n\nA: {ANSWER}",
        "¿Qué pasa si pierdo la tarjeta?\n\nSe bloquea y se envía otra por cinco euros.",
    ],
)
def test_a_question_of_the_document_is_one_unit_with_its_answer(text: str) -> None:
    assert units(f"{text}\n\nAnother paragraph.") == [text, "Another paragraph."]


def test_a_question_in_a_paragraph_has_the_next_sentence() -> None:
    text = "Why do terns dive? They eat eels. Herons stand."
    assert units(text) == ["Why do terns dive? They eat eels.", "Herons stand."]


def test_a_heading_of_several_sentences_has_none() -> None:
    assert sentences("## What is it? How do I start it?\n\nIt is a lamp. Press the knob.") == [
        "It is a lamp.",
        "Press the knob.",
    ]


@pytest.mark.parametrize("date", ["15 Apr 2022", "April 15th, 2022", "2022-04-15"])
def test_a_heading_with_a_date_can_say_when(date: str) -> None:
    assert sentences(f"## Release 1.4 ({date})\n\nThe lamp is brighter.") == [
        f"Release 1.4 ({date})",
        "The lamp is brighter.",
    ]
    assert sentences(f"## {date}\n\nThe lamp is brighter.") == ["The lamp is brighter."]


@pytest.mark.parametrize("last", ["And who came back?", "Why do terns dive? And who came back?"])
def test_a_question_that_ends_a_paragraph_is_not_answered_by_the_next_one(last: str) -> None:
    text = f"Many sailed at dawn.  {last}\n\nThe harbour was built in 1954."
    assert units(text)[-1] == "The harbour was built in 1954."


def test_a_question_is_not_answered_below_the_next_heading() -> None:
    assert units("Ada: anything else?\n\n## Next\n\n4 May, at noon.") == ["Ada: anything else?", "4 May, at noon."]


def test_questions_without_answers_stay_alone() -> None:
    text = f"{QUESTION}\n\n**Do children pay?**\n\n{'No. ' * 20}{'Long words ' * 40}."
    assert units(text)[0] == QUESTION
    assert units(text)[1].startswith("**Do children pay?**")
    assert max(map(len, units(text)[:-1])) <= 400


def test_the_answer_begins_behind_its_question() -> None:
    assert answer_start(f"{QUESTION}\n\n{ANSWER}") == len(QUESTION) + 2
    assert answer_start(ANSWER) == answer_start(QUESTION) == 0
