"""Tables of shares: a percent sign alone names no change, and no table is left without any cell."""

from __future__ import annotations

import pytest

from rag.answering.evidence.features.kinds import kind_features
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.cell_scope import without_levels
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.units.split import Unit
from rag.documents import Cell, Document

QUESTION = Question("What percentage of respondents are women?")


def cell(text: str, header: str, before: str = "", measure: str = "") -> Unit:
    labeled = LabeledCell(Cell(1, 1, 0, len(text)), text, "Women", "", header, 0, len(text))
    source = Document("d", "survey.txt", text, (), "text/plain")
    return Unit(source, 0, len(text), text, before=before, cell=labeled, measure=measure)


@pytest.mark.parametrize("header", ["%", "Percent", "Percentage", "Fraction", "Share"])
def test_a_column_of_shares_is_kept(header: str) -> None:
    count, share = cell("120", "n"), cell("55", header)
    assert without_levels(QUESTION, [count, share]) == [share]


@pytest.mark.parametrize(
    ("before", "measure"), [("Answers in percent", ""), ("Share of answers by group", ""), ("", "in percent")]
)
def test_a_caption_says_that_figures_are_shares(before: str, measure: str) -> None:
    share, change = cell("55", "2023", before, measure), cell("5", "Change", before, measure)
    assert without_levels(QUESTION, [share, change]) == [share]


@pytest.mark.parametrize("before", ["Sales rose by 5%.", "Amounts per share of stock"])
def test_a_caption_with_a_figure_does_not(before: str) -> None:
    amount, share = cell("120", "2023", before), cell("55%", "2023")
    assert without_levels(QUESTION, [amount, share]) == [share]


def test_without_any_share_all_cells_are_left() -> None:
    units = [cell("120", "n"), cell("147", "Total")]
    assert without_levels(QUESTION, units) == units


def test_a_question_can_ask_for_the_share_of_a_change() -> None:
    change, count = cell("55%", "Increase"), cell("120", "n")
    question = Question("What percentage of respondents saw an increase?")
    assert without_levels(question, [change, count]) == [change]


@pytest.mark.parametrize(("measure", "has"), [("in percent", 1.0), ("in millions, except percent", 0.0), ("", 0.0)])
def test_the_unit_of_a_table_can_be_percent(measure: str, has: float) -> None:
    assert kind_features(QUESTION, cell("45", "2023", measure=measure))["has the kind"] == has


@pytest.mark.parametrize(
    ("text", "lacks"), [("The deposit is fully refundable.", 0.0), ("The deposit is at the bank.", 1.0)]
)
def test_a_share_in_words_does_not_lack_the_kind(text: str, lacks: float) -> None:
    unit = Unit(Document("d", "lease.txt", text, (), "text/plain"), 0, len(text), text)
    features = kind_features(Question("What percentage of the deposit is refundable?"), unit)
    assert (features["lacks the kind"], features["lacks a figure"]) == (lacks, lacks)
