"""Periods by the calendar and by a company's fiscal years."""

from __future__ import annotations

import pytest

from rag.answering.evidence.question_analysis.periods import (
    Day,
    FiscalYears,
    days_in,
    find_fiscal_years,
    last_day,
    length_in,
)
from rag.answering.evidence.question_analysis.questions import Question


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Annual report for the fiscal year ended January 29, 2023.", FiscalYears(1)),
        ("The fiscal year ends on the last Saturday in September.", FiscalYears(9)),
        ("for the year ended December 31, 2022", FiscalYears(12)),
        ("for the fiscal year ended January 1, 2023", FiscalYears(12)),  # 52 weeks
        ("Our fiscal year ends on the Saturday nearest January 31.", FiscalYears(1)),
        ("The fiscal year ends on the Sunday closest to May 31.", FiscalYears(5)),
        ("Fiscal 2025 ends on January 31, 2026 and has 52 weeks.", FiscalYears(1, -1)),
        ("Fiscal 2022 ended on January 1, 2023.", FiscalYears(12)),
        ("Fiscal 2022 is the year ended January 28, 2023.", FiscalYears(1, -1)),
        ("Nothing about years", FiscalYears(12)),
    ],
)  # fmt: skip
def test_fiscal_years_are_those_that_the_document_names(text: str, expected: FiscalYears) -> None:
    assert find_fiscal_years([text]) == expected


@pytest.mark.parametrize(
    ("years", "end", "quarter"),
    [
        (FiscalYears(1), Day(2023, 4, 30), (2024, 1)),
        (FiscalYears(1), Day(2022, 5, 1), (2023, 1)),  # a quarter of 13 weeks
        (FiscalYears(1), Day(2023, 1, 29), (2023, 4)),
        (FiscalYears(9), Day(2022, 6, 25), (2022, 3)),
        (FiscalYears(9), Day(2021, 12, 25), (2022, 1)),
        (FiscalYears(12), Day(2023, 6, 30), (2023, 2)),
        (FiscalYears(12), Day(2023, 1, 1), (2022, 4)),
        (FiscalYears(1, -1), Day(2023, 1, 28), (2022, 4)),
    ],
)
def test_a_day_is_the_end_of_a_fiscal_quarter(years: FiscalYears, end: Day, quarter: tuple[int, int]) -> None:
    assert years.quarter_of(end) == quarter


def test_lengths_and_days_are_read_from_headers_and_questions() -> None:
    headers = ["Three Months Ended June 25, 2022", "Thirty-nine weeks", "Six-month", "Year ended", "June 30, 2022"]
    assert [length_in(header) for header in headers] == [3, 9, 6, 12, 0]
    assert days_in("from 3 May 2021 to June 25, 2022") == [Day(2021, 5, 3), Day(2022, 6, 25)]
    assert last_day("Fiscal 2023") == Day(2023, 12, 31)


@pytest.mark.parametrize(
    ("question", "months", "quarter", "is_fiscal"),
    [
        ("What were sales in the third quarter of 2022?", 3, 3, False),
        ("What were sales in Q2 FY24?", 3, 2, True),
        ("What was net income in fiscal 2023?", 12, 0, True),
        ("What was net income in the nine months ended June 25, 2022?", 9, 0, False),
        ("What was net income in 2023?", 0, 0, False),
    ],
)
def test_the_period_of_a_question(question: str, months: int, quarter: int, is_fiscal: bool) -> None:
    asked = Question(question)
    assert (asked.months, asked.quarter, asked.is_fiscal) == (months, quarter, is_fiscal)
