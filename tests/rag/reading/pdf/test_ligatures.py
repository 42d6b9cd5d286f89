"""Words whose ligature the font of a PDF names by its first letter."""

from __future__ import annotations

import pytest

from rag.reading.formats.pdf.ligatures import repair_ligatures

WORDS = "The effect differs. The office of the staff has a profile and a reflex. If only all were of use."


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        ("Ef ect of rates", "Effect of rates"),
        ("It dif ers", "It differs"),
        ("A prof le, a ref ex", "A profile, a reflex"),
    ],
)
def test_a_lost_letter_is_the_one_that_makes_a_word_of_the_document(broken: str, right: str) -> None:
    assert repair_ligatures([WORDS, broken]) == [WORDS, right]


@pytest.mark.parametrize(
    "text",
    [
        "Af ection is unknown here.",  # no word of the document
        "If only all of use",  # words of their own
        "the chef ect",  # "chefect" isn't one
        "of of of f f f",
        "",
    ],
)
def test_other_spaces_stay(text: str) -> None:
    assert repair_ligatures([WORDS, text]) == [WORDS, text]


def test_the_length_stays_so_that_no_span_moves() -> None:
    texts = ["Ef ect " * 1000, WORDS]
    assert [*map(len, repair_ligatures(texts))] == [*map(len, texts)]
