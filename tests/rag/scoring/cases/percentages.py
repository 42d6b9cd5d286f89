"""Percentages and their points."""

from __future__ import annotations

from tests.rag.scoring.cases.case import cases

MARGIN = "What was NVIDIA's gross margin in the first quarter of fiscal 2024?"
SHARE = "What percentage of Rivian does Amazon own?"
RATE = "By how much did the interest rate rise?"
TAX = "What was the effective tax rate in the first quarter of fiscal 2024?"
SHARE_OF_SALES = "What was AWS's share of total net sales in Q2 2023?"
POINTS = "How many basis points did the margin improve?"

PERCENTAGES = [
    # A percentage isn't a number of points, and 0.6 of a percentage isn't a share.
    *cases(
        MARGIN,
        "64.6%",
        right=(
            "64.6%",
            "64.6 percent",
            "64.6 per cent",
            "The gross margin was 64.6% [2].",
            "Gross margin was 64.6%, down from 65.5% a year ago.",
            "Gross margin was 64.6%, 0.9 percentage points lower than a year ago.",
            "64,6 %",
            "64.6",
        ),
        wrong=(
            "64.6 percentage points",
            "65.5%",
            "64.6 million",
            "$64.6",
            "6.46%",
            "64.6 basis points",
            "64.6% or 65.5%",
            "65.5%, compared with 64.6% a year ago",
        ),
    ),
    *cases(
        RATE,
        "0.25 percentage points",
        right=("0.25 percentage points", "By 25 basis points.", "25 bps", "a quarter point, or 0.25 percentage points"),
        wrong=("0.25%", "25%", "25 percentage points", "0.25 basis points", "It rose to 5.25%."),
    ),
    *cases(
        SHARE,
        "17%",
        right=("17%", "Amazon owns approximately 17% of Rivian.", "17 percent", "Seventeen percent (17%)", "17"),
        wrong=("17 million", "$17", "18%", "158 million shares", "1.7%", "17% or 18%"),
    ),
    *cases(
        "By how much did sales decrease?",
        "12%",
        right=("12%", "By 12%.", "Sales decreased 12%.", "-12%"),
        wrong=("Sales increased by 12%.", "Sales decreased 21%."),
    ),
    *cases(
        TAX,
        "7.5%",
        right=(
            "7.5%",
            "7.5 % (10.3% in the first quarter of fiscal 2023)",
            "The effective tax rate was 7.5%, lower than the U.S. federal statutory rate of 21%.",
            "Income tax was $166 million, or 7.5% of income before tax.",
            "The effective tax rates were 7.5% and 10.3% for the first quarter of fiscal years 2024 and 2023,"
            " respectively.",
            "7.5% in Q1 FY2024 versus 10.3% in Q1 FY2023",
            "0.075, i.e. 7.5%",
        ),
        wrong=(
            "10.3%",
            "21%",
            "7.5% or 10.3%",
            "The effective tax rates were 10.3% and 7.5% for the first quarter of fiscal years 2024 and 2023,"
            " respectively.",
            "75%",
            "$7.5 million",
            "The rate rose 7.5 percentage points.",
        ),
    ),
    *cases(
        "How much did revenue grow?",
        "13%",
        right=("13%", "Revenue grew 13%, from $8.3 billion to $9.4 billion.", "by 13 percent", "up 13 %"),
        wrong=("Revenue fell 13%.", "-13%", "31%", "Revenue decreased by 13%."),
    ),
    *cases(
        SHARE_OF_SALES,
        "16%",
        right=(
            "16%",
            "AWS accounted for 16% of total net sales in Q2 2023, the same as in Q2 2022.",
            "AWS: 16%, North America: 62%, International: 22%",
            "AWS made up 16 percent of net sales ($22,140 million of $134,383 million).",
            "about 16.5% ($22.1 billion / $134.4 billion)",
            "16 % (22.140 / 134.383)",
        ),
        wrong=("62%", "AWS: 22%, International: 16%", "16 basis points", "$22,140 million", "1.6%", "61%"),
    ),
    *cases(
        "What is the interest rate on the notes due 2031?",
        "4.650%",
        right=(
            "4.650%",
            "4.65%",
            "The 2031 notes bear interest at 4.65% per year.",
            "4.65% per annum, payable on June 1 and December 1",
        ),
        wrong=("4.56%", "4.650 percentage points", "4.7% to 4.8%", "3.300% on the notes due 2027"),
    ),
    *cases(
        POINTS,
        "130 basis points",
        right=(
            "130 basis points",
            "130 bps",
            "1.3 percentage points",
            "It improved by 130 basis points, from 63.3% to 64.6%.",
        ),
        wrong=("1.3%", "13 basis points", "130%", "0.9 percentage points"),
    ),
    *cases(
        "What share of sales came from outside the United States?",
        "67%",
        right=("67%", "67% (77% a year earlier)", "Two thirds (67%)", "About 67% of revenue"),
        wrong=("77%", "33%", "67% or 77%"),
    ),
    *cases(
        "What share do they hold?",
        "less than 1%",
        right=("Less than 1%.", "under 1%", "They hold less than 1%."),
        wrong=("More than 1%.", "over 1%"),
    ),
]
