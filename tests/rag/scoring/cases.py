"""Answers that people would mark by hand, with the marks that they would give.

Questions, gold answers and wordings are those of reports and of the models that read them. They were written and marked
before the code that scores them.
"""

from __future__ import annotations

from dataclasses import dataclass

PROFIT = "What was NVIDIA's gross profit in the first quarter of fiscal 2024?"
MARGIN = "What was NVIDIA's gross margin in the first quarter of fiscal 2024?"
EPS = "What were NVIDIA's diluted earnings per share?"
SHARE = "What percentage of Rivian does Amazon own?"
CHANGE = "By how much did Greater China net sales change?"
LOSS = "What was the net loss in 2022?"
CASH = "What was net cash from investing activities?"
RATE = "By how much did the interest rate rise?"
DAY = "When did the quarter end?"
YEAR = "In which year was the company founded?"
COUNT = "How many shares did Apple repurchase?"
CHIEF = "Who is the chief executive?"
REASON = "Why did Greater China net sales decrease?"
YES_NO = "Did the company pay a dividend in 2023?"


@dataclass(frozen=True)
class Case:
    """An answer to a question, and whether a person would mark it right."""

    question: str
    gold: tuple[str, ...]
    answer: str
    correct: bool


def cases(question: str, gold: str | tuple[str, ...], right: tuple[str, ...], wrong: tuple[str, ...]) -> list[Case]:
    """Return the right and the wrong answers to a question."""
    golds = (gold,) if isinstance(gold, str) else gold
    return [
        *(Case(question, golds, answer, correct=True) for answer in right),
        *(Case(question, golds, answer, correct=False) for answer in wrong),
    ]


