from __future__ import annotations

import pytest

from rag.cite import Citer
from rag.retrieve import Passage


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


def test_a_list_number_is_no_figure() -> None:
    shown, _ = settle(
        "1. Total net sales were $82,959 in the quarter.\n2. Research and development expense was 6,797.\n"
    )
    assert shown.count("[1]") == 1
    assert shown.count("[2]") == 1
