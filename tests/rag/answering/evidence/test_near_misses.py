"""Quotes that only come near to what a question asks for: a plan, a limit, another period, subject, measure or row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag.answering.evidence.doubts.missing_time import lacks_time
from rag.answering.evidence.doubts.near_misses import is_near_miss
from rag.answering.evidence.doubts.other_cells import (
    counts_something_else,
    is_not_the_total,
    is_of_other_labels,
    names_something_else,
)
from rag.answering.evidence.doubts.other_quantity import is_of_other_quantity
from rag.answering.evidence.doubts.plans import has_other_limit, is_only_planned
from rag.answering.evidence.doubts.scope import is_of_other_period, is_of_other_year, is_per_other, lacks_name
from rag.answering.evidence.question_analysis.comparisons import fails_comparison
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.tables.grid import LabeledCell
from rag.answering.evidence.units.split import Unit
from rag.documents import Cell, Document, Passage

Check = Callable[[Question, Unit], bool]


def sentence(text: str, rest: str = "", heading: str = "") -> Unit:
    document = Document("d", "report.txt", f"{text}\n{rest}", (), "text/plain")
    passage = Passage(1, "d", "report.txt", None, heading, 0, len(text), text, 1.0, None, None)
    return Unit(document, 0, len(text), text, passage)


def cell(row: str, column: str, text: str = "120", *, section: str = "", before: str = "", measure: str = "") -> Unit:
    line = f"{row} | {text}"
    labeled = LabeledCell(Cell(1, 1, 0, 3), text, row, section, column, 0, len(line))
    document = Document("d", "report.txt", f"{line}\nThe yard makes boats.", (), "text/plain")
    return Unit(document, 0, len(line), line, before=before, cell=labeled, measure=measure)


@pytest.mark.parametrize(
    ("question", "text", "is_planned"),
    [
        (
            "How much steel did the plant make in 2024?",
            "The plant has a capacity of 2.3 million tonnes of steel.",
            True,
        ),
        ("How many boats did the yard build?", "The yard can build up to 40 boats a year.", True),
        ("How many people did Juno hire in 2024?", "Juno expects to hire 350 people in 2025.", True),
        ("When did the furnace start?", "The furnace is budgeted at $6 million and will start in May 2026.", True),
        ("How much did the furnace cost?", "The furnace is budgeted at $6 million and will start in May 2026.", True),
        ("How much was the revenue in 2026?", "Revenue is forecast to reach $6 million in 2026.", True),
        ("How much steel did the plant make in 2024?", "The plant made 1.9 million tonnes of steel.", False),
        ("How much was the revenue in 2026?", "As expected, revenue was $6 million.", False),
        ("How many people did Juno hire?", "Juno hired 350 people, and will hire more.", False),
        ("What was the capacity of the plant?", "The plant has a capacity of 2.3 million tonnes of steel.", False),
        ("How many people were expected to come?", "We expected 350 people.", False),
        ("When will the furnace start?", "The furnace will start in May 2026.", False),
        ("How much does the furnace cost?", "The furnace is budgeted at $6 million.", False),
    ],
)
def test_a_plan_or_a_capacity_is_no_figure_of_what_there_was(question: str, text: str, is_planned: bool) -> None:
    assert is_only_planned(Question(question), sentence(text)) is is_planned


@pytest.mark.parametrize(
    ("question", "column", "is_planned"),
    [
        ("How many boats did the yard deliver in 2026?", "Outlook for 2026", True),
        ("How many boats did the yard deliver in 2026?", "2026", False),
        ("What was the outlook for boats in 2026?", "Outlook for 2026", False),
    ],
)
def test_a_column_of_an_outlook_has_no_figures_of_what_there_was(question: str, column: str, is_planned: bool) -> None:
    assert is_only_planned(Question(question), cell("Boats", column)) is is_planned


@pytest.mark.parametrize(
    ("question", "text", "is_other"),
    [
        ("What is the minimum fine?", "The maximum fine is $120.", True),
        ("How many days is it kept at most?", "It is kept for at least 30 days.", True),
        ("What is the maximum fine?", "The maximum fine is $120.", False),
        ("What is the fine?", "The maximum fine is $120.", False),
        ("What is the minimum fine?", "The fine is at least $20, and at most $120.", False),
    ],
)
def test_the_least_is_not_the_most(question: str, text: str, is_other: bool) -> None:
    assert has_other_limit(Question(question), sentence(text)) is is_other


@pytest.mark.parametrize(
    ("question", "text", "lacks"),
    [
        ("When was the tower built?", "The tower is built of grey stone, on 3 piers.", True),
        ("In which years was the tower closed?", "The closures of the tower are as follows:", True),
        ("When was the tower built?", "The tower was built in 1863.", False),
        ("When was the tower built?", "The tower that we built can be seen today and decades from now.", True),
        ("When was the tower built?", "The tower was built three decades after the pier.", False),
        ("When does the tower close?", "The tower closes if the wind is strong.", False),
        ("When is the tower open?", "The tower is open daily.", False),
        ("In what century was the tower built?", "The tower was built in the late nineteenth century.", False),
        ("When did people settle here?", "People settled here about 13,000 BP.", False),
        ("How high is the tower?", "The tower is built of grey stone.", False),
    ],
)
def test_a_sentence_that_does_not_say_when(question: str, text: str, lacks: bool) -> None:
    assert lacks_time(Question(question), sentence(text)) is lacks


@pytest.mark.parametrize(
    ("question", "unit", "is_other"),
    [
        ("What percentage was the tax in the second quarter?", sentence("It was 10% in the six months."), True),
        ("How many boats were sold in the first quarter?", sentence("We sold 12 in the second quarter."), True),
        ("How many boats were sold in the full year?", sentence("We sold 12.", heading="Second quarter"), True),
        ("How many boats were sold in the second quarter?", sentence("We sold 12.", heading="Second quarter"), False),
        ("How many were sold in the second quarter?", sentence("We sold 5 and 9 in the three and six months."), False),
        ("How many boats were sold?", sentence("We sold 12 in the second quarter."), False),
        ("How much was it at the end of fiscal year 2023?", sentence("It was $2 in the first quarter."), False),
        ("How many boats were sold in the second quarter?", sentence("We sold 12 boats."), False),
        ("What were sales in the first quarter?", cell("Sales", "2024", before="Second quarter of 2024"), True),
        ("What were sales in the second quarter?", cell("Sales", "2024", before="Second quarter of 2024"), False),
        (
            "What were sales in Q1?",
            cell("Sales", "Total", before="Three months ended June 30, 2024"),
            True,
        ),
        ("What were sales in Q2?", cell("Sales", "Total", before="Three months ended June 30, 2024"), False),
    ],
)
def test_a_figure_of_a_period_of_another_length(question: str, unit: Unit, is_other: bool) -> None:
    assert is_of_other_period(Question(question), unit) is is_other


@pytest.mark.parametrize(
    ("question", "unit", "is_other"),
    [
        ("How much was the budget for 2023?", sentence("The budget for 2024 is $5 million."), True),
        ("How much was the budget for 2023?", sentence("The budget for 2024 is $5 million.", heading="In 2023"), False),
        ("How much was the budget for 2024?", sentence("The budget for 2024 is $5 million."), False),
        ("How much was the budget for 2023?", sentence("The budget is $5 million (2022: $4 million)."), False),
        ("How much was the budget?", sentence("The budget for 2024 is $5 million."), False),
        ("When was the budget for 2023 approved?", sentence("The budget was approved in May 2022."), False),
    ],
)
def test_a_sentence_with_other_years(question: str, unit: Unit, is_other: bool) -> None:
    assert is_of_other_year(Question(question), unit) is is_other


@pytest.mark.parametrize(
    ("question", "column", "is_other"),
    [
        ("What is the cost per mile of the bus?", "Cost per boarding ($)", True),
        ("What is the cost per mile of the bus?", "Cost per mile ($)", False),
        ("What is the cost per year of the bus?", "Cost each year ($)", False),
        ("What is the cost of the bus?", "Cost per boarding ($)", False),
        ("How many lines per second does the bus send?", "Lines/s", False),
        ("How many lines per second does the bus send?", "Lines/h", True),
    ],
)
def test_an_amount_per_something_else(question: str, column: str, is_other: bool) -> None:
    assert is_per_other(Question(question), cell("Bus", column)) is is_other


@pytest.mark.parametrize(
    ("question", "unit", "lacks"),
    [
        ("What was the profit in Germany?", cell("Profit", "2024"), True),
        ("What was the profit in Germany?", cell("Profit", "Germany"), False),
        ("What was the profit in Germany?", cell("Profit", "2024", before="Germany (in thousands)"), False),
        ("How much was the profit in Germany?", sentence("The profit was $5 million."), False),
        ("How much was the tax of the IRS?", cell("Tax", "2024"), False),
        ("How much was the profit of The Report?", cell("Profit", "2024"), False),
    ],
)
def test_a_figure_of_another_country(question: str, unit: Unit, lacks: bool) -> None:
    assert lacks_name(Question(question), unit) is lacks


OPTIONS = [cell("Outstanding", "Options"), cell("Granted", "Options")]
SALES = [cell("Sales", "2024"), cell("Sales", "Change")]


@pytest.mark.parametrize(
    ("question", "units", "is_other"),
    [
        ("How many options were granted?", OPTIONS, True),
        ("How many options are outstanding?", OPTIONS, False),
        ("How many options are outstanding and granted, respectively?", OPTIONS, False),
        ("What is the change of sales?", SALES, True),
        ("What were sales in 2024?", SALES, False),
        ("What was the percentage change in boats sold?", [cell("Boats", "Change (%)"), cell("Boats", "Sold")], False),
    ],
)
def test_another_row_or_column_has_the_words_of_the_question(question: str, units: list[Unit], is_other: bool) -> None:
    other = Unit(units[1].document, 100, 120, units[1].text, cell=units[1].cell) if units is OPTIONS else units[1]
    assert is_of_other_labels(Question(question), units[0], [units[0], other]) is is_other


@pytest.mark.parametrize(
    ("question", "unit", "is_else"),
    [
        ("How much is an annual pass?", cell("Monthly pass", "Adult"), True),
        ("How many fatal injuries were there?", cell("Lost-time injuries", "2024"), True),
        ("What is the return on equity?", cell("Return on capital employed", "2024"), True),
        ("How much is a monthly pass?", cell("Monthly pass", "Adult"), False),
        ("How much is an adult pass?", cell("Monthly pass", "Adult"), False),
        ("How much is the pass?", cell("Monthly pass", "Adult"), False),
        ("In which year were sales larger?", cell("Net sales of boats", "2024"), False),
        ("How much did the yard pay for a pass?", cell("Pass", "Adult"), False),
        ("How many kilometers does Juno offer?", cell("Juno Air", "Seat km"), False),
        ("What was the capital cost of the ferry?", cell("Ferry", "Operating cost"), True),
        ("What was the operating cost of the ferry?", cell("Ferry", "Operating cost"), False),
    ],
)
def test_a_label_names_another_thing_with_a_word_of_the_question(question: str, unit: Unit, is_else: bool) -> None:
    assert names_something_else(Question(question), unit) is is_else


@pytest.mark.parametrize(
    ("question", "text", "measure", "fails"),
    [
        ("In which year were sales less than 600 thousand?", "610", "in thousands", True),
        ("In which year were sales less than 600 thousand?", "590", "in thousands", False),
        ("Which years did sales exceed $5 million?", "4,200", "in thousands", True),
        ("Which years did sales exceed $5 million?", "6.8", "", False),
        ("In which year was the loss more than -3,000?", "(3,439)", "in thousands", True),
        ("How many more than 600 boats were sold?", "610", "", False),
    ],
)
def test_a_figure_that_fails_the_comparison_of_a_question(question: str, text: str, measure: str, fails: bool) -> None:
    assert fails_comparison(Question(question), cell("Sales", "2024", text, measure=measure)) is fails


@pytest.mark.parametrize(
    ("question", "is_near"), [("What was the profit in Germany?", True), ("Wie hoch war der Gewinn in Peru?", False)]
)
def test_only_english_questions_are_checked(question: str, is_near: bool) -> None:
    unit = cell("Profit", "2024")
    assert is_near_miss(Question(question), unit, [unit]) is is_near


def test_a_row_of_another_table_is_no_better_one() -> None:
    other = cell("Granted", "Options", before="Of the year before:")
    other = Unit(other.document, 100, 120, other.text, before=other.before, cell=other.cell)
    assert not is_of_other_labels(Question("How many options were granted?"), OPTIONS[0], [OPTIONS[0], other])


@pytest.mark.parametrize(
    ("question", "text", "is_other"),
    [
        ("What percentage was the effective tax rate?", "It was below the federal statutory rate of 21%.", True),
        ("What percentage was the effective tax rate?", "It was the effective rate of 21%.", False),
        ("What percentage was the effective tax rate?", "The company says that the rate was 21%.", False),
        ("What percentage was the statutory tax rate?", "It was below the federal statutory rate of 21%.", False),
        ("How much did Juno pay in net rent?", "We recognized rent of $20 million.", False),
        ("What percentage was the rate?", "It was below the federal statutory rate of 21%.", False),
    ],
)
def test_the_words_before_a_figure_name_another_quantity(question: str, text: str, is_other: bool) -> None:
    assert is_of_other_quantity(Question(question), sentence(text)) is is_other


@pytest.mark.parametrize(
    ("question", "column", "is_part"),
    [
        ("What are the total commitments?", "2027", True),
        ("What are the total commitments?", "Total", False),
        ("What are the total commitments in 2027?", "2027", False),
        ("What are the commitments?", "2027", False),
    ],
)
def test_one_column_of_a_row_with_a_total(question: str, column: str, is_part: bool) -> None:
    units = [cell("Commitments", each) for each in ("2026", "2027", "Total")]
    unit = next(each for each in units if each.cell and each.cell.column_header == column)
    assert is_not_the_total(Question(question), unit, units) is is_part


@pytest.mark.parametrize(
    ("question", "column", "is_else"),
    [
        ("How many ferries are there?", "Employees", True),
        ("How many ferries are there?", "2023", False),
        ("How many ferries are there?", "Number of ferries", False),
        ("How many employees do the ferries have?", "Employees", False),
    ],
)
def test_a_column_counts_something_else(question: str, column: str, is_else: bool) -> None:
    assert counts_something_else(Question(question), cell("Ferries", column)) is is_else


@pytest.mark.parametrize(
    ("question", "unit", "is_near"),
    [
        (
            "What is the minimum age for the tour?",
            sentence("Visitors must be 12 or older; groups have up to 20."),
            False,
        ),
        ("How much was the total cost of the project?", sentence("Project costs were $5 million."), False),
        ("How much do helpers earn per hour?", sentence("The hourly wage is $15."), False),
        ("How much does it cost per day?", sentence("The daily charge is $15."), False),
        ("How many days of leave are there as per the handbook?", sentence("There are 28 days of leave."), False),
        ("How many ferries are there?", cell("Ferry", "Count"), False),
        ("How many ferries are there?", cell("Ferry", "Employees"), True),
        (
            "How much was revenue in fiscal 2023?",
            sentence("In fiscal 2023, revenue was $5 million, after a record fourth quarter."),
            False,
        ),
        (
            "How much was revenue in fiscal 2023?",
            sentence("Revenue was $5 million in the fourth quarter of 2023."),
            True,
        ),
        ("How much did Smith earn in 2020?", sentence("Will Smith earned $30 million in 2020."), False),
        ("How much did the bridge cost?", sentence("The bridge is estimated to cost $6 million."), True),
        ("How high were sales in the U.S.?", cell("Sales", "United States"), False),
        ("How high were Japanese sales?", cell("Japan", "Sales"), False),
    ],
)
def test_near_misses_by_their_kind(question: str, unit: Unit, is_near: bool) -> None:
    assert is_near_miss(Question(question), unit, [unit]) is is_near
