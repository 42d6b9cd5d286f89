from __future__ import annotations

import random

import pytest

from rag.answering.cite import CLOSE, OPEN, Citer
from rag.answering.support import sentences, support
from rag.documents import Passage


def passage(number: int, text: str) -> Passage:
    return Passage(number, "d", "report.pdf", 1, "", 0, len(text), text, 1.0, None, None)


PASSAGES = [
    passage(1, "Total net sales were $ 82,959 in the quarter ended June 25, 2022."),
    passage(2, "Research and development expense was $ 6,797 in the third quarter, mostly for headcount."),
]


def settle(text: str, size: int = 1000, passages: list[Passage] | None = None) -> tuple[str, Citer]:
    citer = Citer(PASSAGES if passages is None else passages)
    parts = [citer.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(parts) + citer.flush(), citer


OTHERS = [*PASSAGES, passage(3, "As shown before [1], the population grew [12] by 4 percent in 2020.")]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Net sales were 82,959. [1]", "Net sales were 82,959. [1]"),
        ("Net sales [1] and expense [2].", "Net sales [1] and expense [2]."),
        ("Both say so [1, 2].", "Both say so [1][2]."),
        ("Nothing holds this [7].", "Nothing holds this ."),
        ("Total net sales were $82,959 in the quarter.", "Total net sales were $82,959 in the quarter. [1]"),
        (
            "Research and development expense was 6,797. It rose.",
            "Research and development expense was 6,797. [2] It rose.",
        ),
        ("The moon is made of green cheese today.", "The moon is made of green cheese today."),
        ("An open bracket [ stays", "An open bracket [ stays"),
        ("A year [2022] is no marker.", "A year [2022] is no marker."),
    ],
)
def test_markers_are_settled_wherever_the_text_is_cut(said: str, shown: str, size: int) -> None:
    assert settle(said, size)[0] == shown


def test_a_wrong_figure_is_never_attributed() -> None:
    shown, citer = settle("Total net sales were $82,960 in the quarter.")
    assert shown == "Total net sales were $82,960 in the quarter."
    assert not citer.cited


def test_who_set_a_marker_is_kept() -> None:
    _, citer = settle("Total net sales were $82,959 in the quarter. Expense was high [2]. And [9].")
    assert citer.cited == {1: True, 2: False}
    assert citer.removed == 1


def test_a_model_marker_wins_over_an_attribution() -> None:
    _, citer = settle("Total net sales were $82,959 in the quarter. So it says [1].")
    assert citer.cited == {1: False}


def test_code_is_left_alone() -> None:
    text = "Use `rows[1]` here:\n```python\nprint(rows[1], rows[9])\n```\n"
    shown, citer = settle(text, 1)
    assert shown == text
    assert citer.removed == 0


def test_without_passages_the_text_is_untouched() -> None:
    text = "A list is written [1, 2, 3] and a footnote [1]."
    assert settle(text, 4, [])[0] == text


def test_the_first_word_is_not_held_back() -> None:
    assert Citer(PASSAGES).feed("Total") == "Total"


@pytest.mark.parametrize(
    ("said", "shown", "cited"),
    [
        ("Both [1][2].", "Both [1][2].", [1, 2]),
        ("Both [1, 2] and [1; 2] and [1 and 2].", "Both [1][2] and [1][2] and [1][2].", [1, 2, 1, 2, 1, 2]),
        ("All [1-3] and [2–3].", "All [1][2][3] and [2][3].", [1, 2, 3, 2, 3]),
        ("So 【1】 and 【2†source】 and ［3］.", "So [1] and [2] and [3].", [1, 2, 3]),
        ("Note [^1] and [#2] and [[3]].", "Note [1] and [2] and [3].", [1, 2, 3]),
        ("[Passage 1] says, [source 2, 3] too.", "[1] says, [2][3] too.", [1, 2, 3]),
        ("The loss was (1) and (2).", "The loss was (1) and (2).", []),
        ("It lies in [0, 1].", "It lies in [0, 1].", []),
        ("No [0] and [9] and [2-9].", "No  and  and [2][3].", [2, 3]),
        ("`[1]` and ``x[2]`` and ```\n[1]\n``` [2]", "`[1]` and ``x[2]`` and ```\n[1]\n``` [2]", [2]),
        ("A lone ` tick [1]\nNext [2]", "A lone ` tick [1]\nNext [2]", [2]),
        ("[p] [passages] [the rest] [", "[p] [passages] [the rest] [", []),
        ("Left [1", "Left [1", []),
    ],
)
def test_each_way_to_write_a_marker(said: str, shown: str, cited: list[int]) -> None:
    got, citer = settle(said, passages=OTHERS)
    assert got == shown
    assert [claim.number for claim in citer.claims] == cited


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("See [1](http://evil.example/x) there", "See [1] there"),
        ('See [1]( <http://e> "title" ) there', "See [1] there"),
        ("See [1](#source-1-9) and [2](//e.example)", "See [1] and [2]"),
        ("See [1](mailto:a@b) and [2](www.e.example)", "See [1] and [2]"),
        ("See ![1](http://e/p.png)", "See ![1]"),
        ("See [1](note) and [2] (that)", "See [1] (note) and [2] (that)"),
        ("See [1](http://a(b)c)", "See [1] (http://a(b)c)"),
        ("See [1](http://unfinished", "See [1] (http://unfinished"),
        ("[1]: http://evil\nSee [1].", "[1] : http://evil\nSee [1]."),
        ("2. [2]: http://evil", "2. [2] : http://evil"),
        ("> [1]: http://evil", "> [1] : http://evil"),
        ("See [1][evil]", "See [1] [evil]"),
    ],
)
def test_no_marker_becomes_a_link_of_the_models(said: str, shown: str) -> None:
    assert settle(said)[0] == shown


