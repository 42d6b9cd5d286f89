"""Dates, years, quarters and times."""

from __future__ import annotations

from tests.rag.scoring.cases.case import cases

DAY = "When did the quarter end?"
YEAR = "In which year was the company founded?"
DECLARED = "When was the dividend declared?"

DATES = [
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
        "When did the agreement take effect?",
        "2021-03-01",
        right=(
            "March 1, 2021",
            "1 March 2021",
            "It took effect on March 1, 2021, and ends on February 28, 2026.",
            "1. März 2021",
            "03/01/2021",
        ),
        wrong=("March 2021", "March 11, 2021", "March 1, 2012", "1 April 2021"),
    ),
    *cases(
        "When was the last audit?",
        "March 2021",
        right=("March 2021", "in March of 2021", "On 15 March 2021"),
        wrong=("March 2022", "2021", "May 2021"),
    ),
    *cases(
        "What time does the office open?",
        "9:30",
        right=("9:30", "At 9:30 a.m.", "from 9:30 to 17:00"),
        wrong=("9:00", "10:30", "19:30"),
    ),
    *cases(
        "What is the phone number?",
        "+1 408-486-2000",
        right=("+1 408-486-2000", "Call +1 408-486-2000."),
        wrong=("+1 408-486-2001", "408"),
    ),
    *cases(
        "What is the deadline?",
        "end of Q3 2024",
        right=("The end of Q3 2024.", "end of Q3 2024"),
        wrong=("end of Q2 2024", "end of Q3 2025", "Q3"),
    ),
    *cases(
        "When is the rent due?",
        "the first day of each month",
        right=("On the first day of each month.", "The rent is due on the first day of each month in advance."),
        wrong=("the last day of each month", "the first day of each quarter"),
    ),
    *cases(
        "When does the market open?",
        "9:30 a.m.",
        right=("9:30 a.m.", "At 9:30 am.", "9:30 AM", "9:30"),
        wrong=("9:30 p.m.", "At 9:30 PM."),
    ),
    *cases("When does it close?", "9:30 p.m.", right=("9:30 pm", "21:30", "9:30"), wrong=("9:30 a.m.",)),
    *cases(
        "When did it open?",
        "Q3 2022",
        right=("the third quarter of 2022", "Q3 2022", "In Q3 of 2022."),
        wrong=("the second quarter of 2022", "the third quarter of 2021", "2022"),
    ),
    *cases("Which quarter?", "third quarter", right=("Q3", "the third quarter"), wrong=("Q2",)),
    *cases("Which quarter?", "the third quarter of 2022", right=("Q3 2022",), wrong=("Q3 2021", "Q3")),
    *cases(
        "Which years are covered?", "2021-2023", right=("From 2021 to 2023", "2021-2023", "2021–2023"), wrong=("2021",)
    ),
    *cases(
        "What is the year of incorporation?",
        "1993",
        right=("It was founded in 1993.", "1993"),
        wrong=("It was founded in 1999.",),
    ),
    *cases(
        DECLARED,
        "March 15, 2023",
        right=(
            "declared on March 15, 2023 and paid on March 30, 2023",
            "It was declared on March 15, 2023.",
            "March 15, 2023",
        ),
        wrong=("It was declared on March 30, 2023 and paid on March 15, 2023.",),
    ),
    *cases(
        "When was the company founded?",
        "1993",
        right=(
            "Founded in 1993, the company went public in 1999.",
            "In 1993 the company was founded; in 1999 it went public.",
            "The company went public in 1999 but was founded in 1993.",
        ),
        wrong=("The company was founded in 1999 and moved in 1993.",),
    ),
    *cases(
        "When was the dividend paid?",
        "March 15, 2023",
        right=("declared on March 1, 2023 and paid on March 15, 2023",),
        wrong=("declared on March 15, 2023 and paid on March 30, 2023",),
    ),
    *cases(
        "When is the dividend payable?",
        "March 15, 2023",
        right=("The dividend was declared on March 1, 2023 and will be paid on March 15, 2023.",),
        wrong=("The dividend is payable on March 30, 2023, and the record date is March 15, 2023.",),
    ),
    *cases(
        "When was it filed?",
        "August 2, 2023",
        right=(
            "The report for the quarter ended June 30, 2023 was filed on August 2, 2023.",
            "Filed: August 2, 2023. Period ended: June 30, 2023.",
        ),
        wrong=("The report for the quarter ended August 2, 2023 was filed on August 30, 2023.",),
    ),
    *cases(
        "On what date was the notes offering completed?",
        "March 1, 2021",
        right=("The offering of notes, announced February 20, 2021, was completed on March 1, 2021.",),
        wrong=("The notes offering was completed on March 31, 2021.",),
    ),
    *cases("When is it due?", "the end of the fourth quarter of 2025", right=("end of Q4 2025",), wrong=("Q4 2025",)),
]