CASES = [
    # A figure with its scale, in all the ways in which it is written.
    *cases(
        PROFIT,
        "4,648 million",
        right=(
            "4,648 million",
            "$4,648 million",
            "$4.648 billion",
            "US$4,648 million",
            "USD 4,648 million",
            "4,648,000,000 dollars",
            "$4,648,000,000",
            "4,648,000 thousand",
            "NVIDIA's gross profit was $4,648 million [1].",
            "NVIDIA's gross profit was **$4,648 million** [1][2].",
            "The gross profit was $4.648bn.",
            "It was $4,648M.",
            "Gross profit (in millions): $4,648",
            "Gross profit was $4,648 (in millions).",
            "About $4.65 billion.",
            "Roughly $4.6 billion.",
            "Der Bruttogewinn betrug 4,648 Milliarden US-Dollar.",
            "Der Bruttogewinn betrug 4.648 Millionen US-Dollar [3].",
            "El beneficio bruto fue de 4648 millones de dólares.",
            "Le bénéfice brut était de 4 648 millions de dollars.",
            "毛利润为46.48亿美元。",
        ),
        wrong=(
            "4648 thousand",
            "$4,648 billion",
            "$4,648",
            "4,648 dollars",
            "$4,684 million",
            "$4.5 billion",
            "$5 billion",
            "4,648%",
            "-$4,648 million",
            "$(4,648) million",
            "46.48 million",
            "464.8 million",
            "The gross profit was reported for the quarter.",
            "Four",
            "",
        ),
    ),
    *cases(
        PROFIT,
        "$4,648 million",
        right=("4,648 million", "4,648 million US dollars", "USD 4.648 billion"),
        wrong=("€4,648 million", "4,648 million euros", "4.648 Mrd. €"),
    ),
    # A second figure beside the right one.
    *cases(
        PROFIT,
        "4,648 million",
        right=(
            "Gross profit was $4,648 million, compared with $5,431 million a year ago.",
            "Gross profit was $4,648 million, down from $5,431 million in the first quarter of fiscal 2023.",
            "Gross profit fell from $5,431 million to $4,648 million.",
            "Gross profit was $4,648 million in the first quarter of fiscal 2024 and $5,431 million in the first"
            " quarter of fiscal 2023.",
            "Gross profit was $5,431 million in the first quarter of fiscal 2023 and $4,648 million in the first"
            " quarter of fiscal 2024.",
            "Gross profit was $4,648 million. Revenue was $7,192 million.",
            "With revenue of $7,192 million and cost of revenue of $2,544 million, gross profit was $4,648 million.",
            "$7,192 million − $2,544 million = $4,648 million",
            "Gross profit was $4,648 million, a gross margin of 64.6%.",
            "Gross profit was $4,648 million ($4.6 billion).",
            "For the three months ended April 30, 2023, gross profit was $4,648 million.",
            "According to page 3, note 12, gross profit was $4,648 million.",
            "1. Gross profit: $4,648 million",
            "- Revenue: $7,192 million\n- Cost of revenue: $2,544 million\n- Gross profit: $4,648 million",
            "| | Q1 FY24 |\n|---|---|\n| Revenue | $7,192 million |\n| Gross profit | $4,648 million |",
            "Gross profit was not $5,431 million but $4,648 million.",
        ),
        wrong=(
            "Gross profit was $4,648 million or $5,431 million.",
            "Gross profit was either $5,431 million or $4,648 million.",
            "Gross profit was between $4,648 million and $5,431 million.",
            "Gross profit was $4,648 million. It may also be $5,431 million.",
            "$4,648 million; $5,431 million",
            "Gross profit was $5,431 million, compared with $4,648 million a year ago.",
            "Gross profit rose from $4,648 million to $5,431 million.",
            "Gross profit was $5,431 million. Operating income was $4,648 million.",
            "Gross profit was $5,431 million, not $4,648 million.",
            "Gross profit was $5,431 million and revenue was $4,648 million.",
            "- Revenue: $4,648 million\n- Gross profit: $5,431 million",
        ),
    ),
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
    # Amounts per share and counts.
    *cases(
        EPS,
        "$0.82",
        right=(
            "$0.82",
            "0.82",
            "82 cents",
            "$0.82 per share",
            "Basic earnings per share were $0.83 and diluted earnings per share were $0.82.",
            "Diluted: $0.82; basic: $0.83",
        ),
        wrong=("$0.83", "$0.82 million", "82%", "$82", "Basic: $0.82; diluted: $0.83", "$0.82 or $0.83"),
    ),
    *cases(
        COUNT,
        "408 million shares",
        right=(
            "408 million shares",
            "408 million",
            "Apple repurchased 408 million shares of its common stock for $64.7 billion.",
            "Apple spent $64.7 billion to repurchase 408 million shares.",
        ),
        wrong=("$408 million", "408 shares", "$64.7 billion", "Apple repurchased 143 million shares for $408 million."),
    ),
    # Signs: parentheses, a minus, and the words for it.
    *cases(
        CASH,
        "(1,234) million",
        right=(
            "$(1,234) million",
            "-1,234 million",
            "−$1,234 million",
            "Net cash used in investing activities was $1,234 million.",
            "There was an outflow of $1.234 billion.",
            "($1,234 million)",
        ),
        wrong=(
            "$1,234 million",
            "Investing activities provided $1,234 million.",
            "(1,234) thousand",
            "(1,243) million",
        ),
    ),
    *cases(
        LOSS,
        "$2.7 billion",
        right=(
            "$2.7 billion",
            "The net loss was $2.7 billion.",
            "$(2.7) billion",
            "Net income was -$2.7 billion.",
            "$2,722 million",
        ),
        wrong=("A net income of $2.7 billion.", "$27 billion", "$2.7 million"),
    ),
    *cases(
        CHANGE,
        "-1%",
        right=("-1%", "(1)%", "They decreased by 1%.", "Down 1%", "Net sales in Greater China fell 1%."),
        wrong=("1%", "They increased by 1%.", "+1%", "-10%", "They decreased by 1 percentage point."),
    ),
    *cases(
        "By how much did sales decrease?",
        "12%",
        right=("12%", "By 12%.", "Sales decreased 12%.", "-12%"),
        wrong=("Sales increased by 12%.", "Sales decreased 21%."),
    ),
    # Dates and years.
    *cases(
        DAY,
        "April 30, 2023",
        right=(
            "April 30, 2023",
            "30 April 2023",
            "2023-04-30",
            "On April 30th, 2023.",
            "Apr. 30, 2023",
            "Das Quartal endete am 30. April 2023.",
            "30.04.2023",
            "El 30 de abril de 2023",
            "Le 30 avril 2023",
            "2023年4月30日",
        ),
        wrong=("April 30, 2022", "April 20, 2023", "2023", "May 30, 2023", "April 30", "April 30, 2023 or May 1, 2023"),
    ),
    *cases(
        YEAR,
        "1993",
        right=(
            "1993",
            "In 1993.",
            "NVIDIA was founded in April 1993 [2].",
            "It was founded in 1993 and went public in 1999.",
        ),
        wrong=("1999", "1993 or 1994", "It had 1,993 employees.", "It was founded in 1999.", "$1993"),
    ),
    *cases(
        "What were net sales in 2022?",
        "$2,023 million",
        right=("$2,023 million", "In 2022, net sales were $2,023 million.", "$2.023 billion"),
        wrong=("In 2023.", "2023", "Net sales in 2022 were $2,022 million.", "Net sales in 2021 were $2,023 million."),
    ),
    *cases(
        "How many employees did the company have in 2022?",
        "2022",
        right=("2022 employees", "2,022", "In 2022 the company had 2,022 employees."),
        wrong=("In 2022 the company had 2,122 employees.", "1,022"),
    ),
    # A gold figure without a scale, copied from a table's cell.
    *cases(
        PROFIT,
        "4,648",
        right=("4,648", "$4,648", "$4,648 million", "4.648 billion"),
        wrong=("4,684", "46.48", "4,648%", "5,431"),
    ),
    # Several gold answers, and a gold answer with two figures.
    *cases(
        "What was operating income?",
        ("7,681 million", "$7.7 billion"),
        right=("$7.7 billion", "7,681 million", "$7.7 billion ($7,681 million)"),
        wrong=("$7.6 billion", "$3.3 billion"),
    ),
    *cases(
        "How much did sales grow, in dollars and percent?",
        "$12.7 billion, or 11%",
        right=("Sales grew $12.7 billion (11%).", "11%, which is $12.7 billion"),
        wrong=("11%", "$12.7 billion", "$12.7 billion, or 10%"),
    ),
    *cases(
        "What is the range of the useful life?",
        "3 to 5 years",
        right=("3 to 5 years", "Three to five years (3-5 years)", "3–5 years", "between 3 and 5 years"),
        wrong=("3 years", "3 to 7 years", "5 years"),
    ),
    # A refusal isn't an answer, whatever figure it quotes.
    *cases(
        PROFIT,
        "4,648 million",
        right=(
            "I'm not entirely sure, but gross profit was $4,648 million.",
            "The passages don't state it directly, but it can be computed: $7,192 million − $2,544 million"
            " = $4,648 million.",
            "Gross profit was $4,648 million. The passages don't explain why it fell.",
        ),
        wrong=(
            "The passages don't mention gross profit. They only say that $4,648 million was something else.",
            "I cannot answer this question from the passages. The closest figure is $4,648 million.",
            "The documents do not answer this question.",
            "I'm sorry, but I can't help with that.",
        ),
    ),
    # Words.
    *cases(
        CHIEF,
        "Jensen Huang",
        right=(
            "Jensen Huang",
            "jensen huang",
            "The chief executive is **Jensen Huang** [1].",
            "Jen-Hsun “Jensen” Huang, who goes by Jensen Huang",
            "It's Jensen\u00a0Huang.",
            "JENSEN HUANG, founder",
        ),
        wrong=(
            "Colette Kress",
            "Jensen",
            "It isn't Jensen Huang.",
            "Jensen Huangson",
            "Jensen Huang or Colette Kress",
            "The chief executive is Colette Kress, not Jensen Huang.",
        ),
    ),
    *cases(
        REASON,
        "lower net sales of iPhone",
        right=(
            "Lower net sales of iPhone.",
            "They decreased because of lower net sales of iPhone, partially offset by Services.",
            "Due primarily to lower iPhone net sales",
            "Net sales of iPhone were lower.",
        ),
        wrong=("Higher net sales of iPhone.", "Lower net sales of Mac.", "A weaker currency.", "iPhone"),
    ),
    *cases(
        YES_NO,
        "yes",
        right=("Yes.", "Yes, it paid $99 million.", "yes", "**Yes** [1]", "Ja, 99 Millionen.", "Oui.", "Sí.", "是的。"),
        wrong=(
            "No.",
            "No, it paid none in 2023.",
            "It isn't clear whether yes or no.",
            "Nein.",
            "The board met in 2023.",
        ),
    ),
    *cases(YES_NO, "No", right=("No.", "No, it didn't."), wrong=("Yes.", "Not in the passages.", "Notable dividends.")),
    *cases(
        "Welche Währung?", "Schweizer Franken", right=("Schweizer Franken", "in Schweizer Franken"), wrong=("Euro",)
    ),
    *cases("公司的首席执行官是谁？", "黄仁勋", right=("公司的首席执行官是黄仁勋。",), wrong=("首席执行官是库克。",)),
]
