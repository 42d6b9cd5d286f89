"""Answers that people would mark by hand, written last: three had the wrong mark before the code was changed."""

from __future__ import annotations

from tests.rag.scoring.cases import cases

EXPENSES = "What were Apple's operating expenses in the third quarter of 2022?"
FAIR_VALUE = "What was the fair value of Amazon's equity investment in Rivian as of June 30, 2023?"
GROWTH = "How much did NVIDIA's Data Center revenue change from a year ago?"
BOTH_YEARS = (
    "What was NVIDIA's revenue in the first quarter of fiscal year 2024 and in the first quarter of fiscal year 2023?"
)
PAR_VALUE = "What is the par value of Apple's common stock?"
POINTS = "How many basis points did the margin improve?"

LAST_CASES = [
    *cases(
        EXPENSES,
        "$12,809 million",
        right=(
            "Apple's operating expenses in Q3 2022 were $12,809 million, consisting of $6,797 million in R&D and"
            " $6,012 million in SG&A.",
            "Operating expenses rose to $12.8 billion from $11.1 billion.",
            "Total operating expenses: $12,809 million (15% of total net sales).",
            "In the third quarter of 2022, R&D was $6,797 million and SG&A was $6,012 million, for total"
            " operating expenses of $12,809 million.",
            "Operating expenses for the three months ended June 25, 2022 totaled $12,809 million, while they"
            " were $38,144 million for the nine months.",
            "12.809 billion dollars",
        ),
        wrong=(
            "$6,797 million in R&D and $6,012 million in SG&A.",
            "$38,144 million",
            "Operating expenses were $11,129 million in Q3 2022.",
            "$12,890 million",
            "12,809 shares",
            "Operating expenses were $38,144 million for the nine months and R&D was $12,809 million.",
        ),
    ),
    *cases(
        FAIR_VALUE,
        "$3.0 billion",
        right=(
            "$3.0 billion",
            "$3 billion",
            "The fair value was $3.0 billion as of June 30, 2023.",
            "It was $3.0 billion, compared to $2.9 billion as of December 31, 2022.",
            "$3,000 million",
        ),
        wrong=(
            "$2.9 billion",
            "$30 billion",
            "$3.0 million",
            "It was $2.9 billion as of June 30, 2023, and $3.0 billion as of December 31, 2022.",
        ),
    ),
    *cases(
        GROWTH,
        "up 14%",
        right=(
            "It was up 14%.",
            "Data Center revenue increased 14% year over year.",
            "+14%",
            "14%",
            "Data Center revenue was up 14% from a year ago and up 18% sequentially.",
            "Revenue from Data Center grew by 14%.",
        ),
        wrong=(
            "down 14%",
            "-14%",
            "It decreased by 14%.",
            "18%",
            "Data Center revenue was up 18% from a year ago and up 14% sequentially.",
        ),
    ),
    *cases(
        BOTH_YEARS,
        "$7,192 million and $8,288 million",
        right=(
            "$7,192 million and $8,288 million, respectively.",
            "Revenue was $7,192 million in Q1 FY2024, compared with $8,288 million in Q1 FY2023.",
            "$7.19 billion in fiscal 2024; $8.29 billion in fiscal 2023",
        ),
        wrong=("$7,192 million", "$8,288 million", "$7,192 million and $6,051 million"),
    ),
    *cases(
        PAR_VALUE,
        "$0.00001",
        right=("$0.00001", "$0.00001 per share", "The par value is $0.00001; 50,400,000,000 shares are authorized."),
        wrong=("$0.0001", "$0.001", "50,400,000"),
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
        "What was the company's net income (loss)?",
        "net loss of $1.2 million",
        right=("A net loss of $1.2 million.", "$(1.2) million", "-$1.2 million", "The company lost $1.2 million."),
        wrong=("Net income of $1.2 million.", "$1.2 billion loss"),
    ),
    *cases(
        "What is the deadline?",
        "end of Q3 2024",
        right=("The end of Q3 2024.", "end of Q3 2024"),
        wrong=("end of Q2 2024", "end of Q3 2025", "Q3"),
    ),
    *cases(
        "How old is the building?",
        "over 100 years",
        right=("over 100 years", "The building is over 100 years old.", "It's more than 100 years old."),
        wrong=("over 10 years", "200 years"),
    ),
    *cases(
        "What temperature is needed?",
        "180 °C",
        right=("180 °C", "180°C", "180 degrees Celsius", "Preheat to 180 °C (350 °F)."),
        wrong=("350 °F", "160 °C", "180 °C or 200 °C"),
    ),
    *cases(
        "What share of sales came from outside the United States?",
        "67%",
        right=("67%", "67% (77% a year earlier)", "Two thirds (67%)", "About 67% of revenue"),
        wrong=("77%", "33%", "67% or 77%"),
    ),
    *cases(
        "How many employees?",
        "about 1,600,000",
        right=("1.6 million", "1,600,000", "approximately 1.6 million full-time and part-time employees"),
        wrong=("1.5 million", "16 million", "1.6 billion"),
    ),
    *cases(
        "What was the total cost?",
        "£2.5m",
        right=("£2.5m", "£2.5 million", "2.5 million pounds", "GBP 2,500,000"),
        wrong=("$2.5m", "£2.5bn", "£25m"),
    ),
    *cases(
        "When is the rent due?",
        "the first day of each month",
        right=("On the first day of each month.", "The rent is due on the first day of each month in advance."),
        wrong=("the last day of each month", "the first day of each quarter"),
    ),
    *cases(
        "Which court has jurisdiction?",
        "the courts of Zurich",
        right=("The courts of Zurich", "The courts of Zurich have jurisdiction.", "Zurich courts"),
        wrong=("The courts of Geneva",),
    ),
    *cases(
        "What is the CEO's name?",
        ("Timothy D. Cook", "Tim Cook"),
        right=("Tim Cook", "Timothy D. Cook", "Apple's CEO is Tim Cook, not Luca Maestri."),
        wrong=("Luca Maestri", "Cook Islands"),
    ),
]