def test_a_marker_of_the_document_is_not_one_of_the_models() -> None:
    shown, citer = settle("As shown before [1], the population grew [12].", passages=OTHERS)
    assert shown == "As shown before , the population grew . [3]"
    assert citer.cited == {3: True}
    assert citer.removed == 2


def test_the_model_cannot_write_our_own_marker() -> None:
    for passages in (PASSAGES, []):
        assert settle(f"See {OPEN}1{CLOSE} and {OPEN}2a{CLOSE}.", passages=passages)[0] == "See 1 and 2a."


def test_text_is_settled_alike_wherever_it_is_cut() -> None:
    pieces = [*"[]()1290,- .`:!\n^†【】<>", "```", "a", "net sales were 82,959", "passage ", "http://e", "[1]", "and"]
    rolls = random.Random(5)
    for _ in range(2000):
        said = "".join(rolls.choice(pieces) for _ in range(rolls.randint(2, 14)))
        whole, at_once = settle(said, passages=OTHERS)
        letters, one_by_one = settle(said, 1, OTHERS)
        assert letters == whole, said
        assert (one_by_one.claims, one_by_one.removed) == (at_once.claims, at_once.removed), said


def test_nothing_is_held_back_for_long() -> None:
    citer = Citer(PASSAGES)
    assert citer.feed("[" + "1, " * 200) != ""
    citer = Citer(PASSAGES)
    assert citer.feed("[1](" + "x" * 2000) != ""


def test_a_marker_carries_the_span_that_holds_its_claim() -> None:
    text = "Sales rose. The kettle holds 1.7 litres. It boils in 3 minutes.\nA row 5 | 6"
    said = "It boils in 3 minutes [1]. The kettle holds 1.7 litres. [1] Row 5 has 6 [1]."
    for size in (1, 1000):
        _, citer = settle(said, size, [passage(1, text)])
        marked = [text[start:end] for start, end in citer.spans(1)]
        assert marked == ["It boils in 3 minutes.", "The kettle holds 1.7 litres.", "A row 5 | 6"]


def test_an_abbreviation_ends_no_sentence() -> None:
    shown, _ = settle("Total net sales of Apple Inc. were $82,959 in the quarter.")
    assert shown == "Total net sales of Apple Inc. were $82,959 in the quarter. [1]"


TABLE = """Operating expenses were as follows (dollars in millions):
Three Months Ended
Research and development $ 6,797 $ 5,717
Selling, general and administrative $ 6,012 $ 5,412
The growth in research and development expense was driven primarily by
increases in headcount and related expenses of U.S. staff. Nothing else changed."""


@pytest.mark.parametrize(
    ("claim", "held"),
    [
        ("Research and development was $6,797 million.", "Research and development $ 6,797 $ 5,717"),
        ("SG&A, that is selling and administrative, was 6012", "Selling, general and administrative $ 6,012 $ 5,412"),
        (
            "Research grew because of headcount and related expenses.",
            "The growth in research and development expense was driven primarily by\n"
            "increases in headcount and related expenses of U.S. staff.",
        ),
        ("Nothing else changed", "Nothing else changed."),
        (
            "It was 6,797 for research and 6,012 for selling.",
            "Research and development $ 6,797 $ 5,717\nSelling, general and administrative $ 6,012 $ 5,412",
        ),
        ("Quite another matter", TABLE),
        ("", TABLE),
    ],
)
def test_support_is_the_row_or_sentence_that_holds_the_claim(claim: str, held: str) -> None:
    start, end = support(claim, TABLE)
    assert TABLE[start:end] == held


@pytest.mark.parametrize(
    "text", ["", "  \n ", "x", "...", "。。", "a\n\nb", "東京の人口は1400万人です。大阪は880万人です。"]
)
def test_support_never_leaves_the_text(text: str) -> None:
    for claim in ("", "x", "大阪は880万人", "..."):
        start, end = support(claim, text)
        assert 0 <= start <= end <= len(text)
    assert "".join(text[start:end] for start, end in sentences(text)).split() == "".join(text.split()).split()


def test_rows_of_a_csv_file_are_not_joined() -> None:
    text = "\n".join(f"ship: Number {n}; cargo: grain from the northern harbour; berth: {n}" for n in "123")
    start, end = support("Ship number 2 carries grain at berth 2.", text)
    assert text[start:end] == text.splitlines()[1]


def test_text_without_spaces_between_words_is_attributed() -> None:
    shown, _ = settle(
        "大阪の人口は880万人です。", passages=[passage(1, "大阪の人口は880万人です。東京は1400万人です。")]
    )
    assert shown == "大阪の人口は880万人です。 [1]"


def test_a_list_number_is_no_figure() -> None:
    shown, _ = settle(
        "1. Total net sales were $82,959 in the quarter.\n2. Research and development expense was 6,797.\n"
    )
    assert shown.count("[1]") == 1
    assert shown.count("[2]") == 1
