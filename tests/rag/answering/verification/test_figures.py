"""Figures and times of a text, with their scale, unit and sign."""

from __future__ import annotations

import pytest

from rag.answering.verification.sentences.clauses import figure_clauses
from rag.answering.verification.sentences.figures import find_figures, find_periods


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$1.28 billion", 1.28e9, "$"),
        ("US$ 5.3 million", 5.3e6, "$"),
        ("1.5 billion dollars", 1.5e9, "$"),
        ("1,280 million", 1.28e9, ""),
        ("$117m", 117e6, "$"),
        ("5.2bn", 5.2e9, ""),
        ("1.234,56 €", 1234.56, "€"),
        ("1,2 Milliarden Euro", 1.2e9, "€"),
        ("1.234.567", 1234567, ""),
        ("(1,234)", -1234, ""),
        ("$ (1,234)", -1234, ""),
        ("-3.5 %", -3.5, "%"),
        ("45 percent", 45, "%"),
        ("45 per cent", 45, "%"),
        ("14:20", 860, ":"),
        ("3亿", 3e8, ""),
    ],
)
def test_a_figure_has_a_value_and_a_unit(text: str, value: float, unit: str) -> None:
    [figure] = find_figures(f"It was {text} then.")
    assert figure.value * figure.scale * (-1 if figure.negative else 1) == pytest.approx(value)
    assert figure.unit == unit


@pytest.mark.parametrize("text", ["on June 25, 2022", "in fiscal 2022", "Form 10-K", "the A100", "in Q3 FY22", "n/a"])
def test_what_is_no_figure(text: str) -> None:
    assert find_figures(text) == []


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("June 25, 2022", {("day", 625), ("year", 2022)}),
        ("25 June 2022", {("day", 625), ("year", 2022)}),
        ("2022-06-25", {("day", 625), ("year", 2022)}),
        ("Q3 FY22", {("quarter", 3), ("months", 3), ("year", 2022)}),
        ("third fiscal quarter of 2023", {("quarter", 3), ("months", 3), ("year", 2023)}),
        ("Nine Months Ended", {("months", 9)}),
        ("2,022 people and $2022 and 2022%", set()),
    ],
)
def test_the_times_of_a_text(text: str, periods: set[tuple[str, int]]) -> None:
    assert {(period.kind, period.value) for period in find_periods(text)} == periods


@pytest.mark.parametrize(
    ("sentence", "clauses"),
    [
        (
            "Revenue was $5.2 billion in 2022 and $4.1 billion in 2021.",
            [("5.2", {"revenu"}, {2022}), ("4.1", {"revenu"}, {2021})],
        ),
        (
            "Goodwill and debt were $5 million and $4 million in 2022 and 2021, respectively.",
            [("5", {"goodwil", "debt"}, {2022}), ("4", {"goodwil", "debt"}, {2021})],
        ),
        (
            "Goodwill rose from $81 million in 2021 to $82 million in 2022.",
            [("81", {"goodwil"}, {2021}), ("82", {"goodwil"}, {2022})],
        ),
        (
            "In 2022, goodwill was $5 million, while debt was $4 million.",
            [("5", {"goodwil"}, {2022}), ("4", {"debt"}, {2022})],
        ),
    ],
)
def test_a_sentence_ties_words_and_years_to_each_figure(
    sentence: str, clauses: list[tuple[str, set[str], set[int]]]
) -> None:
    assert [
        (clause.figure.text, set(clause.words), {each.value for each in clause.periods})
        for clause in figure_clauses(sentence)
    ] == clauses
